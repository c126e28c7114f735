"""What a registration must have to count (C1), and the region that follows from an address.

A member whose mandatory data is not complete is INVITED: stored, and shared with nobody, until the
member completes the registration. The same rule serves every way in.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from enum import StrEnum
from typing import Final

from policies.age import ADULT_AGE, age_on


class Mandatory(StrEnum):
    """The parts of C1, under the names that messages use."""

    NUMBER = "member.number"
    GIVEN_NAME = "member.given_name"
    FAMILY_NAME = "member.family_name"
    EMAIL = "member.email"
    LINE1 = "address.line1"
    CITY = "address.city"
    COUNTRY = "address.country"
    POSTAL_CODE = "address.postal_code"
    PHONES = "phones"
    BRAND = "billing.brand"
    LAST_FOUR = "billing.last_four"
    EXPIRY = "billing.expiry"


WITHOUT_POSTAL_CODES: Final = frozenset(
    {
        "AE", "AG", "AO", "AW", "BF", "BI", "BJ", "BO", "BS", "BW", "BZ", "CD",
        "CF", "CG", "CI", "CK", "CM", "DJ", "DM", "ER", "FJ", "GA", "GD", "GH",
        "GM", "GQ", "GY", "HK", "JM", "KI", "KM", "KN", "ML", "MO", "MR", "MW",
        "NR", "NU", "PA", "QA", "RW", "SB", "SC", "SL", "SR", "ST", "SY", "TD",
        "TG", "TK", "TL", "TO", "TV", "TZ", "UG", "VU", "YE", "ZW",
    }
)  # fmt: skip
"""Countries whose posts use no postal codes, or hardly (Universal Postal Union, addressing systems)."""

_CODE: Final = re.compile(r"[A-Z0-9]{1,3}")


def missing_mandatory(present: Collection[Mandatory], *, country: str | None) -> tuple[Mandatory, ...]:
    """The parts of C1 that are not `present`, in the order of the clause; empty means complete.

    CLAUSE (C1): the one list of what is mandatory.
    """
    return tuple(
        part
        for part in Mandatory
        if part not in present and not (part is Mandatory.POSTAL_CODE and country in WITHOUT_POSTAL_CODES)
    )


def region_of(country: str | None, state: str | None) -> str | None:
    """The region of an address: `US-CA` where the state is a code (ISO 3166-2), else the country alone."""
    if country is None:
        return None
    code = state.strip().upper() if state else ""
    if code.startswith(f"{country}-"):
        code = code[len(country) + 1 :]
    return f"{country}-{code}" if _CODE.fullmatch(code) else country


def needs_supervisor(birth_date: date | None, today: date) -> bool:
    """Whether an adult has to confirm the registration (C17): under 18 on `today`, as `age_date` gives it.

    CLAUSE (C17): a member under 18 registers under the supervision of an adult, who confirms.

    Who does not tell a birth date registers alone, and is shared with nobody until it is told.
    """
    return birth_date is not None and age_on(birth_date, today) < ADULT_AGE
