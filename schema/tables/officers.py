"""Officers, their sessions, and what they did: one line an action, never changed and never removed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Identity, Index, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, row_id

_OPS = DataCategory.OPERATIONS


class OfficerStatus(StrEnum):
    """Where an officer's account stands."""

    INVITED = "INVITED"
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class OfficerAccount(Table, table=True):
    """Somebody on the staff who may sign in to the officer's contract.

    `factor` names the second factor: its secret follows from this id and the key of the installation, and
    stands nowhere. A new one is a new enrolment, which works once until `enrolment_until`. `last_step` is the
    newest time step whose code was used: none is used twice.
    """

    __tablename__ = "officer"

    id: UUID = row_id()
    name: str = column(_OPS, Text, unique=True)
    display_name: str = column(_OPS, Text)
    roles: list[str] = column(_OPS, ARRAY(Text))
    status: str = column(_OPS, Text)
    created_at: datetime = instant(_OPS)
    factor: UUID = column(_OPS)
    enrolment_until: datetime | None = instant(_OPS, nullable=True)
    last_step: int = column(_OPS, BigInteger, server_default="0")

    __table_args__ = (
        CheckConstraint("name ~ '^[a-z][a-z0-9._-]{0,39}$'", name="name"),
        CheckConstraint("status IN ('INVITED', 'ACTIVE', 'DISABLED')", name="status"),
        CheckConstraint(
            "roles <@ ARRAY['PRIVACY_OFFICER', 'SUPPORT', 'AUDITOR'] AND cardinality(roles) > 0", name="roles"
        ),
    )


class OfficerSession(Table, table=True):
    """One sign-in of an officer. `generation` counts the refresh tokens that were given out for it."""

    __tablename__ = "officer_session"

    id: UUID = row_id()
    officer_id: UUID = column(_OPS, foreign_key="officer.id", index=True)
    created_at: datetime = instant(_OPS)
    expires_at: datetime = instant(_OPS, index=True)
    ended_at: datetime | None = instant(_OPS, nullable=True)
    generation: int = column(_OPS, Integer)
    rotated_at: datetime = instant(_OPS)


class OfficerAction(Table, table=True):
    """One action of an officer, committed with what it did.

    `act` is a word of `policies.officers.Act`, `about` what it was done to: a noun and its name or id
    (`agreement 0190...`), never a person's data. A member is named by `member_log_id` (`member.log_id`), a
    random id that stands nowhere else once she has been erased; so an erasure changes no line. `reason` was
    checked for telephone numbers (R1). `told`: the member that it is about reads of it.
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
    told: bool = column(_OPS, Boolean, server_default="false")

    __table_args__ = (
        CheckConstraint("channel IN ('COMMAND_LINE', 'CONTRACT')", name="channel"),
        Index("ix_officer_action_done_at", "done_at"),
        Index("ix_officer_action_officer_done_at", "officer", "done_at"),
        Index("ix_officer_action_member_log_id", "member_log_id"),
    )
