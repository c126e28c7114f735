"""A member's records are found the same way however far the parts have come, and by few pages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from gateway.database import Database
from policies.principal import MemberPrincipal
from resolvers import disclosure_parts
from resolvers.disclosure_parts import make_part
from resolvers.disclosure_reading import Wanted, list_disclosures
from schema.ids import new_id
from tests import world
from tests.asking import Asking

PAGE = (
    "query($after: String) { me { disclosures(first: 7, after: $after) { totalCount"
    " pageInfo { hasNextPage endCursor } edges { node { id } } } } }"
)
ADA, BEN = world.person("ada"), world.person("ben")
INSERT = (
    "INSERT INTO disclosure (id, recorded_at, partner_id, agreement_id, client_id, token_id, operation_hash,"
    " basis, purpose, categories, members, writer, position, digest)"
    " SELECT gen_random_uuid(), $2, gen_random_uuid(), gen_random_uuid(), 'c', 't', '', 'MARKETING',"
    " 'PARTNER_EMAIL', '{user.name}', $3, $1, $4, sha256('')"
)


@pytest.fixture
async def owner(own_world: Database) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(own_world.url)
    yield connection
    await connection.close()


async def fill(owner: Any, records: int, others: int = 0) -> None:
    """Records of which Ada is in all and Ben in every 41st, among as many others."""
    random = Random(1)  # noqa: S311 - to be repeated
    rows = []
    for position in range(1, records + 1):
        members = [UUID(int=random.getrandbits(128)) for _ in range(others)] + [ADA.log_id]
        if position % 41 == 0:
            members.append(BEN.log_id)
        rows.append((UUID(int=9), datetime(2026, 8, 1, tzinfo=UTC), members, position))
    async with owner.transaction():
        await owner.executemany(INSERT, rows)


async def make_all(database: Database) -> None:
    more = True
    while more:
        async with database.transaction() as connection:
            more = await make_part(connection)


async def pages(asking: Asking, who: world.Person) -> tuple[list[str], set[int]]:
    principal, after, ids, totals = MemberPrincipal(who.id, "web", "t"), None, [], set()
    while True:
        reply = await asking.ask(principal, PAGE, {"after": after})
        found = reply.data["me"]["disclosures"]
        ids += [edge["node"]["id"] for edge in found["edges"]]
        totals.add(found["totalCount"])
        if not found["pageInfo"]["hasNextPage"]:
            return ids, totals
        after = found["pageInfo"]["endCursor"]


@pytest.mark.clause("C12")
async def test_pages_are_whole_and_alike_before_and_after_parts_are_made(
    asking_alone: Asking, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disclosure_parts, "PART", 8)
    monkeypatch.setattr(disclosure_parts, "TOGETHER", 3)
    await fill(owner, 150)
    before = [await pages(asking_alone, who) for who in (ADA, BEN)]
    await make_all(asking_alone.database)
    levels = await owner.fetchval("SELECT count(DISTINCT level) FROM disclosure_part")
    assert levels > 1
    assert await owner.fetchval("SELECT count(*) FROM disclosure_of WHERE $1 = ANY (members)", ADA.log_id) > 2
    after = [await pages(asking_alone, who) for who in (ADA, BEN)]
    assert after == before
    for (ids, totals), who in zip(after, (ADA, BEN), strict=True):
        wanted = await owner.fetch(
            "SELECT id::text FROM disclosure WHERE $1 = ANY (members) ORDER BY place DESC", who.log_id
        )
        assert ids == [row["id"] for row in wanted]
        assert totals == {len(ids)}
    async with asking_alone.database.connection() as connection:
        listed = await list_disclosures(connection, Wanted(member="M-002"), 1_000)
    assert len(listed) == len(after[1][0])


async def test_a_part_waits_for_a_writer_who_may_still_add_below_its_end(
    own_world: Database, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disclosure_parts, "PART", 4)
    monkeypatch.setattr(disclosure_parts, "_PATIENCE", 2)
    slow = await asyncpg.connect(own_world.url)
    late = slow.transaction()
    await late.start()
    await slow.execute(INSERT, new_id(), world.NOW, [BEN.log_id], 1)
    await fill(owner, 8)
    async with own_world.transaction() as connection:
        assert not await make_part(connection)
    await late.commit()
    await slow.close()
    await make_all(own_world)
    # Three records of the world, the late one at place 4.
    assert 4 in await owner.fetchval(
        "SELECT array_agg(p) FROM disclosure_of, unnest(members, places) AS e (m, p) WHERE m = $1", BEN.log_id
    )


@pytest.mark.clause("C12")
@pytest.mark.parametrize("who", [ADA, BEN], ids=["in all", "in few"])
async def test_a_page_and_its_total_read_few_pages_of_the_database(
    asking_alone: Asking, owner: Any, who: world.Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in buffers, which do not depend on the machine: walking the log would read thousands."""
    monkeypatch.setattr(disclosure_parts, "PART", 64)
    await fill(owner, 1_300, others=150)
    await make_all(asking_alone.database)
    await owner.execute("ANALYZE")
    await asking_alone.ask(MemberPrincipal(who.id, "web", "t"), PAGE, {"after": None})
    ((sql, parameters),) = asking_alone.statements
    async with asking_alone.database.reader.acquire() as connection:
        await connection.fetch(sql, *parameters)
        rows = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *parameters)
    plan = json.loads(rows[0][0])[0]["Plan"]
    read = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    assert read < 600, "some for each record of the newest stretch, and a handful for each part"
