"""`Sec-GPC: 1` is a general opt-out with the date of its arrival (C4)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.app import Product, compose, utc_now
from gateway.database import Database
from gateway.keys import Keyring
from gateway.settings import Settings
from resolvers.commands.opt_out_signal import MAX_A_DAY, note_signal, note_signal_in_session
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from schema.ids import new_id
from tests import world
from tests.asking import Asking
from tests.browsers import Browser, give_password
from tests.browsers import codes as codes_of
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


SIGNALS = "SELECT count(*) FROM choice WHERE member_id = $1 AND source = 'GPC'"


@pytest.mark.clause("C4")
async def test_a_signal_that_comes_later_is_noted_when_the_session_is_renewed(
    own_world: Database, settings: Settings, keys: Keyring, product: Product, means: Means
) -> None:
    await give_password(own_world, means, "ada")
    quick = settings.model_copy(update={"answer_floor": 0.0})
    ada = world.person("ada").id
    async with compose(quick, keys, own_world, product, utc_now) as running:
        browser = Browser(running)
        await browser.sign_in("ada")
        before = browser.cookie
        await browser.refresh()
        assert await own_world.app.fetchval(SIGNALS, ada) == 0
        browser.headers["sec-gpc"] = "1"
        assert (await browser.refresh())["errors"] == []
        assert await own_world.app.fetchval(SIGNALS, ada) == 1
        shown = await browser.ask("{ me { shares { edges { node { agreement { basis } } } } } }")
        assert {edge["node"]["agreement"]["basis"] for edge in shown["me"]["shares"]["edges"]} <= {"LEGAL"}
        await browser.run("signOut")
        browser.cookie = before
        assert codes_of(await browser.refresh()) == ["SESSION_OVER"]
        assert await own_world.app.fetchval(SIGNALS, ada) == 1, "nothing was granted, so nothing is noted"


@pytest.mark.clause("C3", "C4")
async def test_a_signal_is_noted_with_a_page_that_is_not_recorded(asking_alone: Asking) -> None:
    recorded = 'mutation { recordPageView(input: {path: "/"}) { errors { path code } } }'
    tracked = Exchange(cookies={"tracking": "yes"})
    assert not (await asking_alone.ask(ADA, recorded, exchange=tracked)).data["recordPageView"]["errors"]
    assert await entries(asking_alone) == []
    answer = await asking_alone.ask(ADA, recorded, exchange=Exchange(opts_out=True))
    assert codes(answer.data["recordPageView"]) == [([], "COOKIES_DECLINED")]
    assert [entry["source"] for entry in await entries(asking_alone)] == ["GPC"]
    assert await shared(asking_alone, ADA) == {}


async def test_a_signal_of_whoever_was_erased_meanwhile_is_passed_over(asking_alone: Asking) -> None:
    async with asking_alone.database.transaction() as connection:
        means = asking_alone.engine._means
        matrix = asking_alone.product.matrix
        work = Work(connection, matrix, ADA, world.NOW, means, Exchange(opts_out=True))
        await note_signal(work, new_id())
        await note_signal_in_session(work, new_id())


async def test_signals_that_say_nothing_new_do_not_fill_the_ledger(asking_alone: Asking) -> None:
    await asyncio.gather(*(signal(asking_alone) for _ in range(MAX_A_DAY + 5)))
    assert len(await entries(asking_alone)) == MAX_A_DAY
    await choose(asking_alone, direction="IN", partner="acme", requestedAt=world.NOW.isoformat())
    asking_alone.now = world.NOW + timedelta(minutes=1)
    await choose(asking_alone, direction="IN", partner="acme")
    await signal(asking_alone, world.NOW + timedelta(minutes=2))
    assert await shared(asking_alone, ADA) == {}, "a signal that changes something is always written"
