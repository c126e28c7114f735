"""The feed as server-sent events, over a real socket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import jwt
import pytest

from gateway.announcements import Announcements
from gateway.app import Gateway, Product, compose, utc_now
from gateway.database import Database
from gateway.http.reading import ClientGoneError
from gateway.http.streams import Event, Following, Streams
from gateway.keys import Keyring
from gateway.serving import GRACE, listen, served
from gateway.settings import Settings
from policies.principal import PartnerPrincipal
from resolvers.commands.partners import set_agreement_status
from resolvers.revocations import RevocationKind, revoke
from schema.vocabulary import AgreementStatus
from tests import world
from tests.feeds import END, others_have_ended, rename
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
    await others_have_ended(gateway.database)
    query = SUBSCRIBE.replace("subscription", "query")
    asked = (await callers.ask("acme", query, after=cursor)).json()
    async with callers.http.stream(
        "GET",
        "/graphql",
        params={"query": SUBSCRIBE, "variables": json.dumps({"after": cursor})},
        headers={"accept": "text/event-stream", **callers.headers("acme")},
    ) as response:
        assert await Events(response).next() == ("next", asked)


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


async def token(gateway: Gateway, bearer: str) -> None:
    claims = jwt.decode(bearer.removeprefix("Bearer "), options={"verify_signature": False})
    until = datetime.fromtimestamp(claims["exp"], UTC)
    async with gateway.database.transaction() as connection:
        await revoke(connection, RevocationKind.TOKEN, claims["jti"], now=utc_now(), expires_at=until)


async def client(gateway: Gateway, _: str) -> None:
    async with gateway.database.transaction() as connection:
        await revoke(connection, RevocationKind.CLIENT, "acme", now=utc_now())


async def agreement(gateway: Gateway, _: str) -> None:
    async with gateway.database.transaction() as connection:
        await set_agreement_status(
            connection,
            gateway.product.matrix,
            agreement_id=world.AGREEMENTS["acme"].id,
            status=AgreementStatus.SUSPENDED,
            now=utc_now(),
        )


@pytest.mark.clause("C8")
@pytest.mark.parametrize("end", [token, client, agreement])
async def test_what_ends_in_one_gateway_ends_the_streams_of_another_within_a_second(
    gateway: Gateway,
    callers: Callers,
    settings: Settings,
    keys: Keyring,
    product: Product,
    end: Callable[[Gateway, str], Awaitable[None]],
) -> None:
    async with compose(settings, keys, gateway.database, product, lambda: world.NOW) as other:
        bearer = callers.authorization("acme")
        async with subscribed(callers, authorization=bearer) as events:
            await write(gateway, "ada", "Augusta")
            await events.next()
            await end(other, bearer)
            ended = time.monotonic()
            _, body = await events.next()
            assert time.monotonic() - ended < 1.5, "a second, and what a busy machine adds"
            assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert await events.next() == ("complete", None)


class Taker:
    """The other end of a stream, that takes so many messages and then nothing."""

    def __init__(self, most: int) -> None:
        self.taken: list[bytes] = []
        self._most = most

    async def receive(self) -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if len(self.taken) == self._most:
            await asyncio.Event().wait()
        self.taken.append(message.get("body", b""))


async def never(*_: Any) -> None:
    """Nobody asks for a stream; or nothing has ended."""


def streams(longest: float) -> Streams:
    return Streams(Announcements(None), never, per_client=1, longest=longest)  # type: ignore[arg-type]


def following(page: Callable[[str], Awaitable[Event]]) -> Following:
    principal = world.CALLERS["acme"].principal
    assert isinstance(principal, PartnerPrincipal)
    return Following(principal, Event("0", b"{}"), page, never)


async def test_who_takes_nothing_is_cut_off_and_no_page_is_read_for_them_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.http.streams.STALLED", 0.3)
    read: list[str] = []

    async def page(after: str) -> Event:
        read.append(after)
        return Event(str(len(read)), b"{}")

    taker, own = Taker(4), streams(60)  # the headers, the place, two pages
    began = time.monotonic()
    with pytest.raises(ClientGoneError):
        await own.run(following(page), taker.receive, taker.send, [], "r1")
    assert 0.3 <= time.monotonic() - began < 3
    assert read == ["0", "1"], "the second page was taken, the third waits to be"
    with pytest.raises(ClientGoneError):  # the seat is free again
        await own.run(following(page), taker.receive, taker.send, [], "r2")


async def test_a_quiet_stream_is_kept_alive_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.http.streams.KEEP_ALIVE", 0.1)
    monkeypatch.setattr("gateway.http.streams.TICK", 0.05)

    async def page(after: str) -> Event:
        return Event(after, None)

    taker = Taker(99)
    await streams(0.6).run(following(page), taker.receive, taker.send, [], "r1")
    comments = [data for data in taker.taken if data == b":\n\n"]
    assert 2 <= len(comments) <= 6
    assert taker.taken[-2:] == [b"event: complete\ndata: \n\n", b""]


async def test_a_service_that_stops_ends_its_streams_and_does_not_wait_for_their_longest_duration(
    settings: Settings, keys: Keyring, own_world: Database, product: Product
) -> None:
    async with AsyncExitStack() as client, AsyncExitStack() as server:
        gateway = await server.enter_async_context(
            compose(settings, keys, own_world, product, lambda: world.NOW)
        )
        url = await server.enter_async_context(served(gateway.app, listen("127.0.0.1", 0)))
        callers = Callers(url, settings, keys)
        await client.enter_async_context(callers.http)
        events = await client.enter_async_context(subscribed(callers))
        async with asyncio.timeout(GRACE - 1):
            stopping = asyncio.create_task(server.aclose())
            assert await events.next() == ("complete", None)
            with pytest.raises(EOFError):
                await events.next()
            await stopping
