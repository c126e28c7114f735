"""What overdue deletions do to a partner, over HTTP, at a gateway that hears of it from another."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from gateway.bulk import PATH as BULK
from resolvers.deletions import restrict
from resolvers.shares import refresh_shares
from tests import world
from tests.databases import TestServer
from tests.feeds import rename
from tests.gateway.oauth.conftest import Replica, Served, refusal
from tests.gateway.test_bulk import crowd
from tests.mailers import CHECK, SCRUB, give_key

HELD_FOR: Final = 0.6
"""Seconds that a record of the second gateway waits: so long is an answer on its way."""

DUTIES: Final = (
    "{ viewer { audience scopes } policy { digest } agreement { restriction categories reasons { category } }"
    " deletions { totalCount edges { node { id categories } } } }"
)
CONFIRM: Final = 'mutation { confirmDeletion(input: {statement: "x.y.z"}) { errors { code } confirmed } }'
FOLLOW: Final = "subscription { changes(first: 2) { edges { node { kind id } } } }"
DIGESTS: Final = {"digests": ["00" * 32]}


class Scene:
    """Two gateways on one database, and a client of acme's that knows only the second."""

    def __init__(self, first: Served, second: Served, token: str) -> None:
        self.first = first
        self.second = second
        self.headers = {"authorization": f"Bearer {token}"}
        self.token = token

    async def late_by(self, days: int) -> None:
        """Ada refused so long ago that what was withdrawn is late by this."""
        database, now = self.first.database, datetime.now(UTC)
        async with database.transaction() as link:
            await link.execute(
                "INSERT INTO choice (id, member_id, requested_at, received_at, direction, source)"
                " VALUES (gen_random_uuid(), $1, $2, $2, 'OUT', 'PROFILE_PAGE')",
                world.person("ada").id,
                now,
            )
            await refresh_shares(link, self.first.product.matrix, now=now, members=[world.person("ada").id])
            await link.execute(
                "UPDATE deletion SET due_at = $1 WHERE agreement_id = $2",
                now - timedelta(days=days),
                world.AGREEMENTS["acme"].id,
            )
        async with database.transaction() as link:
            assert await restrict(link, now)

    async def ways(self) -> dict[str, httpx.Response]:
        """Everything by which anything of anybody could leave, at the second gateway."""
        http, headers = self.second.http, self.headers
        queries = {
            "page": "{ members(first: 2) { edges { node { id } } } }",
            "count": "{ members { totalCount } }",
            "one": f'{{ member(id: "{world.subject("acme", "ben")}") {{ id }} }}',
            "feed": "{ changes(first: 2) { edges { node { id } } } }",
            "suppressions": "{ suppressions { changes { digest } } }",
        }
        asked = {name: self.second.ask(self.token, query) for name, query in queries.items()}
        asked["bulk"] = http.get(BULK, headers=headers)
        asked["check"] = http.post(CHECK, json=DIGESTS, headers=headers)
        asked["scrub"] = http.post(
            SCRUB, content="00" * 32 + "\n", headers={**headers, "content-type": "text/plain"}
        )
        asked["stream"] = http.post(
            "/graphql", json={"query": FOLLOW}, headers={**headers, "accept": "text/event-stream"}
        )
        return dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))

    async def heard(self) -> None:
        """Until the second gateway knows; within a second."""
        began = time.monotonic()
        while (await self.second.ask(self.token, "{ members { totalCount } }")).status_code == 200:
            assert time.monotonic() - began < 1 + HELD_FOR

    async def recorded(self) -> int:
        async with self.first.database.connection() as connection:
            found: int = await connection.fetchval("SELECT count(*) FROM disclosure")
        return found


@pytest.fixture
async def scene(test_server: TestServer, world_template: str, replica: Replica) -> AsyncIterator[Scene]:
    async with (
        test_server.database_url(world_template) as url,
        replica(url) as first,
        replica(url, like=first, held_for=HELD_FOR) as second,
    ):
        await first.database.app.execute("DELETE FROM deletion")
        await give_key(first.database, first.keys, "acme")
        await first.client("acme-late")
        yield Scene(first, second, await first.access("acme-late"))


@pytest.mark.clause("C8", "C17")
async def test_a_narrowed_partner_gets_nothing_of_anybody_by_any_way_and_keeps_its_duties(
    scene: Scene,
) -> None:
    await scene.late_by(8)
    await scene.heard()
    before = await scene.recorded()
    # A token that is made now opens no more than one from before.
    for token in scene.token, await scene.first.access("acme-late"):
        scene.token, scene.headers = token, {"authorization": f"Bearer {token}"}
        ways = await scene.ways()
        assert {name: answer.status_code for name, answer in ways.items()} == dict.fromkeys(
            ("page", "count", "one", "feed", "suppressions", "stream"), 400
        ) | dict.fromkeys(("bulk", "check", "scrub"), 403)
        for answer in ways.values():
            assert str(world.subject("acme", "ben")) not in answer.text
            assert "data" not in answer.json()
        duties = (await scene.second.ask(token, DUTIES)).json()["data"]
        assert duties["viewer"] == {"audience": "PARTNER", "scopes": []}
        assert duties["agreement"] == {"restriction": "NARROWED", "categories": [], "reasons": []}
        assert duties["deletions"]["totalCount"] == 1
        refused = (await scene.second.ask(token, CONFIRM)).json()["data"]["confirmDeletion"]
        assert refused == {"errors": [{"code": "STATEMENT_REFUSED"}], "confirmed": []}
    # What it is told to delete is recorded, and nothing else.
    assert await scene.recorded() == before + 2


async def test_a_suspended_partner_is_refused_everywhere_and_gets_no_token(scene: Scene) -> None:
    await scene.late_by(22)
    await scene.heard()
    ways = await scene.ways()
    assert {answer.status_code for answer in ways.values()} == {401}
    assert (await scene.second.ask(scene.token, DUTIES)).status_code == 401
    for gateway in scene.first, scene.second:
        answer = await gateway.token("acme-late")
        assert refusal(answer) == {"status": 400, "error": "unauthorized_client"}
        assert "overdue" in answer.json()["error_description"]
    # Another partner is not concerned, and it ends with the deletion.
    await scene.first.client("bolt-well", "bolt")
    assert (await scene.first.token("bolt-well")).status_code == 200
    async with scene.first.database.transaction() as link:
        await link.execute("DELETE FROM deletion")
        assert await restrict(link, datetime.now(UTC))
    assert (await scene.first.token("acme-late")).status_code == 200


@pytest.mark.clause("R2")
@pytest.mark.parametrize("days", [8, 22])
async def test_an_answer_on_its_way_does_not_leave_once_its_partner_is_restricted(
    scene: Scene, days: int
) -> None:
    asking = asyncio.create_task(scene.ways())
    await asyncio.sleep(HELD_FOR / 3)
    await scene.late_by(days)
    answers = await asking
    for name, answer in answers.items():
        if name == "stream":
            # It had begun to wait, with nothing told.
            assert "data: {" in answer.text
            assert '"kind"' not in answer.text
        else:
            assert answer.status_code == 401, name
            assert "data" not in answer.json()


@pytest.mark.parametrize("days", [8, 22])
async def test_streams_that_run_end_within_a_second_with_nothing_more_of_anybody(
    scene: Scene, days: int
) -> None:
    await crowd(scene.first.database)
    got: dict[str, list[tuple[float, bytes]]] = {"bulk": [], "stream": []}

    async def read(name: str, method: str, path: str, **request: Any) -> None:
        with suppress(httpx.RemoteProtocolError):  # cut off
            async with scene.second.http.stream(method, path, **request) as answer:
                async for part in answer.aiter_bytes():
                    got[name].append((time.monotonic(), part))

    readers = [
        asyncio.create_task(read("bulk", "GET", BULK, params={"fields": "id"}, headers=scene.headers)),
        asyncio.create_task(
            read(
                "stream",
                "POST",
                "/graphql",
                json={"query": FOLLOW},
                headers={**scene.headers, "accept": "text/event-stream"},
            )
        ),
    ]
    async with asyncio.timeout(5):
        while not all(got.values()):  # noqa: ASYNC110 - what has come is looked at from outside
            await asyncio.sleep(0.01)
    await scene.late_by(days)
    restricted = time.monotonic()
    async with scene.first.database.transaction() as link:
        await rename(link, scene.first.product.matrix, "ben", "Benjamin")
    async with asyncio.timeout(3):
        await asyncio.gather(*readers)
    for name, parts in got.items():
        text = b"".join(part for _, part in parts)
        after = b"".join(part for when, part in parts if when > restricted)
        assert b"UNAUTHENTICATED" in after, name
        assert b'"node"' not in after, name
        assert parts[-1][0] - restricted < 1 + HELD_FOR, name
        assert str(world.subject("acme", "ben")).encode() not in after
        assert b'"end"' not in text
    assert json.loads(got["bulk"][-1][1].splitlines()[-1])["error"]["extensions"]["code"] == "UNAUTHENTICATED"
