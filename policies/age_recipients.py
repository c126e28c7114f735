"""Public keys that an archive can be encrypted to, in the age format (C2SP, age-encryption.org/v1).

In comes what somebody typed; out comes the key in its one canonical form, or None. No error of the library
gets out: it may quote what was typed.
"""

from __future__ import annotations

import re
from typing import Final

from pyrage import RecipientError, ssh, x25519

LONGEST: Final = 62
"""Characters of `age1` and a Bech32 text of 32 bytes."""

_PREFIX: Final = "age1"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_CHECKSUM: Final = 6
_KEY_BYTES: Final = 32

_PRIME: Final = 2**255 - 19
_LOW_ORDER: Final = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)
"""The points of Curve25519 whose multiple by eight is nothing, by their coordinate (RFC 7748, 6.1)."""

_SSH: Final = re.compile(r"(ssh-ed25519|ssh-rsa) ([A-Za-z0-9+/]{40,3000}={0,2})(?: .*)?")


def read_age_recipient(text: str) -> str | None:
    """An X25519 public key (`age1...`), as members give it."""
    key = text.strip()
    if len(key) != LONGEST or not key.isascii():
        return None
    try:
        read = str(x25519.Recipient.from_str(key.lower() if key.isupper() else key))
    except RecipientError:
        return None
    return read if _keeps_secrets(read) else None


def _keeps_secrets(key: str) -> bool:
    """Whether it is no point of low order, with which everybody shares the same secret.

    The library takes such a key, and panics when it is to encrypt to it.
    """
    data = key[len(_PREFIX) : -_CHECKSUM]
    bits = "".join(f"{_BECH32.index(character):05b}" for character in data)
    raw = int(bits[: _KEY_BYTES * 8], 2).to_bytes(_KEY_BYTES, "big")
    return (int.from_bytes(raw, "little") & (2**255 - 1)) % _PRIME not in _LOW_ORDER


def read_recipient(text: str) -> str | None:
    """One that an officer was given: the same, or a public key of SSH, without its comment."""
    key = text.strip()
    found = _SSH.fullmatch(key)
    if found is None:
        return read_age_recipient(key)
    plain = f"{found[1]} {found[2]}"
    try:
        ssh.Recipient.from_str(plain)
    except RecipientError:
        return None
    return plain


def encrypts_to(key: str) -> ssh.Recipient | x25519.Recipient:
    """The library's form of a key that one of the functions here has read."""
    return ssh.Recipient.from_str(key) if key.startswith("ssh-") else x25519.Recipient.from_str(key)
