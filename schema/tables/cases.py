"""What opens the bases LEGAL and INSOLVENCY (C8 b, c): cases and the members they name, deferrals, transfers.

Each rests on an agreement, under which the data is given like under any other. Who opened it and who approved
it are two officers: the database holds no row in which they are one.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, member_key, row_id

_OPS = DataCategory.OPERATIONS
_PREFERENCES = DataCategory.PRIVACY_PREFERENCES


def _two_officers() -> tuple[CheckConstraint, ...]:
    return (
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approval"),
        CheckConstraint("lower(approved_by) <> lower(opened_by)", name="two_officers"),
    )


class LegalCase(Table, table=True):
    """A disclosure that the law requires: to whom, on what ground, until when (C8 b).

    The authority and the categories are those of its agreement. It counts from `approved_at` until
    `expires_at`, or until it is closed. `reference` and `ground` were checked for telephone numbers (R1).
    """

    __tablename__ = "legal_case"

    id: UUID = row_id()
    agreement_id: UUID = column(_OPS, foreign_key="agreement.id")
    reference: str = column(_OPS, Text)
    ground: str = column(_OPS, Text)
    opened_by: str = column(_OPS, Text)
    opened_at: datetime = instant(_OPS)
    approved_by: str | None = column(_OPS, Text, nullable=True)
    approved_at: datetime | None = instant(_OPS, nullable=True)
    expires_at: datetime = instant(_OPS)
    closed_by: str | None = column(_OPS, Text, nullable=True)
    closed_at: datetime | None = instant(_OPS, nullable=True)

    __table_args__ = (
        *_two_officers(),
        CheckConstraint(
            "expires_at > opened_at AND expires_at <= opened_at + interval '366 days'", name="expiry"
        ),
        Index("uq_legal_case_agreement_id", "agreement_id", unique=True),
    )


class LegalCaseMember(Table, table=True):
    """A member whom a case names. Only they are disclosed under it."""

    __tablename__ = "legal_case_member"

    case_id: UUID = column(_OPS, foreign_key="legal_case.id", primary_key=True)
    member_id: UUID = member_key(primary_key=True)


class LegalDeferral(Table, table=True):
    """An order not to tell the members yet. While an approved one lasts, they are shown nothing of the case.

    The latest `until` of a case stands in `agreement.deferred_until` as well, where it is read.
    """

    __tablename__ = "legal_deferral"

    id: UUID = row_id()
    case_id: UUID = column(_OPS, foreign_key="legal_case.id", index=True)
    ordered_by: str = column(_OPS, Text)
    reference: str = column(_OPS, Text)
    until: datetime = instant(_OPS)
    opened_by: str = column(_OPS, Text)
    opened_at: datetime = instant(_OPS)
    approved_by: str | None = column(_OPS, Text, nullable=True)
    approved_at: datetime | None = instant(_OPS, nullable=True)

    __table_args__ = (
        *_two_officers(),
        CheckConstraint("until > opened_at AND until <= opened_at + interval '366 days'", name="until"),
    )


class BusinessTransfer(Table, table=True):
    """That the business passes to an acquirer, and its members' data with it (C8 c).

    The acquirer is the partner of its agreement, which begins after the notice period and not before
    `closing_at`. It is announced when it is approved. `reason` was checked for telephone numbers (R1).
    """

    __tablename__ = "business_transfer"

    id: UUID = row_id()
    agreement_id: UUID = column(_OPS, foreign_key="agreement.id")
    notice_id: UUID | None = column(
        _OPS, foreign_key="notice.id", nullable=True, on_delete="RESTRICT", index=True
    )
    closing_at: datetime = instant(_OPS)
    opened_by: str = column(_OPS, Text)
    opened_at: datetime = instant(_OPS)
    approved_by: str | None = column(_OPS, Text, nullable=True)
    approved_at: datetime | None = instant(_OPS, nullable=True)
    cancelled_by: str | None = column(_OPS, Text, nullable=True)
    cancelled_at: datetime | None = instant(_OPS, nullable=True)
    reason: str | None = column(_OPS, Text, nullable=True)

    __table_args__ = (
        *_two_officers(),
        CheckConstraint("approved_at IS NULL OR notice_id IS NOT NULL", name="noticed"),
        Index("uq_business_transfer_agreement_id", "agreement_id", unique=True),
    )
