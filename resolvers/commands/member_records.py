"""What a command is given to store of one member: checked values, with the secrets already sealed.

Whoever makes a record has validated it (`gateway.importing.rows`, `gateway.seeding`); nothing is
checked again here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from schema.categories import Purpose
from schema.vocabulary import Direction


class OptionalColumn(StrEnum):
    """Columns that a source may state or not know of. One that it states, it may also empty."""

    USERNAME = "username"
    BIRTH_DATE = "birth_date"
    INTERESTS = "interests"
    PURCHASE_CATEGORIES = "purchase_categories"


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """The primary postal address. `country` is ISO 3166-1 alpha-2."""

    line1: str
    line2: str | None
    city: str
    state: str | None
    postal_code: str | None
    country: str


@dataclass(frozen=True, slots=True)
class BillingRecord:
    """A billing method as the member recognises it, and the processor's token, if there is one."""

    brand: str
    last_four: str
    expiry_month: int
    expiry_year: int
    token: str | None = None


@dataclass(frozen=True, slots=True)
class PhoneRecord:
    """A telephone number, sealed to this `phone_id` (`resolvers.sealing`)."""

    phone_id: UUID
    label: str
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class ChoiceEntry:
    """A choice for the ledger (C11), for every partner; `purpose` None means every purpose."""

    requested_at: datetime
    direction: Direction
    purpose: Purpose | None


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """One member as a source states it. `row` names the record to its source in messages.

    `complete`: everything that C1 makes mandatory is here, so a new member is ACTIVE, not INVITED.
    None or empty means "not stated" for mandatory data, and "none" for `OptionalColumn`s.
    """

    row: int
    number: str
    email: str
    complete: bool
    given_name: str | None = None
    family_name: str | None = None
    username: str | None = None
    birth_date: date | None = None
    region: str | None = None
    interests: tuple[str, ...] = ()
    purchase_categories: tuple[str, ...] = ()
    joined_at: datetime | None = None
    address: AddressRecord | None = None
    billing: BillingRecord | None = None
    phones: tuple[PhoneRecord, ...] = ()
    choices: tuple[ChoiceEntry, ...] = ()
    password_hash: str | None = None
