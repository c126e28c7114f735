"""A confirmed registration takes over the invitation of the same person, whose data came by import.

She shows by the link that the address is hers. Who she is (number, date of joining) and her history become
the new member's, who stated everything else anew; the invited row goes, with what the vault has of it.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from asyncpg import Record

from resolvers.commands.member_secrets import move_billing_secrets, remove_member_secrets
from resolvers.context import Work
from schema.ids import new_id
from schema.tables import Table

MOVED: Final = (
    "UPDATE cart SET member_id = $2 WHERE member_id = $1",
    "UPDATE customer_order SET member_id = $2 WHERE member_id = $1",
    "UPDATE interaction SET member_id = $2 WHERE member_id = $1",
    "UPDATE visit SET member_id = $2 WHERE member_id = $1",
    "UPDATE communication SET member_id = $2 WHERE member_id = $1",
    "UPDATE member_request SET member_id = $2 WHERE member_id = $1",
    "UPDATE legal_case_member SET member_id = $2 WHERE member_id = $1",
)
"""What the heir has as it stands. Addresses and telephone numbers were stated anew."""

COPIED: Final = ", ".join(
    column.name
    for column in Table.metadata.tables["choice"].columns
    if column.name not in ("id", "member_id")
)
"""Every column of a choice but its id and its member."""


async def inherit(work: Work, invited: Record, heir: Record) -> dict[str, Any]:
    """Move what `invited` has to `heir`, and remove the row; both are locked.

    What is returned is to be written to the heir: what she did not state, and of two birth dates the later.
    """
    ends = (invited["id"], heir["id"])
    for statement in MOVED:
        await work.connection.execute(statement, *ends)
    await _move_methods(work, *ends)
    await _copy_choices(work, *ends)
    await remove_member_secrets(work.connection, [invited["id"]])
    await work.connection.execute("DELETE FROM member WHERE id = $1", invited["id"])
    await work.connection.execute(
        "UPDATE member SET number = $2, joined_at = $3 WHERE id = $1",
        heir["id"],
        invited["number"],
        invited["joined_at"],
    )
    birth_dates = (invited["birth_date"], heir["birth_date"])
    values = {
        # Of two dates the later one, by which she is younger: in doubt she is protected (C17).
        "birth_date": max((day for day in birth_dates if day is not None), default=None),
        "username": heir["username"] or invited["username"],
        "interests": heir["interests"] or invited["interests"],
        "purchase_categories": invited["purchase_categories"],
    }
    return {name: value for name, value in values.items() if value != heir[name]}


async def _move_methods(work: Work, invited: UUID, heir: UUID) -> None:
    """Move the billing methods that the heir has not stated herself, with their tokens."""
    rows = await work.connection.fetch(
        "UPDATE billing_method moved SET member_id = $2 WHERE member_id = $1 AND NOT EXISTS ("
        " SELECT FROM billing_method own WHERE own.member_id = $2 AND own.brand = moved.brand"
        " AND own.last_four = moved.last_four) RETURNING id",
        invited,
        heir,
    )
    await move_billing_secrets(work.connection, [row["id"] for row in rows], owner=invited, heir=heir)


async def _copy_choices(work: Work, invited: UUID, heir: UUID) -> None:
    """Copy the ledger, dates and sources as they are (C11): its rows can be changed by nobody."""
    count = await work.connection.fetchval("SELECT count(*) FROM choice WHERE member_id = $1", invited)
    await work.connection.execute(
        f"INSERT INTO choice (id, member_id, {COPIED}) SELECT fresh.id, $2, {COPIED}"
        " FROM (SELECT *, row_number() OVER (ORDER BY id) AS place FROM choice WHERE member_id = $1) ledger"
        " JOIN unnest($3::uuid[]) WITH ORDINALITY AS fresh (id, place) ON fresh.place = ledger.place",
        invited,
        heir,
        [new_id() for _ in range(count)],
    )
