"""Whose feeds have grown is told once for all that was committed in a moment, and wakes who follows them."""

from __future__ import annotations

import asyncio

from gateway.announcements import Announcements
from gateway.database import Database
from resolvers.share_rows import FEED_CHANNEL, TOLD_TOGETHER, announce
from schema.ids import new_id
from tests import world

ACME, BOLT, WISH = (world.AGREEMENTS[name].id for name in ("acme", "bolt", "wish"))
PROBE = new_id()


async def test_what_is_told_at_the_same_time_is_one_notification_that_wakes_each(own_world: Database) -> None:
    heard: list[object] = []
    listening = await own_world.listen()
    await listening.add_listener(FEED_CHANNEL, lambda *told: heard.append(told[3]))
    woken = {agreement: asyncio.Event() for agreement in (ACME, BOLT, WISH)}
    async with Announcements(own_world) as announcements:
        with (
            announcements.waking(ACME, woken[ACME]),
            announcements.waking(BOLT, woken[BOLT]),
            announcements.waking(WISH, woken[WISH]),
        ):
            await _listens(own_world, announcements)
            announcements.tell({ACME})
            announcements.tell({ACME, BOLT})
            async with asyncio.timeout(10):
                await asyncio.gather(woken[ACME].wait(), woken[BOLT].wait())
            assert not woken[WISH].is_set()
    await listening.fetchval("SELECT 1")
    assert [told for told in heard if told != str(PROBE)] == [",".join(sorted((str(ACME), str(BOLT))))]
    await listening.close()


async def test_what_was_committed_is_told_before_the_service_stops(own_world: Database) -> None:
    heard: asyncio.Queue[object] = asyncio.Queue()
    listening = await own_world.listen()
    await listening.add_listener(FEED_CHANNEL, lambda *told: heard.put_nowait(told[3]))
    async with Announcements(own_world) as announcements:
        announcements.tell({ACME})
    async with asyncio.timeout(10):
        assert await heard.get() == str(ACME)
    await listening.close()


async def test_more_agreements_than_a_notification_holds_are_told_in_several(own_world: Database) -> None:
    heard: list[str] = []
    listening = await own_world.listen()
    await listening.add_listener(FEED_CHANNEL, lambda *told: heard.append(told[3]))
    agreements = [new_id() for _ in range(2 * TOLD_TOGETHER + 1)]
    async with own_world.connection() as connection:
        await announce(connection, agreements)
    async with asyncio.timeout(10):
        while len(heard) < 3:
            await listening.fetchval("SELECT 1")
    assert sorted(",".join(heard).split(",")) == sorted(map(str, agreements))
    await listening.close()


async def _listens(database: Database, announcements: Announcements) -> None:
    """Return once the process listens: what was notified before that, nobody heard."""
    woken = asyncio.Event()
    with announcements.waking(PROBE, woken):
        while not woken.is_set():
            async with database.connection() as connection:
                await announce(connection, [PROBE])
            await asyncio.sleep(0.02)
