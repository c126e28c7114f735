"""An e-mail address as somebody typed it, in its normal form. Its domain is never looked up."""

from __future__ import annotations

import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

LONGEST_EMAIL: Final = 254
"""Characters (RFC 5321, and the erratum that corrects it)."""


def read_email(value: str) -> str | None:
    """The address in the normal form of email-validator, or None for what is no address."""
    if len(value) > LONGEST_EMAIL:
        return None
    try:
        return validate_email(value.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def same_email(one: str, other: str) -> bool:
    """Whether two addresses count as one: as the unique index compares them, without case."""
    return one.lower() == other.lower()


def mailbox_of(email: str) -> str:
    """The address without what stands behind a `+` in its local part, in lower case."""
    local, at, domain = email.lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def comparable_email(value: str) -> str | None:
    """The form of an address by which we and partners compare it (docs/suppressions.md); None: no address.

    1. spaces, tabs and line breaks at both ends go;
    2. Unicode NFC, lower case, and NFC again;
    3. what follows the last `@` is the domain: one that is not ASCII is written in ASCII (IDNA, UTS 46).

    Nothing else: no dot is dropped, and nothing behind a `+`. Applied twice it changes nothing more.
    """
    folded = unicodedata.normalize("NFC", value.strip(_SPACE)).lower()
    local, at, domain = unicodedata.normalize("NFC", folded).rpartition("@")
    if not local or not domain:
        return None
    ascii_domain = domain if domain.isascii() else _in_ascii(domain)
    return None if ascii_domain is None else f"{local}{at}{ascii_domain}"


_SPACE: Final = " \t\r\n"


def _in_ascii(domain: str) -> str | None:
    try:
        return validate_email(f"x@{domain}", check_deliverability=False).ascii_domain.lower()
    except EmailNotValidError:
        return None
