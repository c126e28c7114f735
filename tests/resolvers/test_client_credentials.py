from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.database import Database
from resolvers.client_credentials import use_once
from resolvers.commands.upkeep import KEEP_USED, remove_old

NOW = datetime.now(UTC)


@pytest.mark.parametrize("durable", [True, False])
async def test_of_many_at_the_same_time_one_is_the_first(database: Database, *, durable: bool) -> None:
    async def use() -> bool:
        async with database.connection() as connection:
            return await use_once(connection, "assertion acme", "j", NOW, durable=durable)

    assert sorted(await asyncio.gather(*(use() for _ in range(8)))) == [False] * 7 + [True]


async def test_each_maker_has_ids_of_its_own(database: Database) -> None:
    async with database.connection() as connection:
        pairs = [("assertion a", "b"), ("assertion a b", ""), ("assertion", "a b"), ("proof a", "b")]
        first = [await use_once(connection, maker, jti, NOW, durable=True) for maker, jti in pairs]
    assert first == [True] * 4


@pytest.mark.parametrize(("durable", "expected"), [(True, "on"), (False, "off")])
async def test_only_what_is_durable_waits_for_the_disk_and_no_other_statement_is_changed(
    database: Database, expected: str, *, durable: bool
) -> None:
    async with database.app.acquire() as connection:
        before = await connection.fetchval("SHOW synchronous_commit")
        async with connection.transaction():
            await use_once(connection, "m", "j", NOW, durable=durable)
            assert await connection.fetchval("SHOW synchronous_commit") == expected
        assert await connection.fetchval("SHOW synchronous_commit") == before


async def test_what_has_expired_is_removed_and_nothing_else(database: Database) -> None:
    async with database.transaction() as connection:
        await use_once(connection, "m", "old", NOW - KEEP_USED - timedelta(seconds=1), durable=True)
        await use_once(connection, "m", "young", NOW - KEEP_USED + timedelta(seconds=1), durable=True)
        await remove_old(connection, NOW)
        assert await connection.fetchval("SELECT count(*) FROM used_jti") == 1
        assert not await use_once(connection, "m", "young", NOW, durable=True)
