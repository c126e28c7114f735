"""The disclosure log (R2): its records, who wrote them, its checkpoints, and how a member's are found."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, Integer, LargeBinary, Text
from sqlalchemy import Uuid as SAUuid
from sqlalchemy.dialects.postgresql import ARRAY

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant

_OPS = DataCategory.OPERATIONS
_PREFERENCES = DataCategory.PRIVACY_PREFERENCES


class Disclosure(Table, table=True):
    """One response that left to a partner: who, what, whose, why (R2). Committed before the bytes go.

    `members` are the members' `log_id`s: when a member is erased, nothing tells any more whose they were,
    and no record changes. No foreign keys: a record outlives what it speaks of.

    `digest` is taken over all that stands before it and over the digest of the record before
    (`policies.disclosure_chain`). `place` is the order of the whole log, and rises with each position.
    """

    __tablename__ = "disclosure"

    id: UUID = column(_OPS)
    recorded_at: datetime = instant(_PREFERENCES)
    partner_id: UUID = column(_PREFERENCES)
    agreement_id: UUID = column(_OPS)
    client_id: str = column(_OPS, Text)
    token_id: str = column(_OPS, Text)
    operation_name: str | None = column(_OPS, Text, nullable=True)
    operation_hash: str = column(_OPS, Text)
    basis: str = column(_PREFERENCES, Text)
    purpose: str = column(_PREFERENCES, Text)
    categories: list[str] = column(_PREFERENCES, ARRAY(Text))
    members: list[UUID] = column(_OPS, ARRAY(SAUuid()))
    writer: UUID = column(_OPS)
    position: int = column(_OPS, BigInteger)
    digest: bytes = column(_OPS, LargeBinary)
    place: int = column(_OPS, BigInteger, primary_key=True, sa_column_args=(Identity(always=True),))

    __table_args__ = (
        Index("uq_disclosure_writer_position", "writer", "position", unique=True),
        Index("ix_disclosure_partner_id_recorded_at", "partner_id", "recorded_at"),
    )


class DisclosureWriter(Table, table=True):
    """Whoever wrote a chain of records: a process, from its start or from a commit of unknown outcome on."""

    __tablename__ = "disclosure_writer"

    id: UUID = column(_OPS, primary_key=True)
    started_at: datetime = instant(_OPS)


class DisclosureCheckpoint(Table, table=True):
    """The heads of all chains at one moment, signed (JWS), chained to the checkpoint before.

    What counts is in `statement`; the other columns repeat it.
    """

    __tablename__ = "disclosure_checkpoint"

    number: int = column(_OPS, BigInteger, primary_key=True, sa_column_args=(Identity(always=True),))
    made_at: datetime = instant(_OPS)
    records: int = column(_OPS, BigInteger)
    statement: str = column(_OPS, Text)


class DisclosurePart(Table, table=True):
    """A stretch of the log, from `since` to `until`, whose members are in `disclosure_of`."""

    __tablename__ = "disclosure_part"

    number: int = column(_OPS, BigInteger, primary_key=True, sa_column_args=(Identity(always=True),))
    since: int = column(_OPS, BigInteger)
    until: int = column(_OPS, BigInteger)
    level: int = column(_OPS, Integer)
    entries: int = column(_OPS, BigInteger)

    __table_args__ = (Index("uq_disclosure_part_since", "since", unique=True),)


class DisclosureOf(Table, table=True):
    """Whose records stand where in one part of the log, for the members of one bucket.

    Each of `members` has a record at the place that stands at the same index of `places`. Made from
    `disclosure` and nothing else.
    """

    __tablename__ = "disclosure_of"

    part: int = column(_OPS, BigInteger, primary_key=True)
    bucket: int = column(_OPS, Integer, primary_key=True)
    members: list[UUID] = column(_OPS, ARRAY(SAUuid()))
    places: list[int] = column(_OPS, ARRAY(BigInteger))
