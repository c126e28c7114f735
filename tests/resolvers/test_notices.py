"""Announcements of new practices: everybody reads them, the newest first, none before its time (C16)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from resolvers.notices import MOST
from schema.types.scalars import write_instant
from tests import world
from tests.asking import Asking
from tests.resolvers.commands.test_choosing import announce

NOTICES = "{ notices { id title body basis purpose categories publishedAt effectiveAt } }"


@pytest.mark.clause("C16")
@pytest.mark.parametrize("who", ["visitor", "ada", "acme"])
async def test_everybody_reads_what_is_published_newest_first(asking_alone: Asking, who: str) -> None:
    older = await announce(asking_alone, world.NOW - timedelta(days=2))
    newer = await announce(asking_alone, world.NOW)
    await announce(asking_alone, world.NOW + timedelta(seconds=1))
    data = (await asking_alone.both(world.CALLERS[who].principal, NOTICES)).data
    assert [notice["id"] for notice in data["notices"]] == [str(newer), str(older)]
    first = data["notices"][0]
    assert (first["title"], first["basis"], first["purpose"]) == ("Regions", "STRATEGIC", "PARTNER_OFFERS")
    assert first["categories"] == ["user.location.imprecise"]
    assert first["publishedAt"] == write_instant(world.NOW)


@pytest.mark.clause("C16")
async def test_what_is_still_to_come_is_told_however_much_it_is(asking_alone: Asking) -> None:
    """A version may open more than a screen holds: who does not read of it cannot refuse it."""
    for _ in range(MOST + 1):
        await announce(asking_alone, world.NOW - timedelta(days=2))
    async with asking_alone.database.transaction() as connection:
        await connection.execute("UPDATE notice SET effective_at = $1", world.NOW + timedelta(microseconds=1))
    await announce(asking_alone, world.NOW)
    visitor = world.CALLERS["visitor"].principal
    assert len((await asking_alone.ask(visitor, NOTICES)).data["notices"]) == MOST + 2
    asking_alone.now += timedelta(microseconds=1)
    assert len((await asking_alone.ask(visitor, NOTICES)).data["notices"]) == MOST


async def test_there_is_an_end_to_what_is_told_of_the_past(asking_alone: Asking) -> None:
    for day in range(MOST + 1):
        await announce(asking_alone, world.NOW - timedelta(days=day))
    data = (await asking_alone.ask(world.CALLERS["visitor"].principal, NOTICES)).data
    assert len(data["notices"]) == MOST
