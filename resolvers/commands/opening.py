"""Activates an agreement over any number of members, without keeping them or any reader waiting.

Deciding for 100,000 members takes seconds. A change of an agreement holds off every other change of shares,
so it must not take as long as that:

1. the agreement is marked as opening: from now on whatever decides for a member decides for it as well, as if
   it were active. Reads ask for its status, so nobody sees a row of it;
2. the members are decided by chunks, each a transaction of its own that lets others work;
3. its status becomes ACTIVE, in one short step. Observers see no member before it and all of them after it.

What stops half way leaves an agreement that shares nothing. The same command goes on; suspending or ending it
removes what was prepared.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from policies.agreement import parse_categories
from policies.matrix import Matrix
from resolvers.commands.grounds import require_grounds
from resolvers.commands.partners import lock_agreement, set_agreement_status
from resolvers.connection import Transactions
from resolvers.shares import ShareChanges, refresh_shares, take_turn
from schema.errors import InputError
from schema.vocabulary import AgreementStatus

CHUNK: Final = 2_000
"""Members of a transaction: while it lasts, about a fifth of a second, changes of just these members wait."""


async def activate_agreement(
    transactions: Transactions,
    matrix: Matrix,
    *,
    agreement_id: UUID,
    clock: Callable[[], datetime],
    on_progress: Callable[[float], None] = lambda _: None,
) -> ShareChanges:
    """Let a draft or suspended agreement count; `on_progress` is told which part of the members is decided.

    Raises:
        InputError: it has ended, which is for good; or a category has no reason or no approval.
        NotFoundError: there is no such agreement.
    """
    result = ShareChanges()
    async with transactions() as connection:  # 1
        await take_turn(connection, alone=True)
        row = await lock_agreement(connection, agreement_id)
        if row["status"] == AgreementStatus.ACTIVE:
            return result
        if row["status"] == AgreementStatus.ENDED:
            raise InputError("the agreement has ended, which is for good: create a new one")
        await require_grounds(connection, agreement_id, parse_categories(row["categories"]))
        await connection.execute("UPDATE agreement SET opening = true WHERE id = $1", agreement_id)
        total = await connection.fetchval("SELECT count(*) FROM member")
    done = 0
    last = UUID(int=0)
    while True:  # 2
        async with transactions() as connection:
            await take_turn(connection)
            members = [
                found["id"]
                for found in await connection.fetch(
                    "SELECT id FROM member WHERE id > $1 ORDER BY id LIMIT $2", last, CHUNK
                )
            ]
            if not members:
                break
            changes = await refresh_shares(
                connection, matrix, now=clock(), members=members, under=agreement_id
            )
        result.add(changes)
        done += len(members)
        on_progress(min(done / max(total, 1), 1))
        last = members[-1]
    async with transactions() as connection:  # 3
        await set_agreement_status(
            connection, matrix, agreement_id=agreement_id, status=AgreementStatus.ACTIVE, now=clock()
        )
    return result
