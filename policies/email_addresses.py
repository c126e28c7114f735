"""An e-mail address as somebody typed it, in its normal form. Its domain is never looked up."""

from __future__ import annotations

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
