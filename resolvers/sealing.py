"""Sealing a telephone number to a public key, so that the service can store it and never read it (C10, R1).

In: a number in E.164 and the id of its `phone` row. Out: an HPKE ciphertext (RFC 9180, base mode,
DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305). The private key is an officer's and is
held offline: nothing that serves opens what this module makes (`gateway.officer_opening` does, for commands).

INVARIANT (length-tells-nothing): every plaintext is padded to `PLAINTEXT_SIZE` bytes, so every ciphertext has
`SEALED_SIZE` bytes.
INVARIANT (bound-to-its-row): the `phone_id` is part of the HPKE info, so a ciphertext that is moved to the
row of another member does not open there.
"""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from schema.errors import InputError

PLAINTEXT_SIZE: Final = 24
"""`+` and at most fifteen digits (E.164), and room for a private extension."""

SEALED_SIZE: Final = 32 + PLAINTEXT_SIZE + 16
"""Encapsulated key, padded plaintext, authentication tag."""

_E164: Final = re.compile(r"\+[0-9]{4,15}")
_CONTEXT: Final = b"member-gateway/sealed-phone/v1/"
SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def sealing_info(phone_id: UUID) -> bytes:
    """The HPKE info of the number with this id; whoever opens it offline must give the same."""
    return _CONTEXT + phone_id.bytes


class PhoneSealer:
    """Seals telephone numbers to one public key. Safe to share between tasks and threads.

    CLAUSE (R1, C10): what is sealed here opens with the officer's key alone, which no part of the service
    holds.
    """

    __slots__ = ("_public_key", "key_id")

    def __init__(self, public_key: X25519PublicKey, key_id: str) -> None:
        self._public_key = public_key
        self.key_id = key_id

    def seal(self, number_e164: str, phone_id: UUID) -> bytes:
        """`number_e164` as `SEALED_SIZE` bytes that only the holder of the private key can open.

        The caller must have validated the number and must let go of it afterwards.

        Raises:
            InputError: the number is not in E.164; it is not part of the message.
        """
        plaintext = number_e164.encode()
        if _E164.fullmatch(number_e164) is None:
            raise InputError("a telephone number must be in international form before it is sealed")
        return SUITE.encrypt(
            plaintext.ljust(PLAINTEXT_SIZE, b"\0"), self._public_key, info=sealing_info(phone_id)
        )
