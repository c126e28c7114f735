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

_SSH: Final = re.compile(r"(ssh-ed25519|ssh-rsa) ([A-Za-z0-9+/]{40,3000}={0,2})(?: .*)?")


def read_age_recipient(text: str) -> str | None:
    """An X25519 public key (`age1...`), as members give it."""
    key = text.strip()
    if len(key) != LONGEST or not key.isascii():
        return None
    try:
        return str(x25519.Recipient.from_str(key.lower() if key.isupper() else key))
    except RecipientError:
        return None


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
