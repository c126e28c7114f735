"""The terms of agreements about aggregates, as they are stored."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.aggregate_agreement import AggregateTerms
from policies.privacy_budget import Thousandths
from resolvers.connection import Link
from schema.categories import Purpose
from schema.vocabulary import AgreementStatus, AudienceDimension

COLUMNS: Final = (
    "g.id, g.partner_id, g.purpose, g.dimensions, g.budget, g.valid_from, g.valid_until, g.status, g.version"
)


def terms_of(row: Record) -> AggregateTerms:
    """The terms in a row of `COLUMNS`."""
    return AggregateTerms(
        row["id"],
        row["partner_id"],
        Purpose(row["purpose"]),
        frozenset(AudienceDimension(word) for word in row["dimensions"]),
        Thousandths(row["budget"]),
        row["valid_from"],
        row["valid_until"],
        AgreementStatus(row["status"]),
        row["version"],
    )


async def read_terms(connection: Link, agreement_id: UUID, *, lock: bool = False) -> AggregateTerms | None:
    """The terms of that agreement, or None; with `lock` nobody changes them before the caller's commit."""
    row = await connection.fetchrow(_LOCKED if lock else _READ, agreement_id)
    return None if row is None else terms_of(row)


_READ: Final = f"SELECT {COLUMNS} FROM aggregate_agreement g WHERE g.id = $1"
_LOCKED: Final = f"{_READ} FOR SHARE"
