"""Birthdays that change the age band are told to whoever sees the band, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest

from gateway.app import Product
from gateway.database import Database
from gateway.policy_in_force import PolicyInForce
from gateway.upkeep import Upkeep
from resolvers.commands.upkeep import BIRTHDAY_WINDOW, SETTLING, tell_birthdays
from resolvers.connection import Link
from resolvers.shares import refresh_shares
from schema.categories import DataCategory, mask_of
from tests import world
from tests.feeds import choose

BAND: Final = mask_of((DataCategory.AGE_RANGE,))
TURNS_65: Final = date(1962, 3, 1)
DUE: Final = datetime(2027, 3, 1, 12, tzinfo=UTC) + SETTLING
"""1 March 2027 has begun everywhere, and has settled."""

LATEST: Final = (
    "SELECT changed_at, mask, before, after FROM share_change"
    " WHERE agreement_id = $1 AND subject = $2 ORDER BY seq DESC LIMIT 1"
)

Born = Callable[[Link, str, date], Awaitable[None]]


@pytest.fixture
def born(product: Product) -> Born:
    """Gives a member a birth date, and tells nobody: that was long ago."""

    async def give(connection: Link, name: str, day: date) -> None:
        member = world.person(name).id
        await connection.execute("UPDATE member SET birth_date = $2 WHERE id = $1", member, day)
        await refresh_shares(connection, product.matrix, now=world.NOW, members=[member])

    return give


@pytest.fixture
async def nobodys_birthday(own_world: Database) -> Database:
    """The world, where nobody has a birthday that matters."""
    async with own_world.transaction() as connection:
        await connection.execute("UPDATE member SET birth_date = '1980-06-01' WHERE birth_date < '2009-1-1'")
    return own_world


async def test_a_birthday_into_another_band_is_told_once_to_each_who_sees_the_band(
    nobodys_birthday: Database, product: Product, born: Born
) -> None:
    async with nobodys_birthday.transaction() as connection:
        await born(connection, "ada", TURNS_65)
        assert await tell_birthdays(connection, product.matrix, DUE - timedelta(seconds=1)) == 0
        assert await tell_birthdays(connection, product.matrix, DUE) == 1
        for partner in ("acme", "bolt"):
            line = await connection.fetchrow(
                LATEST, world.AGREEMENTS[partner].id, world.subject(partner, "ada")
            )
            assert line is not None
            assert (line["changed_at"], line["mask"], line["before"]) == (DUE, BAND, line["after"])
        lines = await connection.fetchval("SELECT count(*) FROM share_change")
        assert await tell_birthdays(connection, product.matrix, DUE) == 0
        assert await tell_birthdays(connection, product.matrix, DUE + timedelta(days=90)) == 0
        assert await connection.fetchval("SELECT count(*) FROM share_change") == lines


@pytest.mark.parametrize("years", [25, 35, 45, 55, 65, 44])
async def test_each_band_has_its_birthday_and_other_birthdays_are_none(
    nobodys_birthday: Database, product: Product, born: Born, years: int
) -> None:
    async with nobodys_birthday.transaction() as connection:
        await born(connection, "ada", date(2027 - years, 3, 1))
        assert await tell_birthdays(connection, product.matrix, DUE) == (years != 44)


@pytest.mark.clause("C8", "C11", "C17")
async def test_of_whoever_withholds_the_band_or_is_not_shared_no_birthday_is_told(
    nobodys_birthday: Database, product: Product, born: Born
) -> None:
    async with nobodys_birthday.transaction() as connection:
        for name in ("ada", "gus", "kim", "cid", "eve", "fay"):
            await born(connection, name, TURNS_65 if name != "cid" else date(2012, 1, 1))
        await choose(connection, product.matrix, "ada", categories=[DataCategory.AGE_RANGE.value])
        await connection.execute("UPDATE member SET status = 'CLOSED' WHERE id = $1", world.person("kim").id)
        lines = await connection.fetchval("SELECT count(*) FROM share_change")
        assert await tell_birthdays(connection, product.matrix, DUE) == 0
        assert await connection.fetchval("SELECT count(*) FROM share_change") == lines


async def test_a_birthday_during_a_pause_of_the_service_is_told_after_it(
    nobodys_birthday: Database, product: Product, born: Born
) -> None:
    async with nobodys_birthday.transaction() as connection:
        await born(connection, "ada", TURNS_65)
        late = DUE + BIRTHDAY_WINDOW
        assert await tell_birthdays(connection, product.matrix, late + timedelta(days=2)) == 0
        late -= timedelta(days=2)
        assert await tell_birthdays(connection, product.matrix, late) == 1


async def test_who_was_born_on_29_february_has_a_birthday_on_1_march(
    nobodys_birthday: Database, product: Product, born: Born
) -> None:
    """A line about the band on the day before, which the calendar gives, is none of the new band."""
    async with nobodys_birthday.transaction() as connection:
        await born(connection, "ada", date(1992, 2, 29))
        ada, eve = world.person("ada").id, DUE - timedelta(hours=1)
        await refresh_shares(connection, product.matrix, now=eve, members=[ada], changed=BAND)
        assert await tell_birthdays(connection, product.matrix, DUE - timedelta(seconds=1)) == 0
        assert await tell_birthdays(connection, product.matrix, DUE) == 1


async def test_what_told_of_the_band_since_the_birthday_is_enough(
    nobodys_birthday: Database, product: Product, born: Born
) -> None:
    async with nobodys_birthday.transaction() as connection:
        await born(connection, "ada", TURNS_65)
        ada = world.person("ada").id
        await refresh_shares(connection, product.matrix, now=DUE, members=[ada], changed=BAND)
        assert await tell_birthdays(connection, product.matrix, DUE + timedelta(hours=1)) == 0


async def test_many_birthdays_are_told_over_several_rounds(
    nobodys_birthday: Database, product: Product, born: Born, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("resolvers.commands.upkeep", "gateway.upkeep"):
        monkeypatch.setattr(f"{module}.MOST_BIRTHDAYS", 2)
    names = ("ada", "ben", "jon")
    async with nobodys_birthday.transaction() as connection:
        for name in names:
            await born(connection, name, TURNS_65)
    upkeep = Upkeep(nobodys_birthday, PolicyInForce(product.matrix), lambda: DUE)
    told = []
    for _ in range(3):
        await upkeep.round()
        told.append(
            await nobodys_birthday.app.fetchval(
                "SELECT count(DISTINCT subject) FROM share_change"
                " WHERE agreement_id = $1 AND changed_at = $2",
                world.AGREEMENTS["acme"].id,
                DUE,
            )
        )
    assert told == [2, 3, 3]
