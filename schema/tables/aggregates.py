"""Aggregates: who may ask, what was answered, and what of the privacy budgets is spent (C5).

Nothing here is of any one member: counts are stored with their noise on, and exact ones nowhere.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, row_id

_OPS = DataCategory.OPERATIONS


class AggregateAgreement(Table, table=True):
    """That a company may ask about the audience as a whole: by what, for what, how much, and when.

    It is none of the five bases (C8): under it no datum of a member leaves. `dimensions` are words of
    `AudienceDimension`; `budget` is what may be spent in a month, in thousandths of epsilon.
    """

    __tablename__ = "aggregate_agreement"

    id: UUID = row_id()
    partner_id: UUID = column(_OPS, foreign_key="partner.id", index=True)
    purpose: str = column(_OPS, Text)
    dimensions: list[str] = column(_OPS, ARRAY(Text))
    budget: int = column(_OPS, Integer)
    valid_from: datetime = instant(_OPS)
    valid_until: datetime | None = instant(_OPS, nullable=True)
    status: str = column(_OPS, Text)
    version: int = column(_OPS, default=1)
    created_at: datetime = instant(_OPS)

    __table_args__ = (
        CheckConstraint("status IN ('ACTIVE', 'ENDED')", name="status"),
        CheckConstraint("budget BETWEEN 10 AND 10000", name="budget"),
        CheckConstraint("cardinality(dimensions) > 0", name="dimensions"),
    )


class AggregateRelease(Table, table=True):
    """One draw of noise: the answer to one question in one month, whoever asks it. Never changed.

    `digest` is that of the question, which stands in `question`; `groups` are the counts of its groups in
    their order, with noise on, null where a group is not shown; `bound` is that of one count, with 95 %
    confidence.
    """

    __tablename__ = "aggregate_release"

    id: UUID = row_id()
    period: date = column(_OPS)
    digest: bytes = column(_OPS, LargeBinary)
    question: str = column(_OPS, Text)
    epsilon: int = column(_OPS, Integer)
    released_at: datetime = instant(_OPS)
    groups: list[int | None] = column(_OPS, ARRAY(BigInteger))
    total: int | None = column(_OPS, BigInteger, nullable=True)
    bound: int = column(_OPS, Integer)

    __table_args__ = (
        CheckConstraint("epsilon > 0", name="epsilon"),
        Index("uq_aggregate_release_period_digest", "period", "digest", unique=True),
    )


class AggregateAnswer(Table, table=True):
    """That a release was given to somebody, and charged to `account`: the durable record of it.

    `account` is that of the ledger. A company's client has a `client_id` and a `token_id`, an officer a name.
    """

    __tablename__ = "aggregate_answer"

    id: UUID = row_id()
    release_id: UUID = column(_OPS, foreign_key="aggregate_release.id", index=True)
    account: str = column(_OPS, Text)
    answered_at: datetime = instant(_OPS, index=True)
    client_id: str | None = column(_OPS, Text, nullable=True)
    token_id: str | None = column(_OPS, Text, nullable=True)
    officer: str | None = column(_OPS, Text, nullable=True)

    __table_args__ = (
        CheckConstraint("num_nonnulls(client_id, officer) = 1", name="asker"),
        Index("uq_aggregate_answer_account_release_id", "account", "release_id", unique=True),
    )


class AggregateLedger(Table, table=True):
    """What an account has spent in a month, in thousandths of epsilon: it only rises.

    An account is an agreement's id, `INTERNAL` (the company's own officers) or `EVERYONE` (all that was
    released, whoever asked).
    """

    __tablename__ = "aggregate_ledger"

    period: date = column(_OPS, primary_key=True)
    account: str = column(_OPS, Text, primary_key=True)
    spent: int = column(_OPS, Integer)

    __table_args__ = (CheckConstraint("spent >= 0", name="spent"),)
