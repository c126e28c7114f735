"""What the demonstration needs of the data: members who asked one partner for something, and one to show."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from policies.matrix import Matrix
from resolvers.commands.member_requests import LONGEST
from resolvers.connection import Link
from resolvers.shares import refresh_shares
from schema.categories import Basis, Purpose
from schema.ids import new_id
from schema.tables.member import MemberStatus
from schema.vocabulary import ChoiceSource, Direction

ASKING: Final = 40
"""Members who ask the partner to be given their data (C8 d)."""


async def ask_partner_to_share(connection: Link, matrix: Matrix, partner_id: UUID, *, now: datetime) -> None:
    """Enter a request of some members, to this one company, in the ledger of choices, unless one lasts."""
    if await connection.fetchval(
        "SELECT EXISTS (SELECT FROM choice WHERE partner_id = $1 AND ends_at > $2)", partner_id, now
    ):
        return
    rows = await connection.fetch(
        "SELECT id FROM member WHERE status = $1 ORDER BY id LIMIT $2", MemberStatus.ACTIVE.value, ASKING
    )
    members = [row["id"] for row in rows]
    await connection.executemany(
        "INSERT INTO choice (id, member_id, requested_at, received_at, direction, source, partner_id,"
        " purpose, basis, ends_at) VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9)",
        [
            (
                new_id(),
                member,
                now,
                Direction.IN.value,
                ChoiceSource.PROFILE_PAGE.value,
                partner_id,
                Purpose.MEMBER_ASKED.value,
                Basis.MEMBER_REQUEST.value,
                now + LONGEST,
            )
            for member in members
        ],
    )
    await refresh_shares(connection, matrix, now=now, members=members)


async def typical_member(connection: Link) -> UUID | None:
    """An active member whom most partners may see something of; None if there is no member."""
    found: UUID | None = await connection.fetchval(
        "SELECT m.id FROM member m WHERE m.status = $1"
        " ORDER BY (SELECT count(*) FROM share s WHERE s.member_id = m.id) DESC,"
        " (SELECT count(*) FROM customer_order o WHERE o.member_id = m.id) DESC, m.id LIMIT 1",
        MemberStatus.ACTIVE.value,
    )
    return found
