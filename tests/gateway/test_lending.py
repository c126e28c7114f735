"""Connections lent for single reads, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from gateway.database import READER, Database
from gateway.lending import Lender
from schema.errors import GatewayError, UnavailableError

MOST = 2


@pytest.fixture
async def reads(database: Database) -> AsyncIterator[Lender]:
    lending = Lender(database.reader, MOST)
    yield lending
    await lending.close()


async def pid(reads: Lender) -> int:
    ((found,),) = await reads.fetch("SELECT pg_backend_pid()", ())
    return int(found)


async def test_one_connection_serves_one_after_the_other(reads: Lender) -> None:
    assert len({await pid(reads) for _ in range(5)}) == 1


async def test_never_more_connections_than_it_may_hold_and_everybody_is_served(reads: Lender) -> None:
    slow = "SELECT pg_backend_pid() FROM pg_sleep(0.02)"
    answers = await asyncio.gather(*(reads.fetch(slow, ()) for _ in range(12)))
    assert len({rows[0][0] for rows in answers}) == MOST


async def test_a_refused_statement_is_our_error_and_costs_no_connection(reads: Lender) -> None:
    before = await pid(reads)
    for _ in range(3 * MOST):
        with pytest.raises(GatewayError) as caught:
            await reads.fetch("SELECT $1::text::int", ("not-a-number",))
        assert "not-a-number" not in f"{caught.value} {caught.value.__cause__}"
    assert await pid(reads) == before


async def test_who_leaves_in_the_middle_of_an_answer_leaves_a_sound_connection(reads: Lender) -> None:
    for _ in range(3 * MOST):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await reads.fetch("SELECT pg_sleep(5)", ())
    async with asyncio.timeout(2):
        assert await reads.fetch("SELECT $1::int", (7,)) == [(7,)]


async def test_who_leaves_the_queue_keeps_nobody_waiting(reads: Lender) -> None:
    busy = [asyncio.create_task(reads.fetch("SELECT 1 FROM pg_sleep(0.1)", ())) for _ in range(MOST)]
    await asyncio.sleep(0.02)
    leaving = [asyncio.create_task(reads.fetch("SELECT 2", ())) for _ in range(5)]
    staying = asyncio.create_task(reads.fetch("SELECT 3", ()))
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    async with asyncio.timeout(2):
        assert await staying == [(3,)]
    await asyncio.gather(*busy)


async def test_who_leaves_just_when_her_turn_comes_passes_it_on(reads: Lender) -> None:
    for _ in range(20):
        busy = [asyncio.create_task(reads.fetch("SELECT 1 FROM pg_sleep(0.01)", ())) for _ in range(MOST)]
        await asyncio.sleep(0)
        leaving = [asyncio.create_task(reads.fetch("SELECT 2", ())) for _ in range(MOST)]
        staying = asyncio.create_task(reads.fetch("SELECT 3", ()))
        await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
        for task in leaving:
            task.cancel()
        async with asyncio.timeout(2):
            assert await staying == [(3,)]
            await asyncio.gather(*busy)


async def test_a_connection_that_the_server_has_ended_is_replaced(database: Database, reads: Lender) -> None:
    before = await pid(reads)
    owner = await asyncpg.connect(database.url)
    try:
        assert await owner.fetchval("SELECT pg_terminate_backend($1, 5000)", before)
    finally:
        await owner.close()
    after = None
    for _ in range(MOST + 1):  # one request may find out that the connection is gone
        try:
            after = await pid(reads)
            break
        except UnavailableError:
            continue
    assert after not in {None, before}


async def test_several_statements_of_one_connection(reads: Lender) -> None:
    async with reads.acquire() as connection:
        assert await connection.fetchval("SELECT session_user") == READER
        assert await connection.fetchval("SELECT 1") == 1
    assert await pid(reads)


async def test_after_closing_a_read_still_works_and_nothing_is_kept(
    database: Database, reads: Lender
) -> None:
    await pid(reads)
    await reads.close()
    assert await reads.fetch("SELECT 1", ()) == [(1,)]
    await reads.close()
    assert database.reader.get_idle_size() == database.reader.get_size()
