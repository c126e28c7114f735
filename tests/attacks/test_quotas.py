"""Quotas over HTTP: what is refused leaves nothing behind, and every answer tells what is left."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, Final

import http_sf
import httpx
import pytest

from gateway import leases
from gateway.app import Product, compose
from gateway.database import Database
from gateway.keys import Keyring
from gateway.serving import listen, served
from gateway.settings import Settings
from resolvers.disclosure_log import DisclosureLog
from resolvers.quotas import QuotaKey, set_quota, tell_replicas
from schema.vocabulary import QuotaUnit
from tests import world
from tests.feeds import choose, others_have_ended
from tests.gateway.importing.files import owner
from tests.running import Callers

VIEWER: Final = "{ viewer { audience } }"
PAGE: Final = "query Page($first: Int) { members(first: $first) { edges { node { id email } } } }"


async def allow(database: Database, client: str, unit: QuotaUnit, allowed: int) -> None:
    agreement_id = world.AGREEMENTS[client].id
    async with database.transaction() as connection:
        await set_quota(connection, QuotaKey(agreement_id, "", unit), allowed, now=world.NOW)
        await tell_replicas(connection, agreement_id, now=world.NOW)


async def disclosures(database: Database) -> int:
    found: int = await database.app.fetchval("SELECT count(*) FROM disclosure")
    return found


def fields(answer: httpx.Response) -> tuple[dict[str, Any], dict[str, Any]]:
    """`RateLimit-Policy` and `RateLimit`, read as structured fields."""
    policy: Any = http_sf.parse(answer.headers["ratelimit-policy"].encode(), tltype="list")
    limit: Any = http_sf.parse(answer.headers["ratelimit"].encode(), tltype="list")
    return dict(policy), dict(limit)


async def test_every_answer_to_a_partner_tells_what_is_left(callers: Callers, own_world: Database) -> None:
    await allow(own_world, "acme", QuotaUnit.MEMBERS, 50)
    for query, used in ((VIEWER, 0), (PAGE, 8), ("{ phones }", 8)):
        answer = await callers.ask("acme", query)
        policy, limit = fields(answer)
        assert policy["agreement-requests"] == {"q": 60_000, "w": 60}
        assert policy["agreement-members"] == {"q": 50, "w": 86_400, "qu": "members"}
        assert limit["agreement-members"] == {"r": 50 - used, "t": 43_200}  # at noon
        assert limit["agreement-requests"]["t"] == 60
    for name in ("visitor", "ada"):
        assert "ratelimit" not in (await callers.ask(name, VIEWER)).headers


async def test_a_partner_that_asks_is_told_its_budget_and_no_other(
    callers: Callers, own_world: Database
) -> None:
    budget = "{ agreement { budget { requests { limit remaining resetsAt } members { limit remaining } } } }"
    await allow(own_world, "acme", QuotaUnit.MEMBERS, 50)
    await allow(own_world, "acme", QuotaUnit.REQUESTS, 2**40)
    assert (await callers.ask("acme", PAGE)).status_code == 200
    told = (await callers.ask("acme", budget)).json()["data"]["agreement"]["budget"]
    assert told["members"] == {"limit": 50, "remaining": 42}
    # GraphQL's `Int` ends there.
    assert told["requests"] == {
        "limit": 2**31 - 1,
        "remaining": 2**31 - 1,
        "resetsAt": "2026-11-23T12:01:00Z",
    }
    told = (await callers.ask("bolt", budget)).json()["data"]["agreement"]["budget"]
    assert told["members"]["remaining"] == told["members"]["limit"] == 10_000_000
    assert told["requests"]["remaining"] < told["requests"]["limit"] == 60_000
    # A member has no agreement to ask about.
    assert (await callers.ask("ada", budget)).status_code == 400


async def test_a_request_too_many_is_refused_and_says_when_to_come_again(
    callers: Callers, own_world: Database
) -> None:
    await allow(own_world, "acme", QuotaUnit.REQUESTS, 3)
    for _ in range(3):
        assert (await callers.ask("acme", PAGE)).status_code == 200
    before = await disclosures(own_world)
    refused = await callers.ask("acme", PAGE)
    assert refused.status_code == 429
    assert refused.json()["errors"][0]["extensions"]["code"] == "QUOTA_EXCEEDED"
    assert "data" not in refused.json()
    assert refused.headers["retry-after"] == "60"
    assert fields(refused)[1]["agreement-requests"] == {"r": 0, "t": 60}
    assert await disclosures(own_world) == before
    # Another partner, a member and a visitor are not concerned.
    for name in ("bolt", "ada", "visitor"):
        assert (await callers.ask(name, VIEWER)).status_code == 200


async def test_a_page_of_more_members_than_are_left_does_not_leave(
    callers: Callers, own_world: Database
) -> None:
    await allow(own_world, "acme", QuotaUnit.MEMBERS, 10)
    assert len((await callers.ask("acme", PAGE)).json()["data"]["members"]["edges"]) == 8
    before = await disclosures(own_world)
    refused = await callers.ask("acme", PAGE)
    assert refused.status_code == 429
    assert "example.org" not in refused.text
    assert "at most 2 now" in refused.json()["errors"][0]["message"]
    assert refused.headers["retry-after"] == "43200"
    assert await disclosures(own_world) == before
    fewer = await callers.ask("acme", PAGE, first=2)
    assert len(fewer.json()["data"]["members"]["edges"]) == 2
    one = await callers.ask(
        "acme", "query($id: ID!) { member(id: $id) { name } }", id=str(world.subject("acme", "ada"))
    )
    assert one.status_code == 429
    # Who is not found is not delivered.
    nobody = await callers.ask("acme", '{ member(id: "00000000-0000-4000-8000-000000000000") { name } }')
    assert nobody.json() == {"data": {"member": None}}


async def test_the_feed_counts_members_that_it_shows_and_never_keeps_a_withdrawal(
    callers: Callers, own_world: Database
) -> None:
    shown = "{ changes(first: 50) { edges { node { kind id member { id email } } } } }"
    named = "{ changes(first: 50) { edges { node { kind id categories } } } }"
    before = fields(await callers.ask("acme", VIEWER))[1]["agreement-members"]["r"]
    answer = await callers.ask("acme", shown)
    lines = [edge["node"] for edge in answer.json()["data"]["changes"]["edges"]]
    delivered = {line["id"] for line in lines if line["member"] and line["kind"] in {"SHARED", "CORRECTED"}}
    assert delivered
    after = fields(answer)[1]["agreement-members"]["r"]
    assert before - after == len(delivered)
    await allow(own_world, "acme", QuotaUnit.MEMBERS, 0)
    await asyncio.sleep(1.0)
    assert (await callers.ask("acme", shown)).status_code == 429
    assert len((await callers.ask("acme", named)).json()["data"]["changes"]["edges"]) == len(lines)


async def test_who_takes_back_a_part_counts_where_the_rest_is_shown(
    callers: Callers, own_world: Database, product: Product
) -> None:
    """Otherwise the feed, read again and again, would bring her whole remainder for nothing."""
    await others_have_ended(own_world)
    end = await callers.ask("acme", "{ changes(first: 0) { pageInfo { endCursor } } }")
    cursor = end.json()["data"]["changes"]["pageInfo"]["endCursor"]
    async with own_world.transaction() as connection:
        await choose(connection, product.matrix, "ben", categories=["user.contact.email"])
    await others_have_ended(own_world)
    asked = "query($after: String) { changes(after: $after) { edges { node { kind categories %s } } } }"
    shown, named = asked % "member { name email }", asked % "id"
    left = []
    for query in (named, shown, shown):
        answer = await callers.ask("acme", query, after=cursor)
        (line,) = answer.json()["data"]["changes"]["edges"]
        assert line["node"]["kind"] == "WITHDRAWN"
        left.append(fields(answer)[1]["agreement-members"]["r"])
    assert line["node"]["member"] == {"name": "Ben Ali", "email": None}
    assert [before - after for before, after in pairwise(left)] == [1, 1]
    await allow(own_world, "acme", QuotaUnit.MEMBERS, 0)
    await asyncio.sleep(1.0)
    assert (await callers.ask("acme", shown, after=cursor)).status_code == 429
    assert (await callers.ask("acme", named, after=cursor)).status_code == 200


async def test_a_record_that_fails_uses_no_members(
    callers: Callers, own_world: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await allow(own_world, "acme", QuotaUnit.MEMBERS, 8)

    async def fails(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(DisclosureLog, "_commit", fails)
        assert (await callers.ask("acme", PAGE)).status_code == 503
    assert (await callers.ask("acme", PAGE)).status_code == 200


async def test_two_gateways_together_serve_no_more_than_is_allowed(
    callers: Callers, own_world: Database, settings: Settings, keys: Keyring, product: Product
) -> None:
    await allow(own_world, "acme", QuotaUnit.REQUESTS, 40)
    await allow(own_world, "acme", QuotaUnit.MEMBERS, 200)
    async with (
        compose(settings, keys, own_world, product, lambda: world.NOW) as other,
        served(other.app, listen("127.0.0.1", 0)) as url,
    ):
        second = Callers(url, settings, keys)
        async with second.http:
            answers = await asyncio.gather(
                *(which.ask("acme", PAGE) for _ in range(30) for which in (callers, second))
            )
    passed = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} == {200, 429}
    # Two hundred members are 25 pages of 8.
    assert 24 <= len(passed) <= 25


async def test_a_change_counts_in_a_running_gateway_within_a_second(
    callers: Callers, own_world: Database
) -> None:
    assert (await callers.ask("acme", VIEWER)).status_code == 200
    await allow(own_world, "acme", QuotaUnit.REQUESTS, 0)
    await asyncio.sleep(1.0)
    assert (await callers.ask("acme", VIEWER)).status_code == 429
    await allow(own_world, "acme", QuotaUnit.REQUESTS, 100)
    await asyncio.sleep(1.0)
    assert (await callers.ask("acme", VIEWER)).status_code == 200


async def test_a_count_that_does_not_answer_refuses(
    callers: Callers, own_world: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "DATABASE_TIMEOUT", 0.1)
    async with owner(own_world) as connection, connection.transaction():
        await connection.execute("LOCK TABLE quota")
        refused = await callers.ask("acme", PAGE)
    assert refused.status_code == 503
    assert refused.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert "data" not in refused.json()
    assert (await callers.ask("acme", PAGE)).status_code == 200
