"""Suspends or ends an agreement over any number of members, without keeping them or any reader waiting.

1. its status changes, in one short step that every replica hears of. Reads ask for it, so observers see all
   members before it and none after it;
2. the members' shares are withdrawn by chunks, each a transaction of its own that lets others work: told in
   the feed, and, if it has ended, owed (`resolvers.share_rows`).

What stops half way leaves shares that nobody reads. The same command goes on, and so does upkeep.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from policies.matrix import Matrix
from resolvers.commands.partners import lock_agreement, set_agreement_status
from resolvers.connection import Link, Transactions
from resolvers.deletions import owe_what_was_suspended
from resolvers.shares import ShareChanges, refresh_shares, take_turn
from schema.vocabulary import AgreementStatus

_EXPIRED: Final = (
    "SELECT id, suspended_at, suspended_after FROM agreement"
    " WHERE status = 'SUSPENDED' AND NOT opening AND suspended_at IS NOT NULL AND valid_until <= $1"
    " AND NOT EXISTS (SELECT FROM share WHERE share.agreement_id = agreement.id) ORDER BY id"
)

_UNREAD: Final = frozenset({AgreementStatus.DRAFT.value, AgreementStatus.SUSPENDED.value})

CHUNK: Final = 2_000
"""Members of a transaction: while it lasts, about a tenth of a second, changes of just these members wait."""


async def stop_agreement(
    transactions: Transactions,
    matrix: Matrix,
    *,
    agreement_id: UUID,
    status: AgreementStatus,
    clock: Callable[[], datetime],
    on_progress: Callable[[float], None] = lambda _: None,
) -> ShareChanges:
    """Suspend or end it; `on_progress` is told which part of its members is withdrawn.

    Raises:
        InputError: it has ended, which is for good.
        NotFoundError: there is no such agreement.
    """
    result = ShareChanges()
    async with transactions() as connection:
        await take_turn(connection, alone=True)
        before = await lock_agreement(connection, agreement_id)
        unread = before["status"] in _UNREAD
        if unread:
            await connection.execute("UPDATE agreement SET opening = false WHERE id = $1", agreement_id)
    if unread:  # what was only prepared is not owed: nobody has read it
        result.add(await _withdraw(transactions, matrix, agreement_id, clock))
    async with transactions() as connection:  # 1
        await set_agreement_status(
            connection, matrix, agreement_id=agreement_id, status=status, now=clock(), decide=False
        )
    result.add(await _withdraw(transactions, matrix, agreement_id, clock, on_progress))  # 2
    return result


async def _withdraw(
    transactions: Transactions,
    matrix: Matrix,
    agreement_id: UUID,
    clock: Callable[[], datetime],
    on_progress: Callable[[float], None] = lambda _: None,
) -> ShareChanges:
    """Decide again for whoever is shared under it, by chunks."""
    async with transactions() as connection:
        total = await connection.fetchval("SELECT count(*) FROM share WHERE agreement_id = $1", agreement_id)
    result = ShareChanges()
    last = UUID(int=0)
    done = 0
    while True:
        async with transactions() as connection:
            await take_turn(connection)
            rows = await connection.fetch(
                "SELECT subject, member_id FROM share WHERE agreement_id = $1 AND subject > $2"
                " ORDER BY subject LIMIT $3",
                agreement_id,
                last,
                CHUNK,
            )
            if not rows:
                return result
            members = [row["member_id"] for row in rows]
            result.add(
                await refresh_shares(connection, matrix, now=clock(), members=members, under=agreement_id)
            )
        last = rows[-1]["subject"]
        done += len(rows)
        on_progress(min(done / total, 1) if total else 1)


async def withdraw_ended(
    transactions: Transactions, matrix: Matrix, clock: Callable[[], datetime]
) -> ShareChanges:
    """Withdraw what agreements still share that do not count any more. For upkeep.

    Their end has passed, or the command that suspended or ended them did not get to its own.
    """
    result = ShareChanges()
    async with transactions() as connection:
        rows = await connection.fetch(
            "SELECT id FROM agreement WHERE NOT opening AND (status <> 'ACTIVE' OR valid_until <= $1)"
            " AND EXISTS (SELECT FROM share WHERE share.agreement_id = agreement.id) ORDER BY id",
            clock(),
        )
    for row in rows:
        result.add(await _withdraw(transactions, matrix, row["id"], clock))
    return result


async def owe_expired(connection: Link, now: datetime) -> int:
    """Let be owed what was suspended under agreements whose end has passed; return how many there were.

    One transaction, the caller's. They can be lifted no more, unless an officer moves their end: what is
    shared then is not owed any more.
    """
    if not await connection.fetch(_EXPIRED, now):
        return 0
    await take_turn(connection, alone=True)
    rows = await connection.fetch(f"{_EXPIRED} FOR NO KEY UPDATE", now)
    for row in rows:
        await owe_what_was_suspended(
            connection, row["id"], since=row["suspended_at"], after=row["suspended_after"], now=now
        )
        await connection.execute("UPDATE agreement SET suspended_at = NULL WHERE id = $1", row["id"])
    return len(rows)
