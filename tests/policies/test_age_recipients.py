from __future__ import annotations

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from policies.age_recipients import encrypts_to, read_age_recipient, read_recipient

KEY = "age1ceakcgm0sjrdv2ywlumhllhvhrlxg7u7qupf6e3sw8w7ewqdd9nqvzfjet"
SSH = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize("text", [KEY, f"  {KEY}\n", KEY.upper()])
def test_a_key_is_read_into_its_one_form(text: str) -> None:
    assert read_age_recipient(text) == KEY
    assert read_recipient(text) == KEY
    assert isinstance(encrypts_to(KEY), pyrage.x25519.Recipient)


@pytest.mark.parametrize(
    "text",
    [
        "", "age1", KEY[:-1], f"{KEY[:-1]}q", f"{KEY}q", KEY.replace("1", "2", 1), f"{KEY[:20]} {KEY[20:]}",
        KEY[:10].upper() + KEY[10:], "age1" + "q" * 58, KEY.replace("e", "\u0435"),
        "AGE-SECRET-KEY-1ZVJZ0000000000000000000000000000000000000000000000000000000",
        "ssh-ed25519 AAAA", "+1 415 555 0132", f"{KEY}\n{KEY}",
    ],
)  # fmt: skip
def test_what_is_no_public_key_is_none(text: str) -> None:
    assert read_age_recipient(text) is None
    assert read_recipient(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z",
        "age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqj7vrya",
        "age1ur4h5lpmgxu2u9jku0a0r87ydtdqnr0tnsetrlvxvgz3vh6fhqqqzyt4v9",
        "age1anlllllllllllllllllllllllllllllllllllllllllllllllals4n2t7m",
    ],
)
def test_a_key_that_everybody_shares_a_secret_with_is_none(text: str) -> None:
    pyrage.x25519.Recipient.from_str(text)
    assert read_age_recipient(text) is None
    assert read_recipient(text) is None


def test_members_give_keys_of_age_and_officers_those_of_ssh_as_well_without_the_comment() -> None:
    assert read_age_recipient(SSH) is None
    assert read_recipient(f"{SSH} ada@home +1 415 555 0132\n") == SSH
    assert isinstance(encrypts_to(SSH), pyrage.ssh.Recipient)


def test_a_secret_key_is_none() -> None:
    assert read_recipient(str(pyrage.x25519.Identity.generate())) is None
