"""The feed as server-sent events, over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest

from gateway.app import Gateway, Product, compose, utc_now
from gateway.database import Database
from gateway.keys import Keyring
from gateway.serving import listen, served
from gateway.settings import Settings
from resolvers.revocations import RevocationKind, revoke
from tests import world
from tests.feeds import END, rename
from tests.running import Callers

SUBSCRIBE: Final = (
    "subscription Follow($after: String) { changes(first: 2, after: $after)"
    " { edges { node { kind id member { name } } } pageInfo { endCursor } } }"
)


class Events:
    """The events of one response, as a stock parser would read them."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()
        self.last_id: str | None = None

    async def next(self) -> tuple[str, Any]:
        """The next event that has a name; comments and bare ids are passed over."""
        name, data = "", ""
        async with asyncio.timeout(8):
            async for line in self._lines:
                match line.partition(": "):
                    case ("event", _, value):
                        name = value
                    case ("id", _, value):
                        self.last_id = value
                    case ("data", _, value):
                        data = value
                if not line and name:
                    return name, json.loads(data) if data.strip() else None
        raise EOFError


@asynccontextmanager
async def subscribed(callers: Callers, name: str = "acme", **headers: str) -> AsyncIterator[Events]:
    async with callers.http.stream(
        "POST",
        "/graphql",
        json={"query": SUBSCRIBE},
        headers={"accept": "text/event-stream", **callers.headers(name), **headers},
    ) as response:
        yield Events(response)


def changes(event: tuple[str, Any]) -> list[tuple[str, str]]:
    assert event[0] == "next"
    return [(edge["node"]["kind"], edge["node"]["id"]) for edge in event[1]["data"]["changes"]["edges"]]


async def write(gateway: Gateway, name: str, given: str) -> None:
    async with gateway.database.transaction() as connection:
        await rename(connection, gateway.product.matrix, name, given)


ADA: Final = ("CORRECTED", str(world.subject("acme", "ada")))
BEN: Final = ("CORRECTED", str(world.subject("acme", "ben")))


@pytest.mark.clause("R2", "C8")
async def test_a_stream_brings_what_happens_from_now_on_and_resumes_where_it_was_cut(
    gateway: Gateway, callers: Callers
) -> None:
    async with subscribed(callers) as events:
        assert events.response.headers["content-type"].startswith("text/event-stream")
        await write(gateway, "ada", "Augusta")
        first = await events.next()
        assert changes(first) == [ADA]
        assert events.last_id == first[1]["data"]["changes"]["pageInfo"]["endCursor"]
    await write(gateway, "ben", "Benjamin")
    async with subscribed(callers, **{"last-event-id": str(events.last_id)}) as events:
        assert changes(await events.next()) == [BEN]
    async with gateway.database.connection() as connection:
        members = await connection.fetch("SELECT members FROM disclosure WHERE operation_name = 'Follow'")
    assert [world.person("ada").log_id] in [row["members"] for row in members]


async def test_a_stream_by_get_shows_what_the_query_shows(gateway: Gateway, callers: Callers) -> None:
    cursor = (await callers.ask("acme", END)).json()["data"]["changes"]["pageInfo"]["endCursor"]
    await write(gateway, "ada", "Augusta")
    query = SUBSCRIBE.replace("subscription", "query")
    asked = (await callers.ask("acme", query, after=cursor)).json()
    async with callers.http.stream(
        "GET",
        "/graphql",
        params={"query": SUBSCRIBE, "variables": json.dumps({"after": cursor})},
        headers={"accept": "text/event-stream", **callers.headers("acme")},
    ) as response:
        assert await Events(response).next() == ("next", asked)


@pytest.mark.clause("C8")
async def test_a_revoked_token_ends_its_stream_within_a_second_and_nothing_leaves_after(
    gateway: Gateway, callers: Callers
) -> None:
    async with subscribed(callers) as events:
        await write(gateway, "ada", "Augusta")
        await events.next()
        async with gateway.database.transaction() as connection:
            await revoke(connection, RevocationKind.CLIENT, "acme", now=utc_now())
        async with asyncio.timeout(2):
            name, body = await events.next()
        assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert name == "next"
        assert await events.next() == ("complete", None)


async def test_what_is_no_stream_or_too_many_is_refused_as_any_request(
    settings: Settings, keys: Keyring, own_world: Database, product: Product
) -> None:
    own = settings.model_copy(update={"feed_streams_per_client": 1, "feed_stream_seconds": 1})
    async with (
        compose(own, keys, own_world, product, lambda: world.NOW) as gateway,
        served(gateway.app, listen("127.0.0.1", 0)) as url,
    ):
        callers = Callers(url, own, keys)
        async with callers.http:
            assert (await callers.ask("acme", SUBSCRIBE)).status_code == 406
            async with subscribed(callers, "ada") as events:
                assert events.response.status_code == 400, "members have no subscription"
            async with subscribed(callers, **{"last-event-id": "forged"}) as events:
                assert events.response.status_code == 400
            async with subscribed(callers) as events:
                async with subscribed(callers) as second:
                    assert second.response.status_code == 429
                assert await events.next() == ("complete", None), "the longest duration"
            async with subscribed(callers) as events:
                assert events.response.status_code == 200, "the seat is free again"


async def test_a_service_that_stops_ends_its_streams(
    settings: Settings, keys: Keyring, own_world: Database, product: Product
) -> None:
    async with (
        compose(settings, keys, own_world, product, lambda: world.NOW) as gateway,
        served(gateway.app, listen("127.0.0.1", 0)) as url,
    ):
        callers = Callers(url, settings, keys)
        async with callers.http, subscribed(callers) as events:
            gateway.app.state.closing()
            assert await events.next() == ("complete", None)
