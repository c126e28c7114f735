"""Least data: what an agreement grants against what its partner actually fetched, by the disclosure log.

A category is in a record when the answer held it or a filter compared it. What was granted and never fetched
is proposed to be taken back; of a key that covers others, what was fetched below it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from resolvers.commands.grounds import Ground, read_grounds
from resolvers.connection import Link
from schema.categories import DataCategory
from schema.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Use:
    """A granted category, why it was granted, and how it was used since the report's first day."""

    ground: Ground
    responses: int
    last_at: datetime | None
    fetched: tuple[DataCategory, ...]
    """The categories in the records that this key covers, the key itself among them if it was."""


async def report_use(connection: Link, agreement_id: UUID, since: datetime) -> Sequence[Use]:
    """The use of each category that the agreement names, by category.

    Raises:
        NotFoundError: there is no such agreement.
    """
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM agreement WHERE id = $1)", agreement_id):
        raise NotFoundError("there is no such agreement: see `gateway agreement list`")
    uses = []
    for ground in await read_grounds(connection, agreement_id):
        (row,) = await connection.fetch(
            "SELECT count(DISTINCT id) AS responses, max(recorded_at) AS last_at,"
            " coalesce(array_agg(DISTINCT category), '{}') AS fetched"
            " FROM disclosure CROSS JOIN unnest(categories) AS category"
            " WHERE partner_id = (SELECT partner_id FROM agreement WHERE id = $1) AND agreement_id = $1"
            " AND recorded_at >= $2 AND (category = $3 OR starts_with(category, $3 || '.'))",
            agreement_id,
            since,
            ground.category.value,
        )
        fetched = tuple(sorted(DataCategory(key) for key in row["fetched"]))
        uses.append(Use(ground, row["responses"], row["last_at"], fetched))
    return uses
