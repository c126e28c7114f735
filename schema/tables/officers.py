"""What officers did: one line an action, never changed and never removed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant

_OPS = DataCategory.OPERATIONS


class OfficerAction(Table, table=True):
    """One action of an officer, committed with what it did.

    `act` is a word of `policies.officers.Act`, `about` what it was done to: a noun and its name or id
    (`agreement 0190...`), never a person's data. A member is named by `member_log_id` (`member.log_id`), a
    random id that stands nowhere else once she has been erased; so an erasure changes no line. `reason` was
    checked for telephone numbers (R1).
    """

    __tablename__ = "officer_action"

    seq: int = column(_OPS, BigInteger, primary_key=True, sa_column_args=(Identity(always=True),))
    done_at: datetime = instant(_OPS)
    officer: str = column(_OPS, Text)
    roles: list[str] = column(_OPS, ARRAY(Text))
    channel: str = column(_OPS, Text)
    act: str = column(_OPS, Text)
    about: str = column(_OPS, Text)
    reason: str | None = column(_OPS, Text, nullable=True)
    member_log_id: UUID | None = column(DataCategory.PSEUDONYM, nullable=True)

    __table_args__ = (
        CheckConstraint("channel IN ('COMMAND_LINE', 'CONTRACT')", name="channel"),
        Index("ix_officer_action_done_at", "done_at"),
        Index("ix_officer_action_officer_done_at", "officer", "done_at"),
        Index("ix_officer_action_member_log_id", "member_log_id"),
    )
