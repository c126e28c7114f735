"""`GET /partner/members.jsonl`: the same as paging, and chunk by chunk as free to stop."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self

import httpx
import orjson
import pytest

from gateway import bulk
from gateway.app import Gateway, Product, compose
from gateway.bulk_document import bulk_document
from gateway.database import Database
from gateway.http.partner_edge import CutOffError
from gateway.keys import Keyring
from gateway.operations import digest_of
from gateway.serving import listen, served
from gateway.settings import DocumentPolicy, Settings
from resolvers.persisted_documents import save_document
from resolvers.quotas import QuotaKey, set_quota
from resolvers.revocations import RevocationKind, revoke
from schema.vocabulary import QuotaUnit
from tests import world
from tests.gateway.importing.files import owner
from tests.running import Callers

ALL: Final = (
    "query($first: Int, $after: String) { members(first: $first, after: $after) {"
    " edges { node { id name givenName familyName email address"
    " { line1 line2 city state postalCode country } region ageBand interests purchaseCategories } }"
    " pageInfo { hasNextPage endCursor } } }"
)
CROWD: Final = 1_300
CHUNKS: Final = 3


async def crowd(database: Database, count: int = CROWD) -> None:
    """So many more members than the world has, all shared with acme."""
    mask = await database.app.fetchval(
        "SELECT mask FROM share WHERE agreement_id = $1 ORDER BY mask DESC LIMIT 1",
        world.AGREEMENTS["acme"].id,
    )
    async with owner(database) as connection:
        await connection.execute(
            "INSERT INTO member (id, number, status, given_name, family_name, email, birth_date, region,"
            " interests, purchase_categories, joined_at, updated_at, version)"
            " SELECT ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, 'C-' || n, 'ACTIVE',"
            " 'Given' || n, 'Family' || n, 'crowd' || n || '@example.org', DATE '1980-01-01', 'DE',"
            " '{chess}', '{}', now(), now(), 1 FROM generate_series(1, $1::int) AS crowd (n)",
            count,
        )
        await connection.execute(
            "INSERT INTO share (agreement_id, subject, member_id, mask)"
            " SELECT $1, gen_random_uuid(), id, $2 FROM member WHERE number LIKE 'C-%'",
            world.AGREEMENTS["acme"].id,
            mask,
        )
        await connection.execute("ANALYZE share, member")


@pytest.fixture
async def crowded(own_world: Database) -> Database:
    await crowd(own_world)
    return own_world


async def recorded(database: Database) -> list[Any]:
    rows: list[Any] = await database.app.fetch(
        "SELECT * FROM disclosure WHERE operation_name = 'MembersExport' ORDER BY recorded_at, id"
    )
    return rows


async def download(callers: Callers, name: str = "acme", **parameters: str) -> httpx.Response:
    return await callers.http.get(bulk.PATH, params=parameters, headers=callers.headers(name))


async def stream(callers: Callers, into: bytearray) -> None:
    """The same, for what does not end well."""
    request = callers.http.stream("GET", bulk.PATH, params={"fields": "id"}, headers=callers.headers("acme"))
    async with request as answer:
        async for part in answer.aiter_bytes():
            into += part


def lines_of(text: bytes) -> list[Any]:
    return [orjson.loads(line) for line in text.splitlines()]


async def paged(callers: Callers) -> list[bytes]:
    """Every node by paging, in pages of another size, as it stands in the answer."""
    nodes, after = [], None
    while True:
        answer = await callers.ask("acme", ALL, first=400, after=after)
        page = answer.json()["data"]["members"]
        for edge in page["edges"]:
            raw = orjson.dumps(edge["node"])
            assert b'{"node":' + raw + b"}" in answer.content
            nodes.append(raw)
        if not page["pageInfo"]["hasNextPage"]:
            return nodes
        after = page["pageInfo"]["endCursor"]


async def test_each_line_is_the_node_of_a_page_to_the_byte(callers: Callers, crowded: Database) -> None:
    answer = await download(callers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/jsonl; charset=utf-8"
    assert "ratelimit" in answer.headers
    *lines, last = answer.content.splitlines()
    nodes = [line for line in lines if line.startswith(b'{"node":')]
    assert [line.removeprefix(b'{"node":')[:-1] for line in nodes] == await paged(callers)
    assert last == b'{"end":true,"count":%d}' % (CROWD + 8)
    assert len(lines) == len(nodes) + CHUNKS - 1  # a cursor after each chunk but the last

    records = await recorded(crowded)
    assert [len(record["members"]) for record in records] == [500, 500, 308]
    assert len({record["operation_hash"] for record in records}) == 1
    assert {record["client_id"] for record in records} == {"acme"}
    assert "user.contact.address.city" in records[-1]["categories"]


@pytest.mark.usefixtures("crowded")
async def test_a_cursor_resumes_where_it_stands(callers: Callers) -> None:
    whole = lines_of((await download(callers, fields="id")).content)
    at = next(index for index, line in enumerate(whole) if "cursor" in line)
    rest = await download(callers, fields="id", after=whole[at]["cursor"])
    assert lines_of(rest.content)[:-1] == whole[at + 1 : -1]
    assert lines_of(rest.content)[-1] == {"end": True, "count": CROWD + 8 - 500}
    # It is a cursor of `members`, and of this caller only.
    page = await callers.ask("acme", ALL, first=1, after=whole[at]["cursor"])
    assert page.json()["data"]["members"]["edges"][0]["node"]["id"] == whole[at + 1]["node"]["id"]
    assert (await download(callers, "bolt", after=whole[at]["cursor"])).status_code == 400


async def test_fields_narrow_and_the_record_says_so(callers: Callers, own_world: Database) -> None:
    answer = await download(callers, fields="email,id")
    *nodes, _ = lines_of(answer.content)
    assert {tuple(line["node"]) for line in nodes} == {("email", "id")}
    # Whoever withholds the address is there without it.
    assert sum(line["node"]["email"] is None for line in nodes) == 1
    (record,) = await recorded(own_world)
    assert record["categories"] == ["user.contact.email", "user.unique_id.pseudonymous"]


@pytest.mark.parametrize("name", ["birthDate", "username", "emial", "address{city}", "__typename"])
async def test_what_is_not_in_the_contract_is_refused_like_what_does_not_exist(
    callers: Callers, own_world: Database, name: str
) -> None:
    answer = await download(callers, fields=f"id,{name}")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"
    shown = f"`{name}`" if name.isalpha() or name == "__typename" else "a name"
    assert error["message"] == f"`fields`: {shown} is not a field of a member in your contract"
    assert await recorded(own_world) == []


@pytest.mark.parametrize("query", ["feilds=id", "fields=id&fields=name", "after=%FF", "fields=", "after=x"])
async def test_a_request_that_says_something_else_is_refused(callers: Callers, query: str) -> None:
    answer = await callers.http.get(f"{bulk.PATH}?{query}", headers=callers.headers("acme"))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("caller", "status"), [("visitor", 401), ("ada", 403), ("acme-nothing", 403), ("acme-suspended", 401)]
)
async def test_only_partners_with_members_in_their_contract_may_ask(
    callers: Callers, caller: str, status: int
) -> None:
    assert (await download(callers, caller)).status_code == status


@pytest.mark.clause("C17")
@pytest.mark.parametrize("caller", ["acme", "bolt", "wish", "acme-names", "acme-city"])
async def test_it_shows_what_paging_shows_to_every_partner(callers: Callers, caller: str) -> None:
    *nodes, _ = lines_of((await download(callers, caller)).content)
    page = await callers.ask(caller, "{ members(first: 100) { edges { node { id } } } }")
    assert [line["node"]["id"] for line in nodes] == [
        edge["node"]["id"] for edge in page.json()["data"]["members"]["edges"]
    ]
    hidden = {str(world.subject("acme", name)) for name in ("cid", "dot", "eve", "fay", "gus")}
    assert hidden.isdisjoint(line["node"]["id"] for line in nodes)


@dataclass
class Taker:
    """A caller who takes part after part, when it wants to. `sent` is what the gateway has sent."""

    gateway: Gateway
    headers: dict[str, str]
    query: bytes = b"fields=id"
    sent: list[dict[str, Any]] = field(default_factory=list)
    taken: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    left: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.gateway.app(self.scope, self.receive, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.task is not None
        self.task.cancel()
        with suppress(asyncio.CancelledError, CutOffError):
            await self.task

    @property
    def scope(self) -> dict[str, Any]:
        return {
            "type": "http",
            "method": "GET",
            "path": bulk.PATH,
            "root_path": "",
            "query_string": self.query,
            "headers": [(name.encode(), value.encode()) for name, value in self.headers.items()],
        }

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)
        if message["type"] == "http.response.body" and message.get("more_body"):
            await self.taken.acquire()

    async def until_sent(self, parts: int) -> None:
        async with asyncio.timeout(5):
            while len(self.sent) < 1 + parts:  # noqa: ASYNC110 - what is sent is looked at from outside
                await asyncio.sleep(0.005)

    async def cut_off(self) -> None:
        """Wait until the response is cut off."""
        assert self.task is not None
        with pytest.raises(CutOffError):
            async with asyncio.timeout(5):
                await self.task

    @property
    def lines(self) -> list[Any]:
        return [line for message in self.sent[1:] for line in lines_of(message["body"])]


@pytest.fixture
async def taker(gateway: Gateway, crowded: Database, callers: Callers) -> AsyncIterator[Taker]:
    assert gateway.database is crowded
    async with Taker(gateway, callers.headers("acme")) as started:
        yield started


async def test_nothing_is_read_ahead_of_a_slow_caller(taker: Taker, crowded: Database) -> None:
    for parts in (1, 2):
        await taker.until_sent(parts)
        await asyncio.sleep(0.1)
        assert len(await recorded(crowded)) == parts
        busy = await crowded.app.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND usename = 'gateway_reader' AND state <> 'idle'"
        )
        assert busy == 0
        taker.taken.release()


@pytest.mark.parametrize("what", ["token", "client", "agreement"])
async def test_a_revocation_stops_it_before_the_next_chunk(
    taker: Taker, crowded: Database, what: str
) -> None:
    await taker.until_sent(1)
    async with crowded.transaction() as connection:
        if what == "token":
            (record,) = await recorded(crowded)
            await revoke(connection, RevocationKind.TOKEN, record["token_id"], now=world.NOW)
        elif what == "client":
            await connection.execute("UPDATE partner_client SET status = 'REVOKED' WHERE client_id = 'acme'")
            await revoke(connection, RevocationKind.CLIENT, "acme", now=world.NOW)
        else:
            await connection.execute(
                "UPDATE agreement SET status = 'ENDED', version = 2 WHERE id = $1",
                world.AGREEMENTS["acme"].id,
            )
            await revoke(
                connection, RevocationKind.AGREEMENT, str(world.AGREEMENTS["acme"].id), now=world.NOW
            )
    await asyncio.sleep(0.5)
    taker.taken.release()
    taker.taken.release()
    await taker.cut_off()
    *_, cursor, error = taker.lines
    assert "cursor" in cursor
    assert sum("node" in line for line in taker.lines) == 500
    assert error["error"]["extensions"]["code"] == "UNAUTHENTICATED"
    assert not any("end" in line for line in taker.lines)


@pytest.mark.clause("R2")
async def test_a_chunk_without_its_record_does_not_leave(taker: Taker, crowded: Database) -> None:
    await taker.until_sent(1)
    async with owner(crowded) as connection:
        await connection.execute("REVOKE INSERT ON disclosure FROM gateway_app")
    taker.taken.release()
    taker.taken.release()
    await taker.cut_off()
    assert sum("node" in line for line in taker.lines) == 500
    assert taker.lines[-1]["error"]["extensions"]["code"] == "DISCLOSURE_UNRECORDED"
    assert len(await recorded(crowded)) == 1


async def test_a_caller_who_leaves_ends_the_work(taker: Taker, crowded: Database) -> None:
    await taker.until_sent(1)
    taker.left.set()
    assert taker.task is not None
    async with asyncio.timeout(1):
        await taker.task
    taker.taken.release()
    await asyncio.sleep(0.05)
    assert len(await recorded(crowded)) == 1


async def test_a_caller_who_takes_nothing_is_cut_off(
    gateway: Gateway, crowded: Database, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = next(route for route in gateway.app.routes if getattr(route, "path", "") == bulk.PATH)
    monkeypatch.setattr(route.app._act, "_patience", 0.2)  # type: ignore[attr-defined]
    async with Taker(gateway, callers.headers("acme")) as taker:
        await taker.cut_off()
    assert len(taker.sent) == 2
    assert len(await recorded(crowded)) == 1


async def test_members_that_are_left_of_the_day_are_delivered_and_no_more(
    callers: Callers, crowded: Database
) -> None:
    async with crowded.transaction() as connection:
        key = QuotaKey(world.AGREEMENTS["acme"].id, "", QuotaUnit.MEMBERS)
        await set_quota(connection, key, 700, now=world.NOW)
    got = bytearray()
    with pytest.raises(httpx.RemoteProtocolError):
        await stream(callers, got)
    *lines, cursor, error = lines_of(bytes(got))
    assert sum("node" in line for line in lines) == 700
    assert error["error"]["extensions"]["code"] == "QUOTA_EXCEEDED"
    assert sum(len(record["members"]) for record in await recorded(crowded)) == 700
    refused = await download(callers, fields="id", after=cursor["cursor"])
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "43200"
    # The next day, or with more, it goes on where it stopped.
    async with crowded.transaction() as connection:
        await set_quota(connection, key, 10_000, now=world.NOW)
        await revoke(connection, RevocationKind.AGREEMENT, str(key.agreement_id), now=world.NOW)
    await asyncio.sleep(1.0)
    rest = lines_of((await download(callers, fields="id", after=cursor["cursor"])).content)
    assert rest[-1] == {"end": True, "count": CROWD + 8 - 700}
    ids = [line["node"]["id"] for line in (*lines, *rest) if "node" in line]
    assert len(set(ids)) == len(ids) == CROWD + 8


async def test_where_documents_are_registered_that_of_bulk_is_too(
    own_world: Database, settings: Settings, keys: Keyring, product: Product
) -> None:
    strict = settings.model_copy(update={"documents": DocumentPolicy.REGISTERED})
    async with (
        compose(strict, keys, own_world, product, lambda: world.NOW) as running,
        served(running.app, listen("127.0.0.1", 0)) as url,
    ):
        callers = Callers(url, strict, keys)
        async with callers.http:
            refused = await download(callers, fields="id")
            assert refused.json()["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_REGISTERED"
            contract = product.contracts.of(world.CALLERS["acme"].principal)
            text = bulk_document(contract.schema, ["email"])
            async with own_world.transaction() as connection:
                await save_document(
                    connection,
                    client_id="acme",
                    document_id="export",
                    sha256=digest_of(text),
                    body=text,
                    now=world.NOW,
                )
            assert (await download(callers, fields="email")).status_code == 200
            assert (await download(callers, fields="id")).status_code == 400


async def test_another_method_is_not_allowed(callers: Callers) -> None:
    answer = await callers.http.post(bulk.PATH, headers=callers.headers("acme"))
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


@pytest.mark.slow
async def test_a_hundred_thousand_members_take_no_more_memory_than_a_thousand(
    gateway: Gateway, own_world: Database, callers: Callers
) -> None:
    await crowd(own_world, 100_000)
    held: list[int] = []
    members = 0

    async def take(message: Any) -> None:
        nonlocal members
        members += message.get("body", b"").count(b'{"node":')
        held.append(tracemalloc.get_traced_memory()[0])

    taker = Taker(gateway, callers.headers("acme"), query=b"")
    tracemalloc.start()
    try:
        await gateway.app(taker.scope, taker.receive, take)
    finally:
        tracemalloc.stop()
    assert members == 100_008
    early, late = max(held[5:15]), max(held[-15:])
    assert late < early + 500_000
