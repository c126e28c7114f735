"""What partners have to delete, who is late, and their word that it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.officers import Act, shown_bases
from resolvers.commands import deletions
from resolvers.commands.deletions import Confirmed, Obligation
from resolvers.commands.partners import list_partners
from resolvers.desk import Desk
from resolvers.statements import ReadStatement

MOST: Final = 100_000
"""Lines of one list."""


async def list_obligations(
    desk: Desk,
    partner: str,
    *,
    confirmed: bool,
    after: tuple[datetime, UUID] | None = None,
    limit: int = MOST,
) -> Sequence[Obligation]:
    """What a partner has to delete, or has confirmed, the first due first."""
    await desk.act(Act.DELETION_READ, f"partner {partner}")
    (found,) = await list_partners(desk.connection, partner, bases=shown_bases(desk.officer))
    return await deletions.list_obligations(
        desk.connection, found.id, confirmed=confirmed, after=after, limit=limit
    )


async def overdue_deletions(desk: Desk) -> Sequence[Record]:
    """The partners that are late: `name`, `overdue`, `since`, `restriction`."""
    await desk.act(Act.DELETION_READ, "overdue")
    return await deletions.overdue_by_partner(desk.connection, desk.now)


async def confirm_deletions(desk: Desk, read: ReadStatement, text: str, client_id: str) -> Confirmed:
    """Take in a statement of a partner whose tokens work no more; it says that `client_id` signed it."""
    await desk.act(Act.DELETION_CONFIRM, f"client {client_id}")
    return await deletions.confirm_deletions(
        desk.connection,
        read,
        text,
        partner_id=await deletions.partner_of_client(desk.connection, client_id),
        client_id=client_id,
        token_id=None,
        now=desk.now,
    )


async def show_statement(desk: Desk, statement_id: UUID) -> str:
    """A statement as it was signed, for evidence."""
    await desk.act(Act.DELETION_READ, f"statement {statement_id}")
    return await deletions.show_statement(desk.connection, statement_id)
