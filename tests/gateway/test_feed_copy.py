"""A copy that is paged once and then follows the feed equals a fresh page whenever the feed is drained."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from gateway.app import Product
from gateway.database import Database
from gateway.keys import Keyring
from gateway.policy_in_force import PolicyInForce
from gateway.settings import Settings
from gateway.upkeep import Upkeep
from resolvers.commands.upkeep import SETTLING
from resolvers.connection import Link
from resolvers.means import Means
from resolvers.shares import refresh_shares, take_turn
from schema.categories import DataCategory
from tests import world
from tests.asking import Asking
from tests.feeds import Copy, choose, erase, leave, rename

SEEDS: Final = (20_250_601, 7, 1_848)
STEPS: Final = 24
WRITERS: Final = 3

MEMBERS: Final = ("ada", "ben", "gus", "hal", "ida", "jon", "kim", "lea", "nia")
COPIES: Final = (
    ("acme", "name email region ageBand interests address { city line1 }"),
    ("acme-names", "name givenName familyName"),
    ("acme-city", "givenName"),
    ("bolt", "name email ageBand"),
)
CATEGORIES: Final = (
    None,
    ["user.contact.email"],
    ["user.name.last"],
    ["user.contact.address"],
    ["user.name"],
)
BIRTHS: Final = ("1980-05-01", "2015-01-01", "2001-11-24")


EVE_OF: Final = datetime(2026, 12, 4, 12, tzinfo=UTC) - timedelta(seconds=1)
"""A second before 4 December 2026 has begun everywhere."""

BIRTHDAYS: Final = {"ada": "1961-12-04", "ben": "2001-12-04", "jon": "1981-12-04", "nia": "2008-12-04"}
"""Into another band, and one of them of age."""


async def resume(connection: Link, product: Product) -> None:
    """Bolt's agreement is in force."""
    agreement = world.AGREEMENTS["bolt"].id
    await connection.execute("UPDATE agreement SET status = 'ACTIVE' WHERE id = $1", agreement)
    await refresh_shares(connection, product.matrix, now=world.NOW, agreements=[agreement])


Step = Callable[[Link], Awaitable[None]]


def step(rng: random.Random, product: Product, day: int) -> Step:
    """What somebody does next."""
    matrix, name = product.matrix, rng.choice(MEMBERS)
    what = rng.choice(
        ["choose"] * 5 + ["rename"] * 3 + ["age", "leave", "return", "suspend", "resume", "erase"]
    )
    direction, keys = rng.choice(["IN", "OUT"]), rng.choice(CATEGORIES)
    partner = rng.choice([None, "acme", "bolt"])
    born, given = rng.choice(BIRTHS), f"Name{rng.randrange(100)}"
    when = world.at(f"2026-07-{1 + day % 28:02}")

    async def act(connection: Link) -> None:
        await take_turn(connection, alone=what in {"suspend", "resume"})
        person = world.person(name)
        found = "SELECT 1 FROM member WHERE id = $1 FOR NO KEY UPDATE"
        if await connection.fetchval(found, person.id) is None:
            return
        match what:
            case "choose":
                await choose(connection, matrix, name, direction, categories=keys, when=when, partner=partner)
            case "rename":
                await rename(connection, matrix, name, given)
            case "leave":
                await leave(connection, matrix, name)
            case "erase" if day % 3 == 0:
                await erase(connection, name)
            case "age" | "return":
                set_to = "UPDATE member SET birth_date = $2::text::date, status = 'ACTIVE' WHERE id = $1"
                await connection.execute(set_to, person.id, born)
                told = 1 << 11 | 1 << 20
                await refresh_shares(connection, matrix, now=world.NOW, members=[person.id], changed=told)
            case "resume":
                await resume(connection, product)
            case "suspend":
                agreement = world.AGREEMENTS["bolt"].id
                await connection.execute("UPDATE agreement SET status = 'SUSPENDED' WHERE id = $1", agreement)
                await refresh_shares(connection, matrix, now=world.NOW, agreements=[agreement])

    return act


@pytest.mark.slow
@pytest.mark.clause("C8", "C11", "C17")
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_copy_that_follows_the_feed_equals_a_fresh_page(
    seed: int,
    product: Product,
    own_world: Database,
    keys: Keyring,
    settings: Settings,
    means: Means,
) -> None:
    """Several writers at a time, whose transactions stay open at random, so that they commit out of order."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    asking = Asking(product, own_world, keys, settings, means, world.NOW)
    copies = [Copy(asking, world.CALLERS[name].principal, fields) for name, fields in COPIES]
    for copy in copies:
        await copy.take_cursor()
    plans = [[step(rng, product, day) for day in range(STEPS)] for _ in range(WRITERS)]
    pauses = [[rng.random() * 0.02 for _ in range(STEPS)] for _ in range(WRITERS)]

    async def write(plan: list[Step], waits: list[float]) -> None:
        for act, wait in zip(plan, waits, strict=True):
            async with own_world.transaction() as connection:
                await act(connection)
                await asyncio.sleep(wait)

    writers = [asyncio.create_task(write(plan, waits)) for plan, waits in zip(plans, pauses, strict=True)]
    for copy in copies:
        await copy.page_through()
    while not all(writer.done() for writer in writers):
        for copy in copies:
            await copy.follow()
        await asyncio.sleep(0.01)
    await asyncio.gather(*writers)
    # While an agreement is suspended its partner can ask for nothing, and no copy can be true.
    async with own_world.transaction() as connection:
        await resume(connection, product)
    for copy in copies:
        await copy.follow()
        assert copy.rows == await copy.fresh(), f"seed {seed}"
    kinds = {change["kind"] for copy in copies for change in copy.seen}
    assert kinds == {"SHARED", "CORRECTED", "WITHDRAWN", "ERASED"}


@pytest.mark.clause("C8", "C17")
async def test_a_copy_stays_true_while_the_clock_moves_over_birthdays(
    product: Product, own_world: Database, keys: Keyring, settings: Settings, means: Means
) -> None:
    """Lines that are read just before the birthday bring the old band; upkeep tells of the new one."""
    asking = Asking(product, own_world, keys, settings, means, EVE_OF)
    async with own_world.transaction() as connection:
        for name, born in BIRTHDAYS.items():
            person = world.person(name).id
            born_on = "UPDATE member SET birth_date = $2::text::date WHERE id = $1"
            await connection.execute(born_on, person, born)
            await refresh_shares(connection, product.matrix, now=EVE_OF, members=[person])
    upkeep = Upkeep(own_world, PolicyInForce(product.matrix), lambda: asking.now)
    await upkeep.round()
    copies = [Copy(asking, world.CALLERS[name].principal, fields) for name, fields in COPIES]
    for copy in copies:
        await copy.take_cursor()
        await copy.page_through()
    bands = [row["ageBand"] for row in copies[0].rows.values()]
    async with own_world.transaction() as connection:
        await rename(connection, product.matrix, "ada", "Augusta")
    for copy in copies:
        await copy.follow()
    for asking.now in (EVE_OF + timedelta(seconds=2), EVE_OF + SETTLING, EVE_OF + 2 * SETTLING):
        await upkeep.round()
        for copy in copies:
            await copy.follow()
    for copy in copies:
        assert copy.rows == await copy.fresh()
    assert [row["ageBand"] for row in copies[0].rows.values()] != bands
    told = {(change["kind"], change["id"]) for change in copies[0].seen}
    nia = str(world.subject("acme", "nia"))
    assert ("SHARED", nia) in told
    assert ("CORRECTED", nia) not in told


def test_the_categories_of_the_model_are_of_the_vocabulary() -> None:
    assert all(DataCategory(key) for keys in CATEGORIES for key in keys or ())
