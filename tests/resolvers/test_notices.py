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


async def test_there_is_an_end_to_what_is_told(asking_alone: Asking) -> None:
    for day in range(MOST + 1):
        await announce(asking_alone, world.NOW - timedelta(days=day))
    data = (await asking_alone.ask(world.CALLERS["visitor"].principal, NOTICES)).data
    assert len(data["notices"]) == MOST
