from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.app import Product
from gateway.database import Database
from policies.principal import Visitor
from resolvers.commands.registration import admit
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from resolvers.throttle import count_attempt, forget_attempts, network_of
from schema.errors import ThrottledError
from tests import world


class Door:
    """Counts attempts on a database, at a time and from an address of its choice."""

    def __init__(self, database: Database, product: Product, means: Means) -> None:
        self.database = database
        self.matrix = product.matrix
        self.means = replace(
            means,
            rules=replace(
                means.rules,
                sign_in_attempts=3,
                sign_in_refill=timedelta(seconds=60),
                address_attempts=5,
                address_refill=timedelta(seconds=10),
            ),
        )
        self.now = world.NOW

    async def knock(self, account: str, address: str | None = None) -> int:
        """The seconds to wait; 0 if the attempt was admitted."""
        try:
            async with self.database.transaction() as connection:
                await count_attempt(self.work(connection, address), account)
        except ThrottledError as busy:
            return busy.retry_after
        return 0

    async def forget(self, account: str) -> None:
        async with self.database.transaction() as connection:
            await forget_attempts(self.work(connection, None), account)

    def work(self, connection: object, address: str | None) -> Work:
        exchange = Exchange(ip_address=address)
        return Work(connection, self.matrix, Visitor(), self.now, self.means, exchange)  # type: ignore[arg-type]


@pytest.fixture
def door(database: Database, product: Product, means: Means) -> Door:
    return Door(database, product, means)


@pytest.mark.clause("C14")
async def test_attempts_in_a_row_are_admitted_until_the_bucket_is_full(door: Door) -> None:
    assert [await door.knock("ada") for _ in range(5)] == [0, 0, 0, 60, 60]


async def test_one_more_is_admitted_each_time_one_has_leaked_out(door: Door) -> None:
    for _ in range(3):
        await door.knock("ada")
    door.now += timedelta(seconds=59.5)
    assert await door.knock("ada") == 1
    door.now += timedelta(seconds=0.5)
    assert [await door.knock("ada"), await door.knock("ada")] == [0, 60]
    door.now += timedelta(hours=1)
    assert [await door.knock("ada") for _ in range(4)] == [0, 0, 0, 60]


async def test_accounts_are_counted_apart_and_their_spellings_together(door: Door) -> None:
    assert [await door.knock(name) for name in ("ada", " ADA ", "Ada", "aDa")] == [0, 0, 0, 60]
    assert await door.knock("ben") == 0


async def test_an_address_is_counted_whatever_the_account(door: Door) -> None:
    assert [await door.knock(f"{n}", "192.0.2.1") for n in range(6)] == [0, 0, 0, 0, 0, 10]
    assert await door.knock("6", "192.0.2.2") == 0
    assert await door.knock("6") == 0


async def test_who_is_turned_away_by_one_bucket_fills_no_other(door: Door) -> None:
    for n in range(6):
        await door.knock(f"{n}", "192.0.2.1")
    await door.knock("ada", "192.0.2.1")
    assert [await door.knock("ada") for _ in range(4)] == [0, 0, 0, 60]


async def test_attempts_at_the_same_moment_are_counted_one_by_one(door: Door) -> None:
    waits = await asyncio.gather(*(door.knock("ada") for _ in range(20)))
    assert sorted(waits) == [0] * 3 + [60] * 17


async def test_who_has_come_in_starts_anew(door: Door) -> None:
    for _ in range(4):
        await door.knock("ada", "192.0.2.1")
    await door.forget("ADA")
    assert await door.knock("ada") == 0
    assert await door.knock("x", "192.0.2.1") == 0
    assert [await door.knock("y", "192.0.2.1"), await door.knock("z", "192.0.2.1")] == [0, 10]


async def test_the_table_names_nobody(door: Door) -> None:
    await door.knock("ada@example.org", "192.0.2.1")
    async with door.database.connection() as connection:
        rows = await connection.fetch("SELECT * FROM attempt")
    assert len(rows) == 2
    assert all(len(row["key"]) == 32 for row in rows)
    assert "ada" not in str(rows)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("testclient", None),
        (None, None),
    ],
)
def test_what_an_address_is_counted_by(address: str | None, network: str | None) -> None:
    assert network_of(address) == network


async def test_attempts_on_the_same_accounts_and_from_the_same_address_do_not_wait_for_each_other(
    door: Door,
) -> None:
    """Behind whoever holds the bucket of the address, each would have one account and want the other."""

    async def register(email: str, supervisor: str) -> None:
        async with door.database.transaction() as connection:
            given = {"email": email, "supervisor_email": supervisor}
            await admit(door.work(connection, "192.0.2.1"), given)

    kid, mum = "kid@example.org", "mum@example.org"
    async with door.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO attempt (key, empty_at) VALUES ($1, $2)",
            door.means.attempt_key("address 192.0.2.1"),
            door.now,
        )
        both = [asyncio.create_task(register(*pair)) for pair in ((kid, mum), (mum, kid))]
        await asyncio.sleep(0.2)
    assert await asyncio.gather(*both, return_exceptions=True) == [None, None]
    async with door.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM attempt") == 3
