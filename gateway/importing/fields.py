"""Single values of a foreign file, each read by one function that returns the value or None."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from email_validator import EmailNotValidError, validate_email

from policies.age import is_plausible
from resolvers.commands.member_records import AddressRecord, BillingRecord

LONGEST_EMAIL: Final = 254
"""RFC 5321, and the erratum that corrects it."""

LONGEST_LABEL: Final = 60
MOST_LABELS: Final = 50
_PACKED_WITH_LINE2: Final = 6

LONGEST_LOCAL: Final = 64
_PLAIN_LOCAL: Final = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
"""Local parts that are their own normal form."""

_NUMBER: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_USERNAME: Final = re.compile(r"[\w.-]{3,40}")
_ARGON2ID: Final = re.compile(
    r"\$argon2id\$v=19\$m=[0-9]{1,8},t=[0-9]{1,4},p=[0-9]{1,3}\$[A-Za-z0-9+/]{11,88}\$[A-Za-z0-9+/]{16,128}"
)
_BCRYPT: Final = re.compile(r"\$2[aby]\$(?:0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")
CREDENTIAL: Final = re.compile(
    r"\$argon2(?:id|i|d)\$|\$2[abxy]\$[0-9]{2}\$|\$(?:5|6|y|scrypt|pbkdf2[a-z0-9-]*)\$"
)
"""What gives a password hash away wherever it stands."""

_EXPIRY: Final = re.compile(r"(?P<month>[0-9]{1,2})\s*[/-]\s*(?P<year>(?:20)?[0-9]{2})")
_EXPIRY_ISO: Final = re.compile(r"(?P<year>20[0-9]{2})-(?P<month>[0-9]{1,2})")
_MASKED: Final = re.compile(r"[*xX•.\s-]*([0-9]{4})")
_LABEL_SEPARATOR: Final = re.compile(r"[,;|]")
_PACKED_SEPARATOR: Final = re.compile(r" {2,}")


def unquoted(value: str) -> str:
    """`value` without the apostrophe by which spreadsheets (and Shopify) mark figures as text."""
    return value.strip().removeprefix("'").strip()


def clean_text(value: str) -> str:
    """`value` in Unicode NFC, on one line, with single spaces."""
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    return " ".join(value.split())


def has_control(value: str) -> bool:
    """Whether a character stands in `value` that no text has: NUL, other controls, half a surrogate pair."""
    if value.isprintable():
        return False
    return any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\t\r\n" for char in value)


def member_number(value: str) -> str | None:
    """A member number: 1 to 64 letters, digits or `.` `_` `:` `-`."""
    number = unquoted(value)
    return number if _NUMBER.fullmatch(number) else None


def is_username(value: str) -> bool:
    """Whether `value` is 3 to 40 letters, digits or `.` `_` `-`."""
    return _USERNAME.fullmatch(value) is not None


def email(value: str) -> str | None:
    """An e-mail address in the normal form of email-validator; the domain is not looked up."""
    if len(value) > LONGEST_EMAIL:
        return None
    local, _, domain = value.rpartition("@")
    if len(local) > LONGEST_LOCAL:
        return None
    if _PLAIN_LOCAL.fullmatch(local):
        normal = _email_domain(domain)
        return f"{local}@{normal}" if normal else None
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


@lru_cache(maxsize=4096)
def _email_domain(domain: str) -> str | None:
    """The normal form of a domain, remembered: a file has few, and checking one costs most of an address."""
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).domain
    except EmailNotValidError:
        return None


def password_hash(value: str) -> str | None:
    """A hash of an algorithm that sign-in can verify: Argon2id in PHC form, or bcrypt."""
    return value if _ARGON2ID.fullmatch(value) or _BCRYPT.fullmatch(value) else None


@lru_cache(maxsize=1024)
def country(value: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of a country, from the code or from a name that libphonenumber has."""
    return _countries().get(value.strip().casefold())


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """Each code, and each name that exactly one country has."""
    # Half a second to load, which every other command would pay as well.
    from phonenumbers.geodata.locale import LOCALE_DATA  # noqa: PLC0415

    names: dict[str, str | None] = {code.casefold(): code for code in LOCALE_DATA}
    for code, by_language in LOCALE_DATA.items():
        for name in {name.casefold() for name in by_language.values() if not name.startswith("*")}:
            names[name] = code if names.get(name, code) == code else None
    return {name: code for name, code in names.items() if code is not None}


def unpack_address(value: str) -> AddressRecord | None:
    """Mailchimp's address in one column: line 1, maybe line 2, city, state, postal code, country."""
    parts = [clean_text(part) for part in _PACKED_SEPARATOR.split(value.strip())]
    if len(parts) == _PACKED_WITH_LINE2 - 1:
        parts.insert(1, "")
    if len(parts) != _PACKED_WITH_LINE2:
        return None
    line1, line2, city, state, postal_code, land = parts
    code = country(land)
    if code is None:
        return None
    return AddressRecord(line1, line2 or None, city, state or None, postal_code or None, code)


def birth_date(value: str, formats: tuple[str, ...], today: date) -> date | None:
    """A date of birth: ISO 8601, or one of `formats`; one that somebody may have (`policies.age`)."""
    for form in (None, *formats):
        try:
            born = date.fromisoformat(value) if form is None else _parse(value, form)
        except ValueError:
            continue
        return born if is_plausible(born, today) else None
    return None


def _parse(value: str, form: str) -> date:
    return datetime.strptime(value, form).replace(tzinfo=UTC).date()


def instant(value: str) -> datetime | None:
    """A point in time in ISO 8601; without a zone it is UTC."""
    try:
        parsed = datetime.fromisoformat(value.removesuffix(" UTC"))
    except ValueError:
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def labels(value: str) -> tuple[str, ...]:
    """The entries of a list such as interests, separated by commas, semicolons or bars; each once."""
    return tuple(
        dict.fromkeys(entry for part in _LABEL_SEPARATOR.split(value) if (entry := clean_text(part)))
    )


def billing(brand: str, last_four: str, expiry: str, token: str | None) -> BillingRecord | None:
    """A billing method. `expiry` is MM/YY, MM/YYYY or YYYY-MM; `last_four` may have its mask before it."""
    digits = _MASKED.fullmatch(unquoted(last_four))
    until = _EXPIRY.fullmatch(expiry.strip()) or _EXPIRY_ISO.fullmatch(expiry.strip())
    if not brand or digits is None or until is None:
        return None
    month, year = int(until["month"]), int(until["year"]) % 100 + 2000
    if not 1 <= month <= 12:  # noqa: PLR2004 - months
        return None
    return BillingRecord(brand, digits[1], month, year, token or None)
