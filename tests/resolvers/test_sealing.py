from __future__ import annotations

from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from resolvers.sealing import SEALED_SIZE, PhoneSealer, sealing_info
from schema.errors import InputError
from schema.ids import new_id


def open_sealed(ciphertext: bytes, private_key: X25519PrivateKey, phone_id: UUID) -> str:
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    return suite.decrypt(ciphertext, private_key, info=sealing_info(phone_id)).rstrip(b"\0").decode()


@pytest.fixture
def sealer(phone_private_key: X25519PrivateKey) -> PhoneSealer:
    return PhoneSealer(phone_private_key.public_key(), "test")


@pytest.mark.clause("C10")
def test_only_the_private_key_opens_a_number(
    sealer: PhoneSealer, phone_private_key: X25519PrivateKey
) -> None:
    phone_id = new_id()
    sealed = sealer.seal("+14155550132", phone_id)

    assert open_sealed(sealed, phone_private_key, phone_id) == "+14155550132"
    with pytest.raises(InvalidTag):
        open_sealed(sealed, X25519PrivateKey.generate(), phone_id)


def test_a_ciphertext_opens_in_its_own_row_only(
    sealer: PhoneSealer, phone_private_key: X25519PrivateKey
) -> None:
    sealed = sealer.seal("+14155550132", new_id())

    with pytest.raises(InvalidTag):
        open_sealed(sealed, phone_private_key, new_id())


def test_neither_length_nor_repetition_tells_anything(sealer: PhoneSealer) -> None:
    phone_id = new_id()
    sealed = {sealer.seal(number, phone_id) for number in ("+3761234", "+14155550132", "+14155550132")}

    assert len(sealed) == 3
    assert {len(ciphertext) for ciphertext in sealed} == {SEALED_SIZE}


@pytest.mark.parametrize("number", ["", "4155550132", "+1 415", "+", "+" + "1" * 24, "+٤١٥"])
def test_refuses_what_is_not_in_international_form_without_quoting_it(
    sealer: PhoneSealer, number: str
) -> None:
    with pytest.raises(InputError) as refusal:
        sealer.seal(number, new_id())

    assert not any(character.isdigit() for character in str(refusal.value))
