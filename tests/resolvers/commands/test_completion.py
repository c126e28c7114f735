"""An invited member completes the registration: everything that is missing is named at once (C1)."""

from __future__ import annotations

from typing import Any, Final

import asyncpg
import pytest

from tests import world
from tests.resolvers.commands.registering import Registering, found

COMPLETE: Final = """mutation($input: CompleteRegistrationInput!) {
  completeRegistration(input: $input) { errors { path code message } me { status version } }
}"""
EVE: Final = world.member("eve").principal
MUM: Final = "mum@example.org"


async def give(registering: Registering, **columns: Any) -> None:
    """Give Eve, who has an address, what she lacks besides."""
    owner = await asyncpg.connect(registering.asking.database.url)
    eve = world.person("eve").id
    for name, value in {"given_name": "Eve", "family_name": "Adams", **columns}.items():
        await owner.execute(f"UPDATE member SET {name} = $2 WHERE id = $1", eve, value)
    await owner.execute("INSERT INTO phone VALUES (gen_random_uuid(), $1, 'home', now())", eve)
    await owner.execute(
        "INSERT INTO billing_method VALUES (gen_random_uuid(), $1, 'Visa', '1111', 1, 2030, now())", eve
    )
    await owner.close()


async def complete(registering: Registering, **given: Any) -> Any:
    return await registering.reply(COMPLETE, given, EVE)


@pytest.mark.clause("C1")
async def test_everything_that_is_missing_is_named_at_once(registering: Registering) -> None:
    reply = await complete(registering)
    assert found(reply) == [
        (["givenName"], "REQUIRED"),
        (["familyName"], "REQUIRED"),
        (["phones"], "REQUIRED"),
        (["billing", "brand"], "REQUIRED"),
        (["billing", "lastFour"], "REQUIRED"),
        (["billing", "expiryMonth"], "REQUIRED"),
    ]
    assert reply.data["completeRegistration"]["me"] == {"status": "INVITED", "version": 1}


@pytest.mark.clause("C1")
async def test_with_all_of_it_the_member_is_active_and_shared(registering: Registering) -> None:
    await give(registering)
    reply = await complete(registering, version=1)
    assert reply.data["completeRegistration"] == {"errors": [], "me": {"status": "ACTIVE", "version": 2}}
    assert len(await registering.purposes(world.person("eve").id)) == 2
    assert (await complete(registering)).data == reply.data


async def test_a_version_that_was_overtaken_is_a_conflict(registering: Registering) -> None:
    await give(registering)
    assert found(await complete(registering, version=7)) == [(["version"], "CONFLICT")]


@pytest.mark.clause("C17")
async def test_under_18_the_adults_confirmation_completes(registering: Registering) -> None:
    await give(registering, birth_date=world.person("cid").born)
    assert found(await complete(registering)) == [(["supervisorEmail"], "SUPERVISOR_REQUIRED")]
    same = await complete(registering, supervisorEmail="Eve@example.org")
    assert found(same) == [(["supervisorEmail"], "SAME_AS_EMAIL")]
    waiting = await complete(registering, supervisorEmail=MUM)
    assert waiting.data["completeRegistration"]["me"]["status"] == "INVITED"
    assert await registering.follow("CONFIRM_SUPERVISION", MUM) == []
    assert (await registering.member("eve@example.org"))["status"] == "ACTIVE"
    assert await registering.purposes(world.person("eve").id) == []


@pytest.mark.clause("C17")
async def test_the_adults_confirmation_counts_later_if_something_is_missing_still(
    registering: Registering,
) -> None:
    await give(registering, birth_date=world.person("cid").born)
    await complete(registering, supervisorEmail=MUM)
    owner = await asyncpg.connect(registering.asking.database.url)
    await owner.execute("DELETE FROM phone WHERE member_id = $1", world.person("eve").id)
    assert await registering.follow("CONFIRM_SUPERVISION", MUM) == []
    assert (await registering.member("eve@example.org"))["status"] == "INVITED"
    await owner.execute(
        "INSERT INTO phone VALUES (gen_random_uuid(), $1, 'home', now())", world.person("eve").id
    )
    await owner.close()
    assert (await complete(registering)).data["completeRegistration"]["me"]["status"] == "ACTIVE"
