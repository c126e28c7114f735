"""Another e-mail address: shown once it is confirmed, for one member only, and told to the address before."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

import asyncpg
import pytest

from policies.principal import MemberPrincipal
from tests import world
from tests.resolvers.commands.registering import PASSWORD, Registering, found

CHANGE: Final = """mutation($input: RequestEmailChangeInput!) {
  requestEmailChange(input: $input) { errors { path code message } me { email version } }
}"""
LOOK_UP: Final = "query($id: ID!) { member(id: $id) { email } }"
NEW: Final = "new@example.net"
ADA: Final = world.person("ada").email


async def set_password(registering: Registering, *names: str) -> None:
    hashed = await registering.asking.engine._means.passwords.hash(PASSWORD)
    owner = await asyncpg.connect(registering.asking.database.url)
    for name in names:
        await owner.execute(
            "INSERT INTO vault.credential VALUES ($1, $2, now())", world.person(name).id, hashed
        )
    await owner.close()


def principal(name: str) -> MemberPrincipal:
    caller = world.member(name).principal
    assert isinstance(caller, MemberPrincipal)
    return caller


async def change(registering: Registering, who: str = "ada", *, key: str | None = None, **given: Any) -> Any:
    stated = {"newEmail": NEW, "password": PASSWORD, **given}
    return await registering.reply(CHANGE, stated, principal(who), idempotency_key=key)


async def shown_to_acme(registering: Registering) -> Any:
    subject = str(world.subject("acme", "ada"))
    reply = await registering.asking.ask(world.partner("acme").principal, LOOK_UP, {"id": subject})
    return reply.data["member"]["email"]


@pytest.mark.clause("C13")
async def test_the_new_address_counts_once_its_link_was_followed(registering: Registering) -> None:
    await set_password(registering, "ada")
    reply = await change(registering)
    assert found(reply) == []
    assert reply.data["requestEmailChange"]["me"]["email"] == ADA
    assert await registering.letters() == [("CONFIRM_EMAIL", NEW), ("EMAIL_CHANGING", ADA)]
    assert await shown_to_acme(registering) == ADA
    assert await registering.follow("CONFIRM_EMAIL", NEW) == []
    member = await registering.member(NEW)
    assert (member["id"], member["email_verified_at"]) == (world.person("ada").id, world.NOW)
    assert await shown_to_acme(registering) == NEW
    assert (await registering.letters())[-1] == ("EMAIL_CHANGED", ADA)


async def test_only_the_newest_wish_counts(registering: Registering) -> None:
    await set_password(registering, "ada")
    await change(registering, newEmail="first@example.net")
    await change(registering)
    assert await registering.follow("CONFIRM_EMAIL", "first@example.net") == [(["token"], "LINK_EXPIRED")]
    assert await registering.follow("CONFIRM_EMAIL", NEW) == []


@pytest.mark.clause("C14")
async def test_a_link_that_sets_a_password_and_went_to_the_address_before_works_no_more(
    registering: Registering,
) -> None:
    await set_password(registering, "ada")
    owner = await asyncpg.connect(registering.asking.database.url)
    await owner.execute(
        "INSERT INTO one_time_link (id, member_id, kind, created_at, expires_at)"
        " VALUES (gen_random_uuid(), $1, 'RESET_PASSWORD', $2, $3)",
        world.person("ada").id,
        world.NOW,
        world.NOW + timedelta(hours=1),
    )
    await owner.close()
    await change(registering)
    assert await registering.follow("CONFIRM_EMAIL", NEW) == []
    assert await registering.rows("SELECT FROM one_time_link WHERE used_at IS NULL") == []


@pytest.mark.clause("C14")
async def test_nobody_changes_it_without_the_password(registering: Registering) -> None:
    await set_password(registering, "ada")
    before = await registering.counts()
    assert found(await change(registering, password="something else")) == [(["password"], "WRONG_PASSWORD")]
    assert await registering.counts() == before


@pytest.mark.clause("R1")
@pytest.mark.parametrize(
    ("new", "code"),
    [("ada", "BAD_FORMAT"), ("4155552671@example.net", "PHONE_NUMBER_IN_TEXT")],
)
async def test_what_is_no_address_is_refused(registering: Registering, new: str, code: str) -> None:
    await set_password(registering, "ada")
    reply = await change(registering, newEmail=new)
    assert found(reply) == [(["newEmail"], code)]
    assert new.encode() not in reply.body.replace(ADA.encode(), b"")


async def test_another_members_address_is_answered_alike_and_its_owner_is_told(
    registering: Registering,
) -> None:
    await set_password(registering, "ada")
    free = await change(registering)
    taken = await change(registering, newEmail="BEN@example.org")
    assert taken.body == free.body
    assert (await registering.letters())[-2:] == [("EMAIL_TAKEN", "ben@example.org"), ("EMAIL_CHANGING", ADA)]
    assert len(await registering.rows("SELECT FROM one_time_link")) == 1


async def test_of_two_members_who_want_an_address_one_has_it(registering: Registering) -> None:
    await set_password(registering, "ada", "ben")
    tokens = []
    for who in ("ada", "ben"):
        assert found(await change(registering, who)) == []
        tokens.append(await registering.token("CONFIRM_EMAIL", NEW))
    answers = await asyncio.gather(*(registering.follow_token(token) for token in tokens))
    assert sorted(answers) == [[], [(["token"], "TAKEN")]]
    assert len(await registering.rows("SELECT FROM member WHERE email = $1", NEW)) == 1


@pytest.mark.clause("C17")
async def test_an_address_that_has_become_the_supervisors_meanwhile_is_refused(
    registering: Registering,
) -> None:
    await set_password(registering, "ada")
    await change(registering)
    owner = await asyncpg.connect(registering.asking.database.url)
    await owner.execute(
        "UPDATE member SET supervisor_email = $2 WHERE id = $1", world.person("ada").id, NEW.upper()
    )
    await owner.close()
    assert await registering.follow("CONFIRM_EMAIL", NEW) == [(["token"], "SAME_AS_SUPERVISOR")]
    assert (await registering.member(ADA))["id"] == world.person("ada").id


async def test_a_repeated_key_asks_for_no_password_and_counts_nothing(registering: Registering) -> None:
    await set_password(registering, "ada")
    assert found(await change(registering, key="one")) == []
    counted = await registering.rows("SELECT * FROM attempt ORDER BY key")
    assert found(await change(registering, password="changed since", key="one")) == []
    assert await registering.rows("SELECT * FROM attempt ORDER BY key") == counted
    assert await registering.letters() == [("CONFIRM_EMAIL", NEW), ("EMAIL_CHANGING", ADA)]
    other = await change(registering, newEmail="other@example.net", key="one")
    assert found(other) == [([], "IDEMPOTENCY_KEY_REUSED")]


async def test_a_member_who_is_leaving_changes_nothing(registering: Registering) -> None:
    await set_password(registering, "ada")
    await change(registering)
    owner = await asyncpg.connect(registering.asking.database.url)
    await owner.execute("UPDATE member SET status = 'CLOSED' WHERE id = $1", world.person("ada").id)
    await owner.close()
    assert await registering.follow("CONFIRM_EMAIL", NEW) == [(["token"], "LINK_EXPIRED")]


async def test_a_registration_and_a_change_to_one_address_give_it_to_one(registering: Registering) -> None:
    await set_password(registering, "ada")
    await change(registering)
    await registering.register(email=NEW)
    tokens = [await registering.token(kind, NEW) for kind in ("CONFIRM_EMAIL", "CONFIRM_REGISTRATION")]
    answers = await asyncio.gather(*(registering.follow_token(token) for token in tokens))
    assert sorted(answers) == [[], [(["token"], "TAKEN")]]
    assert (
        len(await registering.rows("SELECT FROM member WHERE email = $1 AND status <> 'PENDING'", NEW)) == 1
    )


@pytest.mark.clause("C14")
@pytest.mark.parametrize("wanted", ["ben@example.org", "nobody@example.org"])
async def test_an_earlier_link_works_no_more_whoever_has_the_address_that_is_wanted_now(
    registering: Registering, wanted: str
) -> None:
    """Whether it still works would tell whether the other address is a member's."""
    await set_password(registering, "ada")
    await change(registering)
    await change(registering, newEmail=wanted)
    assert await registering.follow("CONFIRM_EMAIL", NEW) == [(["token"], "LINK_EXPIRED")]
