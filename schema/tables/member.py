"""Members and what they told about themselves: names, contact data, billing methods."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, member_key, row_id


class MemberStatus(StrEnum):
    """Only ACTIVE members are shared with anybody.

    PENDING: registered and not yet confirmed by mail; cannot sign in. INVITED: incomplete (C1). ACTIVE:
    registered. CLOSED: leaving; cannot sign in.
    """

    PENDING = "PENDING"
    INVITED = "INVITED"
    ACTIVE = "ACTIVE"
    CLOSED = "CLOSED"


class Member(Table, table=True):
    """One member. Telephone numbers and passwords are not here: see `schema.tables.vault`.

    `log_id` is the random name under which the disclosure log knows the member. It stands nowhere else, so
    that with this row the last tie between the log and the person goes, and the log itself never has to
    change.
    """

    __tablename__ = "member"

    id: UUID = row_id()
    log_id: UUID = column(
        DataCategory.OPERATIONS,
        unique=True,
        default_factory=uuid4,
        server_default=text("gen_random_uuid()"),
    )
    number: str = column(DataCategory.UNIQUE_ID, Text, unique=True)
    status: str = column(DataCategory.ACCOUNT, Text)
    username: str | None = column(DataCategory.USERNAME, Text, nullable=True)
    given_name: str | None = column(DataCategory.FIRST_NAME, Text, nullable=True)
    family_name: str | None = column(DataCategory.LAST_NAME, Text, nullable=True)
    email: str = column(DataCategory.EMAIL, Text)
    email_verified_at: datetime | None = instant(DataCategory.ACCOUNT, nullable=True)
    birth_date: date | None = column(DataCategory.DATE_OF_BIRTH, nullable=True)
    supervisor_email: str | None = column(DataCategory.EMAIL, Text, nullable=True)
    supervision_confirmed_at: datetime | None = instant(DataCategory.ACCOUNT, nullable=True)
    region: str | None = column(DataCategory.REGION, Text, nullable=True)
    interests: list[str] = column(DataCategory.PROFILE, ARRAY(Text))
    purchase_categories: list[str] = column(DataCategory.PURCHASE_HISTORY, ARRAY(Text))
    joined_at: datetime = instant(DataCategory.ACCOUNT)
    updated_at: datetime = instant(DataCategory.ACCOUNT)
    version: int = column(DataCategory.OPERATIONS, default=1)

    __table_args__ = (
        CheckConstraint("status IN ('PENDING', 'INVITED', 'ACTIVE', 'CLOSED')", name="status"),
        CheckConstraint(
            "status IN ('INVITED', 'CLOSED') OR num_nulls(given_name, family_name) = 0", name="registered"
        ),
        # Whoever claims an address has yet to show that it is hers: until then it is nobody's.
        Index(
            "uq_member_email_lower",
            func.lower(text("email")),
            unique=True,
            postgresql_where=text("status <> 'PENDING'"),
        ),
        Index(
            "uq_member_username_lower",
            func.lower(text("username")),
            unique=True,
            postgresql_where=text("status <> 'PENDING'"),
        ),
        # Claims of an address; also all who are pending, who are few.
        Index("ix_member_claims", func.lower(text("email")), postgresql_where=text("status = 'PENDING'")),
        Index("ix_member_birth_date", "birth_date"),
    )


class AddressKind(StrEnum):
    """What a postal address is used for."""

    HOME = "HOME"
    BILLING = "BILLING"
    SHIPPING = "SHIPPING"


class PostalAddress(Table, table=True):
    """A postal address. The primary one is the address that a partner may be shown."""

    __tablename__ = "postal_address"

    id: UUID = row_id()
    member_id: UUID = member_key()
    kind: str = column(DataCategory.ADDRESS, Text)
    is_primary: bool = column(DataCategory.ADDRESS)
    line1: str = column(DataCategory.STREET, Text)
    line2: str | None = column(DataCategory.STREET, Text, nullable=True)
    city: str = column(DataCategory.CITY, Text)
    state: str | None = column(DataCategory.STATE, Text, nullable=True)
    postal_code: str | None = column(DataCategory.POSTAL_CODE, Text, nullable=True)
    country: str = column(DataCategory.COUNTRY, Text)
    created_at: datetime = instant(DataCategory.ADDRESS)

    __table_args__ = (
        CheckConstraint("kind IN ('HOME', 'BILLING', 'SHIPPING')", name="kind"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        Index("uq_postal_address_primary", "member_id", unique=True, postgresql_where=text("is_primary")),
    )


class Phone(Table, table=True):
    """That a telephone number is on file: its label and date. The number itself is sealed in the vault."""

    __tablename__ = "phone"

    id: UUID = row_id()
    member_id: UUID = member_key()
    label: str = column(DataCategory.CONTACT, Text)
    added_at: datetime = instant(DataCategory.CONTACT)


class BillingMethod(Table, table=True):
    """A way to pay, as the member recognises it. The processor's token is in the vault; no card number."""

    __tablename__ = "billing_method"

    id: UUID = row_id()
    member_id: UUID = member_key()
    brand: str = column(DataCategory.CREDIT_CARD, Text)
    last_four: str = column(DataCategory.CREDIT_CARD, Text)
    expiry_month: int = column(DataCategory.CREDIT_CARD, SmallInteger)
    expiry_year: int = column(DataCategory.CREDIT_CARD, SmallInteger)
    added_at: datetime = instant(DataCategory.CREDIT_CARD)

    __table_args__ = (
        CheckConstraint("last_four ~ '^[0-9]{4}$'", name="last_four"),
        CheckConstraint("expiry_month BETWEEN 1 AND 12", name="expiry_month"),
    )
