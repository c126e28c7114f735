"""Activation, suspension and end of an agreement over all members, and who waits for it meanwhile.

    python -m benchmarks.agreements [MEMBERS]

A partner counts its members again and again, and a member's choice is decided again and again.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from benchmarks.scratch import scratch
from gateway.app import Product
from gateway.database import Database
from gateway.demo import PARTNERS
from gateway.event_loop import run
from resolvers.commands.opening import activate_agreement
from resolvers.commands.partners import create_agreement
from resolvers.commands.stopping import stop_agreement
from resolvers.shares import ShareChanges, refresh_shares
from schema.vocabulary import AgreementStatus

MEMBERS = 100_000

SEEN = (
    "SELECT count(*) FROM share JOIN agreement ON agreement.id = agreement_id"
    " WHERE agreement_id = $1 AND status = 'ACTIVE'"
)


async def again_and_again(act: Callable[[], Awaitable[Any]], over: asyncio.Event) -> tuple[float, list[Any]]:
    """Until it is over: the longest that it took, and what it gave."""
    longest, found = 0.0, []
    while not over.is_set():
        began = time.perf_counter()
        found.append(await act())
        longest = max(longest, time.perf_counter() - began)
        await asyncio.sleep(0.01)
    return longest, found


async def measured(
    name: str, work: Awaitable[ShareChanges], database: Database, product: Product, agreement_id: UUID
) -> None:
    """Do it, and print how long it took and whom it kept waiting."""
    someone = await database.app.fetchval("SELECT id FROM member WHERE status = 'ACTIVE' ORDER BY id LIMIT 1")

    async def read() -> int:
        async with database.reader.acquire() as connection:
            count: int = await connection.fetchval(SEEN, agreement_id)
        return count

    async def choose() -> None:
        async with database.transaction() as link:
            await refresh_shares(link, product.matrix, now=datetime.now(UTC), members=[someone])

    over = asyncio.Event()
    reading = asyncio.create_task(again_and_again(read, over))
    choosing = asyncio.create_task(again_and_again(choose, over))
    began = time.perf_counter()
    changes = await work
    elapsed = time.perf_counter() - began
    over.set()
    (longest_read, seen), (longest_choice, choices) = await reading, await choosing
    print(
        f"{name:<12} {elapsed:5.2f} s, {changes.opened + changes.withdrawn:,} members; reads saw"
        f" {sorted(set(seen))}, longest {longest_read * 1000:.0f} ms; a member's command,"
        f" {len(choices)} times, longest {longest_choice * 1000:.0f} ms"
    )


async def main(members: int) -> None:
    """Measure one after the other."""

    def clock() -> datetime:
        return datetime.now(UTC)

    async with scratch(members) as (_, _, database, product):
        partner = PARTNERS[0]
        async with database.transaction() as link:
            agreement_id, _ = await create_agreement(
                link,
                product.matrix,
                partner=partner.name,
                basis=partner.basis,
                purpose=partner.purpose,
                categories=partner.categories,
                valid_from=clock(),
                valid_until=None,
                status=AgreementStatus.DRAFT,
                now=clock(),
                reasons=dict.fromkeys(partner.categories, "to measure"),
                officer="benchmark",
            )
        parts = (database.transaction, product.matrix)

        def stop(status: AgreementStatus) -> Awaitable[ShareChanges]:
            return stop_agreement(*parts, agreement_id=agreement_id, status=status, clock=clock)

        def activate() -> Awaitable[ShareChanges]:
            return activate_agreement(*parts, agreement_id=agreement_id, clock=clock)

        where = (database, product, agreement_id)
        await measured("activation", activate(), *where)
        await measured("suspension", stop(AgreementStatus.SUSPENDED), *where)
        await measured("lifting", activate(), *where)
        await measured("end", stop(AgreementStatus.ENDED), *where)


if __name__ == "__main__":
    run(main(int(sys.argv[1]) if sys.argv[1:] else MEMBERS))
