"""What a record changes of a member on file, as the mask of categories that partners are told of.

INVARIANT (numbers-change-nothing): telephone numbers and password hashes are no argument here, so nothing
that others can see depends on whether one changed (R1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from resolvers.commands.member_records import AddressRecord, BillingRecord, MemberRecord, OptionalColumn
from schema.categories import SHARE_BITS, DataCategory, mask_of
from schema.tables.member import MemberStatus


@dataclass(frozen=True, slots=True)
class StoredMember:
    """A member on file, with the primary address. `billing` is (brand, last four) -> (id, month, year)."""

    id: UUID
    number: str
    status: str
    email: str
    given_name: str | None
    family_name: str | None
    username: str | None
    birth_date: date | None
    region: str | None
    interests: tuple[str, ...]
    purchase_categories: tuple[str, ...]
    address_id: UUID | None
    address: AddressRecord | None
    billing: Mapping[tuple[str, str], tuple[UUID, int, int]]


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A member with the values that hold from now on, and what they change."""

    member: StoredMember
    record: MemberRecord
    values: Mapping[str, Any]
    mask: int

    @property
    def address_differs(self) -> bool:
        """Whether the primary address is to be written."""
        return self.record.address is not None and self.record.address != self.member.address

    @property
    def billing(self) -> BillingRecord | None:
        """The billing method, if it is to be written."""
        stated = self.record.billing
        if stated is None:
            return None
        known = self.member.billing.get((stated.brand, stated.last_four))
        same = known is not None and known[1:] == (stated.expiry_month, stated.expiry_year)
        return None if same else stated


def told_of(category: DataCategory) -> int:
    """The bits of `category` and of all that are made of it: a new first name is a new name, too."""
    return mask_of(other for other in SHARE_BITS if other.covers(category))


def _masks(columns: Mapping[str, Iterable[DataCategory]]) -> Mapping[str, int]:
    masks = {}
    for name, categories in columns.items():
        mask = 0
        for category in categories:
            mask |= told_of(category)
        masks[name] = mask
    return MappingProxyType(masks)


COLUMN_MASKS: Final = _masks(
    {
        "status": (DataCategory.ACCOUNT,),
        "email": (DataCategory.EMAIL,),
        "given_name": (DataCategory.FIRST_NAME,),
        "family_name": (DataCategory.LAST_NAME,),
        "username": (DataCategory.USERNAME,),
        "birth_date": (DataCategory.DATE_OF_BIRTH, DataCategory.AGE_RANGE),
        "region": (DataCategory.REGION,),
        "interests": (DataCategory.PROFILE,),
        "purchase_categories": (DataCategory.PURCHASE_HISTORY,),
    }
)
"""What each column of `member` that a record may state tells others when it changes."""

ADDRESS_MASKS: Final = _masks(
    {
        "line1": (DataCategory.STREET,),
        "line2": (DataCategory.STREET,),
        "city": (DataCategory.CITY,),
        "state": (DataCategory.STATE,),
        "postal_code": (DataCategory.POSTAL_CODE,),
        "country": (DataCategory.COUNTRY,),
    }
)
BILLING_MASK: Final = told_of(DataCategory.CREDIT_CARD)
CHOICE_MASK: Final = told_of(DataCategory.PRIVACY_PREFERENCES)


def compare(member: StoredMember, record: MemberRecord, stated: frozenset[OptionalColumn]) -> MemberChange:
    """What `record` makes of `member`.

    Mandatory data that the record lacks stays as it is; an `OptionalColumn` stays unless it is `stated`.
    A registration that is complete stays so; an invited member becomes active with a complete record.
    """
    status = MemberStatus.ACTIVE if record.complete else member.status
    values: dict[str, Any] = {
        "status": status,
        "email": record.email,
        "given_name": record.given_name or member.given_name,
        "family_name": record.family_name or member.family_name,
        "region": record.region if record.address else member.region,
    }
    for column in OptionalColumn:
        values[column.value] = getattr(record if column in stated else member, column.value)
    mask = 0
    for name, value in values.items():
        if value != getattr(member, name):
            mask |= COLUMN_MASKS[name]
    if record.address is not None:
        for name, bits in ADDRESS_MASKS.items():
            if member.address is None or getattr(record.address, name) != getattr(member.address, name):
                mask |= bits
    change = MemberChange(member, record, MappingProxyType(values), mask)
    if change.billing is not None:
        return MemberChange(member, record, change.values, mask | BILLING_MASK)
    return change
