"""The partner's feed: in order, without gaps, and cut to the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Final

import pytest

from gateway.app import Product
from schema.categories import DataCategory
from tests import world
from tests.asking import Asking
from tests.feeds import FEED, Copy, choose, erase, leave, others_have_ended, rename, told

ACME: Final = world.CALLERS["acme"].principal
BOLT: Final = world.CALLERS["bolt"].principal
EMAIL: Final = DataCategory.EMAIL.value
LAST_NAME: Final = DataCategory.LAST_NAME.value


def of(name: str, partner: str = "acme") -> Any:
    return world.subject(partner, name)


@pytest.fixture
async def copy(asking_alone: Asking) -> Copy:
    """Acme's, of the world as it is."""
    kept = Copy(asking_alone, ACME)
    await kept.take_cursor()
    await kept.page_through()
    return kept


@pytest.mark.clause("C8")
async def test_no_change_is_lost_when_transactions_commit_in_another_order_than_they_write(
    copy: Copy, product: Product
) -> None:
    """The first writes first and commits last: whoever read up to the second must still be told of it."""
    async with AsyncExitStack() as first:
        slow = await first.enter_async_context(copy.asking.database.transaction())
        await rename(slow, product.matrix, "ada", "Augusta")
        async with copy.asking.database.transaction() as quick:
            await rename(quick, product.matrix, "ben", "Benjamin")
        await copy.follow()
    await copy.follow()
    assert sorted(told(copy.seen)) == sorted([("CORRECTED", of("ada")), ("CORRECTED", of("ben"))])
    assert copy.rows == await copy.fresh()


async def test_a_transaction_that_runs_on_holds_the_feed_back_until_it_ends(
    copy: Copy, product: Product
) -> None:
    async with copy.asking.database.transaction() as other:
        await other.execute("SELECT pg_current_xact_id()")
        async with copy.asking.database.transaction() as quick:
            await rename(quick, product.matrix, "ben", "Benjamin")
        assert await copy.follow() == []
    assert told(await copy.follow()) == [("CORRECTED", of("ben"))]


@pytest.mark.clause("C8", "C11")
async def test_each_kind_says_what_has_to_be_done(copy: Copy, product: Product) -> None:
    async with copy.asking.database.transaction() as connection:
        await choose(connection, product.matrix, "ida", "IN", partner="acme")
        await rename(connection, product.matrix, "ada", "Augusta")
        await choose(connection, product.matrix, "ben", categories=[EMAIL])
        await choose(connection, product.matrix, "jon")
        await leave(connection, product.matrix, "kim")
        await erase(connection, "kim")
    news = await copy.follow()
    assert told(news) == [
        ("SHARED", of("ida")),
        ("CORRECTED", of("ada")),
        ("WITHDRAWN", of("ben")),
        ("WITHDRAWN", of("jon")),
        ("WITHDRAWN", of("kim")),
        ("ERASED", of("kim")),
    ]
    shared, corrected, mail, all_of_jon, all_of_kim, erased = news
    assert EMAIL in shared["categories"]
    assert shared["member"]["email"] == world.person("ida").email
    assert corrected["categories"] == ["user.name", "user.name.first"]
    assert corrected["member"]["name"] == "Augusta Lovelace"
    assert mail["categories"] == [EMAIL]
    assert mail["member"] == {"id": str(of("ben")), "name": "Ben Ali", "email": None}
    assert all_of_jon["member"] is all_of_kim["member"] is erased["member"] is None
    assert "user.name" in all_of_jon["categories"]
    assert EMAIL not in all_of_jon["categories"], "withheld all along: there is nothing to delete"
    assert set(all_of_kim["categories"]) <= set(erased["categories"])
    assert copy.rows == await copy.fresh()


async def test_a_line_that_takes_and_gives_lists_what_must_be_deleted_and_brings_the_rest(
    copy: Copy, product: Product
) -> None:
    async with copy.asking.database.transaction() as connection:
        await choose(connection, product.matrix, "jon", "IN", categories=[EMAIL])
        await copy.follow()
    async with copy.asking.database.transaction() as connection:
        # One decision: the mail is open from now on, the last name no more.
        await connection.execute("SELECT pg_current_xact_id()")
        await choose(connection, product.matrix, "ada", categories=[LAST_NAME], when=world.NOW - timedelta(1))
    await copy.follow()
    change = copy.seen[-1]
    assert (change["kind"], change["categories"]) == ("WITHDRAWN", ["user.name", LAST_NAME])
    assert change["member"]["name"] is None
    assert copy.rows == await copy.fresh()


@pytest.mark.clause("C8")
async def test_what_is_outside_the_scopes_leaves_no_trace(asking_alone: Asking, product: Product) -> None:
    """Nor does another agreement, a withheld category, or a member under 18: not even in a cursor."""
    cities = Copy(asking_alone, world.CALLERS["acme-city"].principal, fields="givenName")
    await cities.take_cursor()
    before = cities.cursor
    async with asking_alone.database.transaction() as connection:
        await choose(connection, product.matrix, "ada", categories=[EMAIL])  # not in the scopes
        await choose(connection, product.matrix, "hal", "IN", partner="bolt")  # another agreement
        await rename(connection, product.matrix, "gus", "Gustav")  # withholds everything
        await rename(connection, product.matrix, "cid", "Sid")  # under 18
        await rename(connection, product.matrix, "dot", "Dorothy")  # of unknown age
    assert await cities.follow() == []
    assert cities.cursor == before
    await cities.take_cursor()
    assert cities.cursor == before
    async with asking_alone.database.transaction() as connection:
        await choose(connection, product.matrix, "ada", categories=[LAST_NAME, DataCategory.CITY.value])
    (change,) = await cities.follow()
    assert (change["kind"], change["categories"]) == ("WITHDRAWN", [DataCategory.CITY.value])


async def test_the_feed_can_be_followed_from_its_beginning_and_before_it_has_one(
    asking_alone: Asking, product: Product
) -> None:
    async with asking_alone.database.transaction() as connection:
        await connection.execute("DELETE FROM share_change")
    copy = Copy(asking_alone, ACME)
    await copy.take_cursor()
    assert copy.cursor is not None
    assert await copy.follow() == []
    async with asking_alone.database.transaction() as connection:
        await rename(connection, product.matrix, "ada", "Augusta")
    assert told(await copy.follow()) == [("CORRECTED", of("ada"))]
    assert told(await Copy(asking_alone, ACME).follow()) == [("CORRECTED", of("ada"))]


async def test_two_partners_read_of_one_change_under_their_own_ids(
    asking_alone: Asking, product: Product
) -> None:
    copies = [Copy(asking_alone, ACME), Copy(asking_alone, BOLT)]
    for copy in copies:
        await copy.take_cursor()
    async with asking_alone.database.transaction() as connection:
        await rename(connection, product.matrix, "ada", "Augusta")
    acme, bolt = [await copy.follow() for copy in copies]
    assert told(acme) == [("CORRECTED", of("ada"))]
    assert told(bolt) == [("CORRECTED", of("ada", "bolt"))]
    stolen = await asking_alone.ask(BOLT, FEED % "name", {"after": copies[0].cursor, "first": 1})
    assert stolen.codes == ["BAD_CURSOR"]


@pytest.mark.clause("R2")
async def test_the_record_names_whom_it_can_and_what_really_left(copy: Copy, product: Product) -> None:
    async with copy.asking.database.transaction() as connection:
        await rename(connection, product.matrix, "ada", "Augusta")
        await choose(connection, product.matrix, "jon")
        await erase(connection, "kim")
    await others_have_ended(copy.asking.database)
    reply = await copy.asking.ask(ACME, FEED % "name email", {"after": copy.cursor, "first": 9})
    (entry,) = reply.recorded
    assert set(entry.members) == {world.person("ada").log_id, world.person("jon").log_id}
    assert DataCategory.PSEUDONYM in entry.categories
    assert DataCategory.EMAIL in entry.categories
    erased = await copy.asking.ask(ACME, FEED % "name", {"after": await _last_but_one(copy), "first": 1})
    assert [change["node"]["kind"] for change in erased.data["changes"]["edges"]] == ["ERASED"]
    assert list(erased.recorded[0].members) == []
    assert erased.recorded[0].categories == {DataCategory.PSEUDONYM}


async def _last_but_one(copy: Copy) -> Any:
    variables = {"after": copy.cursor, "first": 2}
    page = (await copy.asking.ask(ACME, FEED % "name", variables)).data["changes"]
    return page["pageInfo"]["endCursor"]


@pytest.mark.clause("C8")
async def test_whom_a_page_told_to_delete_is_noted_and_nobody_else(copy: Copy, product: Product) -> None:
    async with copy.asking.database.transaction() as connection:
        await choose(connection, product.matrix, "jon")
        await choose(connection, product.matrix, "ben", categories=[EMAIL])
    told_at = "SELECT subject, told_at FROM deletion WHERE agreement_id = $1"
    agreement = world.AGREEMENTS["acme"].id

    async def owed() -> dict[Any, Any]:
        async with copy.asking.database.connection() as connection:
            return {row["subject"]: row["told_at"] for row in await connection.fetch(told_at, agreement)}

    assert await owed() == {of("jon"): None, of("ben"): None}
    await others_have_ended(copy.asking.database)
    await copy.asking.ask(ACME, FEED % "name", {"after": copy.cursor, "first": 1})
    assert await owed() == {of("jon"): world.NOW, of("ben"): None}
    await copy.follow()
    assert await owed() == {of("jon"): world.NOW, of("ben"): world.NOW}


# -- what it costs

LONG: Final = 100_000


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{"first": 20}, {"first": 0}])
async def test_a_page_reads_by_the_index_of_the_feed_however_long_it_is(
    asking_alone: Asking, variables: dict[str, int]
) -> None:
    database = asking_alone.database
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute(
            "INSERT INTO share_change (agreement_id, subject, mask, before, after, transaction, changed_at)"
            " SELECT $1, $2, 1, 3, 3, 3 + n % 5, now() FROM generate_series(1, $3) n",
            world.AGREEMENTS["acme"].id,
            of("ada"),
            LONG,
        )
    reply = await asking_alone.ask(ACME, FEED % "name email address { city }", variables)
    ((sql, parameters),) = reply.statements
    values = ", ".join(f"'{value}'" for value in parameters)
    async with database.reader.acquire() as connection:
        await connection.execute(f"PREPARE asked AS {sql}")
        found = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked({values})")
        await connection.execute("DEALLOCATE asked")
    read = list(nodes(json.loads(found)[0]["Plan"]))
    feed = [node for node in read if node.get("Relation Name") == "share_change"]
    assert [node.get("Index Name") for node in feed] == ["ix_share_change_feed"]
    for node in read:
        assert node["Actual Rows"] * node["Actual Loops"] <= 60
        assert node.get("Rows Removed by Filter", 0) <= 60
