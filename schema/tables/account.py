"""How members get in: sessions, links that work once, counted attempts, commands that were done already.

No secret stands here. A refresh token and the token in a link are sealed names of a row, made from the
installation's key (`resolvers.tokens`): whoever reads these tables can make neither.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, Text, func, text

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, member_key, row_id

_OPS = DataCategory.OPERATIONS


class Session(Table, table=True):
    """One sign-in of a member. `generation` counts the refresh tokens that were given out for it.

    It is over when `ended_at` is set, `expires_at` has passed, or the member has left. Each renewal puts
    `expires_at` off, but never beyond the longest life of a session.
    """

    __tablename__ = "session"

    id: UUID = row_id()
    member_id: UUID = member_key()
    created_at: datetime = instant(DataCategory.ACCOUNT)
    last_used_at: datetime = instant(DataCategory.ACCOUNT)
    expires_at: datetime = instant(DataCategory.ACCOUNT)
    ended_at: datetime | None = instant(DataCategory.ACCOUNT, nullable=True)
    ip_address: str | None = column(DataCategory.IP_ADDRESS, Text, nullable=True)
    browser: str | None = column(DataCategory.DEVICE, Text, nullable=True)
    generation: int = column(_OPS, Integer, default=0)
    rotated_at: datetime = instant(_OPS)

    __table_args__ = (Index("ix_session_over", func.least(text("ended_at"), text("expires_at"))),)


class LinkKind(StrEnum):
    """What following a mailed link does."""

    CONFIRM_REGISTRATION = "CONFIRM_REGISTRATION"
    CONFIRM_SUPERVISION = "CONFIRM_SUPERVISION"
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - a kind of link
    CONFIRM_EMAIL = "CONFIRM_EMAIL"
    CANCEL_ERASURE = "CANCEL_ERASURE"


class OneTimeLink(Table, table=True):
    """A link that was mailed. It works once, until `expires_at`.

    `new_email`: the address that it went to, for CONFIRM_EMAIL and RESET_PASSWORD.
    """

    __tablename__ = "one_time_link"

    id: UUID = row_id()
    member_id: UUID = member_key()
    kind: str = column(_OPS, Text)
    new_email: str | None = column(DataCategory.EMAIL, Text, nullable=True)
    created_at: datetime = instant(_OPS)
    expires_at: datetime = instant(_OPS, index=True)
    used_at: datetime | None = instant(_OPS, nullable=True)

    __table_args__ = (
        CheckConstraint(
            "kind IN ('CONFIRM_REGISTRATION', 'CONFIRM_SUPERVISION', 'RESET_PASSWORD', 'CONFIRM_EMAIL',"
            " 'CANCEL_ERASURE')",
            name="kind",
        ),
    )


class Attempt(Table, table=True):
    """How busy one account or address has been: a leaky bucket, kept as the moment when it is empty.

    `key` is a keyed digest of what is counted, so that the table names nobody.
    """

    __tablename__ = "attempt"

    key: bytes = column(_OPS, LargeBinary, primary_key=True)
    empty_at: datetime = instant(_OPS, index=True)


class DoneCommand(Table, table=True):
    """That a command with an `Idempotency-Key` was done: it is not done again. Kept for a day.

    `caller` is the member's id, or `visitor`. `fingerprint` is over what was asked, without sealed values.
    """

    __tablename__ = "done_command"

    caller: str = column(_OPS, Text, primary_key=True)
    key: str = column(_OPS, Text, primary_key=True)
    path: str = column(_OPS, Text, primary_key=True)
    member_id: UUID | None = member_key(nullable=True)
    fingerprint: str = column(_OPS, Text)
    done_at: datetime = instant(_OPS, index=True)
