"""Pools: 16 tasks that want 8 connections, each for one statement at a time.

Lent by the gateway's `Lender`, or by asyncpg's pool, which by default resets each connection that comes back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeAlias

import asyncpg

from benchmarks.choices.measuring import Alternative, Cost, Measured, Turn, measure
from benchmarks.figures import MICRO
from benchmarks.processes import processor_seconds
from gateway.database import STATEMENTS_KEPT
from gateway.lending import Lender

TASKS: Final = 16
CONNECTIONS: Final = 8
SMALLEST: Final = "SELECT $1::uuid"
PROFILE: Final = (Path(__file__).parents[1] / "statements" / "profile.sql").read_text(encoding="utf-8")

Fetch: TypeAlias = Callable[[str, Sequence[Any]], Awaitable[Any]]


def _through(pool: asyncpg.Pool[asyncpg.Record]) -> Fetch:
    async def fetch(statement: str, parameters: Sequence[Any]) -> Any:
        async with pool.acquire() as connection:
            return await connection.fetch(statement, *parameters)

    return fetch


def _turn(fetch: Fetch, statement: str, parameter: Any, uses: int, database: int) -> Turn:
    async def turn() -> Cost:
        left = iter(range(uses))

        async def task() -> None:
            for _ in left:
                await fetch(statement, (parameter,))

        before = time.process_time(), processor_seconds(database)
        await asyncio.gather(*(task() for _ in range(TASKS)))
        after = time.process_time(), processor_seconds(database)
        return Cost((after[0] - before[0]) / uses * MICRO, (after[1] - before[1]) / uses * MICRO)

    return turn


async def _no_reset(_: object) -> None:
    """Leave the session as it is."""


async def measure_pools(url: str, rounds: int, uses: int) -> Sequence[Measured]:
    """The smallest statement that there is, and that of a profile, on the database that `url` names."""
    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(
                asyncpg.create_pool(
                    url,
                    min_size=CONNECTIONS,
                    max_size=CONNECTIONS,
                    statement_cache_size=STATEMENTS_KEPT,
                    max_cached_statement_lifetime=0,
                    server_settings={"plan_cache_mode": "force_generic_plan"},
                    reset=reset,
                )
            )
            for reset in (_no_reset, _no_reset, None)
        ]
        lender = Lender(pools[0], CONNECTIONS)
        stack.push_async_callback(lender.close)
        member = await pools[1].fetchval("SELECT id FROM member ORDER BY id LIMIT 1")
        database = _parent(await pools[1].fetchval("SELECT pg_backend_pid()"))
        ways: Mapping[str, Fetch] = {
            "`gateway/lending.py`": lender.fetch,
            "asyncpg's pool, no reset": _through(pools[1]),
            "asyncpg's pool": _through(pools[2]),
        }
        return [
            await measure(
                title,
                use,
                [
                    Alternative(name, _turn(way, statement, member, uses, database), used=way == lender.fetch)
                    for name, way in ways.items()
                ],
                rounds,
            )
            for title, use, statement in (
                ("Pool: the smallest statement", "one `SELECT $1`, of 16 tasks on 8 connections", SMALLEST),
                ("Pool: a profile", "a profile's statement, of 16 tasks on 8 connections", PROFILE),
            )
        ]


def _parent(process_id: int) -> int:
    """PostgreSQL itself, which has started the process of a connection."""
    text = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    return int(text.rpartition(") ")[2].split()[1])
