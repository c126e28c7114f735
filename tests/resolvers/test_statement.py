"""Which plans PostgreSQL chooses for our statements, at a size where a bad one would hurt."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from gateway.app import Product
from gateway.database import Database
from gateway.keys import Keyring
from gateway.settings import Settings
from resolvers.means import Means
from resolvers.shares import refresh_shares
from tests import world
from tests.asking import Asking
from tests.running import MakeDatabase

MANY = 20_000

PAGES = {
    "page": "{ members(first: 50) { edges { node { id name email ageBand address { city } } } } }",
    "next page": (
        "query($after: String) { members(first: 50, after: $after)"
        " { edges { node { id name } } pageInfo { endCursor } } }"
    ),
    "lookup": "query($id: ID!) { member(id: $id) { id name email address { city } } }",
}


@pytest.fixture(scope="module")
async def crowded(
    make_database: MakeDatabase, world_template: str, product: Product
) -> AsyncIterator[Database]:
    """The world, and twenty thousand more who share everything."""
    async with make_database(template=world_template) as database:
        async with database.transaction() as connection:
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute(
                "INSERT INTO member (id, number, status, given_name, family_name, email, birth_date, region,"
                " interests, purchase_categories, joined_at, updated_at, version)"
                " SELECT gen_random_uuid(), 'X-' || n, 'ACTIVE', 'Given', 'Family', n || '@example.org',"
                " '1980-01-01', 'US-CA', '{}', '{}', now(), now(), 1 FROM generate_series(1, $1::int) n",
                MANY,
            )
            await connection.execute(
                "INSERT INTO postal_address (id, member_id, kind, is_primary, line1, city, country,"
                " created_at)"
                " SELECT gen_random_uuid(), id, 'HOME', true, 'Street 1', 'City', 'US', now()"
                " FROM member WHERE number LIKE 'X-%'"
            )
            await refresh_shares(connection, product.matrix, now=world.NOW)
        yield database


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def plan_of(database: Database, sql: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
    """The plan that serves every value: the one that requests get."""
    values = ", ".join(f"'{value}'" for value in parameters)
    async with database.reader.acquire() as connection:
        await connection.execute(f"PREPARE asked AS {sql}")
        found = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked({values})")
        await connection.execute("DEALLOCATE asked")
    return list(nodes(json.loads(found)[0]["Plan"]))


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("statistics", ["without statistics", "analysed"])
async def test_pages_and_lookups_never_walk_all_members(
    crowded: Database,
    product: Product,
    keys: Keyring,
    settings: Settings,
    means: Means,
    kind: str,
    statistics: str,
) -> None:
    if statistics == "analysed":
        owner = await asyncpg.connect(crowded.url)
        await owner.execute("ANALYZE member, share, postal_address")
        await owner.close()
    asking = Asking(product, crowded, keys, settings, means, world.NOW)
    acme = world.CALLERS["acme"].principal
    first = await asking.ask(acme, PAGES["next page"])
    page = first.data["members"]
    variables = {
        "next page": {"after": page["pageInfo"]["endCursor"]},
        "lookup": {"id": page["edges"][7]["node"]["id"]},
    }
    reply = await asking.ask(acme, PAGES[kind], variables.get(kind))
    assert len(reply.statements) == 1
    for node in await plan_of(crowded, *reply.statements[0]):
        assert node["Node Type"] != "Seq Scan" or node["Relation Name"] == "agreement"
        if node.get("Relation Name") in {"member", "share", "postal_address"}:
            assert node["Actual Rows"] * node["Actual Loops"] <= 60
