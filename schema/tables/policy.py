"""The policies that were published, and how far the mail about notices has got."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, row_id

_OPS = DataCategory.OPERATIONS


class PolicyVersion(Table, table=True):
    """One publication, never changed. The latest says what decides from then on (C16).

    `files` are the texts of the policy by their names. `steps` say at which moment which versions decide
    together, and which would without this one (`policies.versions`). `published_by` is the officer, `reason`
    why, where one was given (checked for telephone numbers, R1). Which step is applied to the rows of `share`
    says `applied_policy`.
    """

    __tablename__ = "policy_version"

    number: int = column(_OPS, Integer, primary_key=True)
    digest: str = column(_OPS, Text)
    title: str = column(_OPS, Text)
    files: dict[str, str] = column(_OPS, JSONB)
    published_at: datetime = instant(_OPS)
    published_by: str = column(_OPS, Text)
    effective_at: datetime = instant(_OPS)
    notice_days: int = column(_OPS, Integer)
    steps: dict[str, Any] = column(_OPS, JSONB)
    rolled_back_to: int | None = column(
        _OPS,
        Integer,
        foreign_key="policy_version.number",
        nullable=True,
        on_delete="RESTRICT",
        index=True,
    )
    reason: str | None = column(_OPS, Text, nullable=True)

    __table_args__ = (CheckConstraint("notice_days >= 0", name="notice_days"),)


class NoticeMailing(Table, table=True):
    """How far the members have been put into the outbox about some notices: in the order of their ids.

    Those notices name it. `kind` is the letter, `reached` the last member. A row without `finished_at` is
    gone on with.
    """

    __tablename__ = "notice_mailing"

    id: UUID = row_id()
    kind: str = column(_OPS, Text)
    reached: UUID = column(_OPS)
    queued: int = column(_OPS, Integer)
    finished_at: datetime | None = instant(_OPS, nullable=True)
