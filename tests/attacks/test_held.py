"""A partner holds open whatever it can: others are served, and what was held is let go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway import bulk
from gateway.database import Database
from gateway.http import suppressions
from gateway.keys import Keyring
from tests.gateway.importing.files import owner
from tests.mailers import CHECK, SCRUB, Mailer, give_key
from tests.running import Callers


async def downloaded(callers: Callers, name: str) -> httpx.Response:
    return await callers.http.get(bulk.PATH, headers=callers.headers(name))


async def test_a_partner_has_so_many_downloads_under_way_and_no_more(
    callers: Callers, own_world: Database
) -> None:
    async with owner(own_world) as connection:
        async with connection.transaction():
            await connection.execute("LOCK TABLE share IN ACCESS EXCLUSIVE MODE")
            held = [asyncio.create_task(downloaded(callers, "acme")) for _ in range(bulk.MOST_EACH)]
            await asyncio.sleep(0.5)
            more = await downloaded(callers, "acme")
            other = asyncio.create_task(downloaded(callers, "bolt"))
            assert more.status_code == 429
            assert more.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_STREAMS"
        assert {answer.status_code for answer in await asyncio.gather(*held, other)} == {200}
    assert (await downloaded(callers, "acme")).status_code == 200


async def test_a_partner_that_scrubs_for_ever_leaves_room_for_others(
    callers: Callers, own_world: Database, keys: Keyring
) -> None:
    acme = Mailer(callers, "acme", await give_key(own_world, keys, "acme"))
    bolt = Mailer(callers, "bolt", await give_key(own_world, keys, "bolt"))
    stop = asyncio.Event()

    async def lines() -> AsyncIterator[bytes]:
        yield f"{acme.digest('a@example.net')}\n".encode()
        await stop.wait()

    def scrubbing() -> asyncio.Task[httpx.Response]:
        headers = {**callers.headers("acme"), "content-type": "text/plain"}
        return asyncio.create_task(callers.http.post(SCRUB, content=lines(), headers=headers, timeout=30))

    held = [scrubbing() for _ in range(suppressions.SCRUBS_EACH)]
    await asyncio.sleep(0.3)
    refused = await acme.scrub(["b@example.net"])
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (
        429,
        "TOO_MANY_STREAMS",
    )
    assert (await bolt.scrub(["b@example.net"])).text == "complete 1 0\n"
    stop.set()
    assert [answer.text for answer in await asyncio.gather(*held)] == ["complete 1 0\n"] * len(held)
    assert (await acme.scrub(["b@example.net"])).status_code == 200


async def test_a_check_that_never_arrives_is_given_up(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suppressions, "STALL", 0.2)

    async def trickle() -> AsyncIterator[bytes]:
        yield b'{"digests": ['
        for _ in range(40):
            await asyncio.sleep(0.05)
            yield b" "

    headers = {**callers.headers("acme"), "content-type": "application/json"}
    answer = await callers.http.post(CHECK, content=trickle(), headers=headers)
    assert answer.json()["errors"][0]["extensions"]["code"] == "REQUEST_TIMEOUT"
