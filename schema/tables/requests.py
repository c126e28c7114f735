"""What members and visitors ask of the company: corrections, access, contact, erasure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, func, text

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, member_key, row_id


class RequestKind(StrEnum):
    """What is asked of the company."""

    CORRECTION = "CORRECTION"
    ACCESS = "ACCESS"
    CONTACT = "CONTACT"
    ERASURE = "ERASURE"


class CorrectionTarget(StrEnum):
    """What is a record of fact, which only the company can correct (C13)."""

    ORDER = "ORDER"
    COMMUNICATION = "COMMUNICATION"
    INTERACTION = "INTERACTION"
    MEMBER_NUMBER = "MEMBER_NUMBER"


class RequestStatus(StrEnum):
    """OPEN: waits. IN_PROGRESS: an officer works on it. DONE, DECLINED, CANCELLED: over, with an outcome."""

    OPEN = "OPEN"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"


class RequestRecord(Table, table=True):
    """A request that somebody works off (C12, C13, C15), or that comes due: an erasure.

    `member_id` is null when a visitor wrote, who is answered at `reply_to`. `due_at`: when an answer is
    owed, or when the erasure happens. `target_kind` is a `CorrectionTarget`; of an erasure, the status that
    the member had before. `recipient`: the public key (age) that an archive is to be encrypted to.
    """

    __tablename__ = "member_request"

    id: UUID = row_id()
    member_id: UUID | None = member_key(nullable=True)
    kind: str = column(DataCategory.PRIVATE_CONTENT, Text)
    status: str = column(DataCategory.PRIVATE_CONTENT, Text)
    subject: str = column(DataCategory.PRIVATE_CONTENT, Text)
    body: str = column(DataCategory.PRIVATE_CONTENT, Text)
    target_kind: str | None = column(DataCategory.PRIVATE_CONTENT, Text, nullable=True)
    target_id: UUID | None = column(DataCategory.PRIVATE_CONTENT, nullable=True)
    reply_to: str | None = column(DataCategory.EMAIL, Text, nullable=True)
    recipient: str | None = column(DataCategory.PRIVATE_CONTENT, Text, nullable=True)
    outcome: str | None = column(DataCategory.PRIVATE_CONTENT, Text, nullable=True)
    opened_at: datetime = instant(DataCategory.PRIVATE_CONTENT)
    due_at: datetime = instant(DataCategory.PRIVATE_CONTENT, index=True)
    closed_at: datetime | None = instant(DataCategory.PRIVATE_CONTENT, nullable=True)

    __table_args__ = (
        CheckConstraint("kind IN ('CORRECTION', 'ACCESS', 'CONTACT', 'ERASURE')", name="kind"),
        CheckConstraint("status IN ('OPEN', 'IN_PROGRESS', 'DONE', 'DECLINED', 'CANCELLED')", name="status"),
        Index(
            "uq_member_request_erasure",
            "member_id",
            unique=True,
            postgresql_where=text("kind = 'ERASURE' AND status = 'OPEN'"),
        ),
        Index(
            "ix_member_request_reply_to_lower",
            func.lower(text("reply_to")),
            postgresql_where=text("reply_to IS NOT NULL"),
        ),
    )
