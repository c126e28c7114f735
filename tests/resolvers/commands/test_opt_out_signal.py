"""`Sec-GPC: 1` is a general opt-out with the date of its arrival (C4)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from resolvers.commands.opt_out_signal import MAX_A_DAY, note_signal
from resolvers.context import Work
from resolvers.exchange import Exchange
from tests import world
from tests.asking import Asking
from tests.resolvers.commands.test_choosing import choose, codes, shared

ADA = world.member("ada").principal


async def signal(asking: Asking, at: datetime = world.NOW) -> None:
    async with asking.database.transaction() as connection:
        await note_signal(
            Work(connection, asking.product.matrix, ADA, at, asking.engine._means, Exchange(opts_out=True)),
            world.person("ada").id,
        )


async def entries(asking: Asking) -> list[Any]:
    listed = (
        "{ me { choices { edges { node { topic direction source partner { name } purpose categories } } } } }"
    )
    edges = (await asking.ask(ADA, listed)).data["me"]["choices"]["edges"]
    return [edge["node"] for edge in edges]


@pytest.mark.clause("C4")
async def test_a_signal_withdraws_every_share_and_stands_in_the_ledger(asking_alone: Asking) -> None:
    assert await shared(asking_alone, ADA)
    await signal(asking_alone)
    assert await shared(asking_alone, ADA) == {}
    general = {"partner": None, "purpose": None, "categories": None}
    assert await entries(asking_alone) == [
        {"topic": "SHARING", "direction": "OUT", "source": "GPC", **general}
    ]


@pytest.mark.clause("C4", "C11")
async def test_a_later_choice_wins_over_a_signal_and_the_next_signal_over_that(asking_alone: Asking) -> None:
    await signal(asking_alone, world.NOW - timedelta(hours=2))
    assert codes(await choose(asking_alone, direction="IN", partner="acme")) == []
    assert list(await shared(asking_alone, ADA)) == [str(world.AGREEMENTS["acme"].id)]
    await signal(asking_alone)
    assert await shared(asking_alone, ADA) == {}


@pytest.mark.clause("C4", "C11")
async def test_a_repeated_signal_counts_against_a_request_that_arrives_between(asking_alone: Asking) -> None:
    """Were the second signal passed over, the request dated before it would win over the first alone."""
    await signal(asking_alone, world.NOW - timedelta(days=3))
    await signal(asking_alone, world.NOW - timedelta(days=1))
    late = (world.NOW - timedelta(days=2)).isoformat()
    assert codes(await choose(asking_alone, direction="IN", requestedAt=late)) == []
    assert await shared(asking_alone, ADA) == {}


async def test_signals_that_say_nothing_new_do_not_fill_the_ledger(asking_alone: Asking) -> None:
    await asyncio.gather(*(signal(asking_alone) for _ in range(MAX_A_DAY + 5)))
    assert len(await entries(asking_alone)) == MAX_A_DAY
    await choose(asking_alone, direction="IN", partner="acme", requestedAt=world.NOW.isoformat())
    asking_alone.now = world.NOW + timedelta(minutes=1)
    await choose(asking_alone, direction="IN", partner="acme")
    await signal(asking_alone, world.NOW + timedelta(minutes=2))
    assert await shared(asking_alone, ADA) == {}, "a signal that changes something is always written"
