"""A birth date that is told late: once, and under 18 with an adult who confirms (C17)."""

from __future__ import annotations

from typing import Any, Final

import asyncpg
import pytest

from gateway.refusals import RequestRefused
from policies.principal import MemberPrincipal
from tests import world
from tests.asking import Asking
from tests.resolvers.commands.registering import Registering, found

BORN: Final = """mutation($input: SetBirthDateInput!) {
  setBirthDate(input: $input) { errors { path code } me { birthDate version supervisorEmail } }
}"""
LOOK_UP: Final = "query($id: ID!) { member(id: $id) { name } }"
MUM: Final = "mum@example.org"
CHILD: Final = "2014-01-01"
DOT: Final = world.person("dot")
ACME: Final = world.partner("acme").principal


async def born(asking: Asking, name: str, day: str, **given: Any) -> Any:
    stated = {"birthDate": day, **given}
    return (await asking.ask(world.member(name).principal, BORN, {"input": stated})).data["setBirthDate"]


def codes(answer: Any) -> list[Any]:
    return [(error["path"], error["code"]) for error in answer["errors"]]


async def acme_sees(asking: Asking, name: str) -> bool:
    subject = await asking.database.app.fetchval(
        "SELECT subject FROM pairwise_subject WHERE partner_id = $1 AND member_id = $2",
        world.partner_id("acme"),
        world.person(name).id,
    )
    return (await asking.ask(ACME, LOOK_UP, {"id": str(subject)})).data["member"] is not None


@pytest.mark.clause("C13", "C17")
@pytest.mark.parametrize(
    ("day", "given", "adult"),
    [("2008-11-23", {}, True), ("2008-11-24", {"supervisorEmail": MUM}, False)],
)
async def test_a_birth_date_decides_on_protection(
    asking_alone: Asking, day: str, given: dict[str, str], adult: bool
) -> None:
    assert not await acme_sees(asking_alone, "dot")
    answer = await born(asking_alone, "dot", day, **given)
    assert answer["errors"] == []
    assert answer["me"]["birthDate"] == day
    assert await acme_sees(asking_alone, "dot") is adult
    again = await born(asking_alone, "dot", day)
    assert again == answer


@pytest.mark.parametrize(
    ("name", "day", "code"),
    [
        ("dot", "2026-11-24", "BAD_DATE"),
        ("dot", "1894-12-31", "BAD_DATE"),
        ("ada", "1980-05-02", "ALREADY_SET"),
        ("cid", "1980-05-01", "ALREADY_SET"),
        ("cid", CHILD, "ALREADY_SET"),
    ],
)
async def test_a_birth_date_is_set_once_and_possible(
    asking_alone: Asking, name: str, day: str, code: str
) -> None:
    before = world.person(name).born
    answer = await born(asking_alone, name, day, supervisorEmail=MUM)
    assert codes(answer) == [(["birthDate"], code)]
    assert answer["me"]["birthDate"] == (None if before is None else before.isoformat())
    assert answer["me"]["supervisorEmail"] is None


@pytest.mark.parametrize("given", ["yesterday", "1980-13-01", 7, "", "+14155550173"])
async def test_what_is_no_date_is_not_repeated(asking: Asking, given: Any) -> None:
    with pytest.raises(RequestRefused) as refusal:
        await asking.ask(world.member("ada").principal, BORN, {"input": {"birthDate": given}})
    assert given == "" or str(given) not in str(refusal.value)


@pytest.mark.clause("C17")
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "SUPERVISOR_REQUIRED"),
        ({"supervisorEmail": None}, "SUPERVISOR_REQUIRED"),
        ({"supervisorEmail": "mum"}, "BAD_FORMAT"),
        ({"supervisorEmail": DOT.email.upper()}, "SAME_AS_EMAIL"),
    ],
)
async def test_under_18_an_adult_has_to_be_named(
    registering: Registering, given: dict[str, Any], code: str
) -> None:
    before = await registering.counts()
    answer = await born(registering.asking, "dot", CHILD, **given)
    assert codes(answer) == [(["supervisorEmail"], code)]
    assert answer["me"]["birthDate"] is None
    assert await registering.counts() == before


@pytest.mark.clause("C17")
async def test_the_adult_confirms_by_a_link_while_the_member_stays_one(registering: Registering) -> None:
    answer = await born(registering.asking, "dot", CHILD, supervisorEmail=MUM)
    assert answer["errors"] == []
    assert (answer["me"]["birthDate"], answer["me"]["supervisorEmail"]) == (CHILD, MUM)
    assert await registering.letters() == [("CONFIRM_SUPERVISION", MUM)]
    member = await registering.member(DOT.email)
    assert (member["status"], member["supervision_confirmed_at"]) == ("ACTIVE", None)
    assert await registering.follow("CONFIRM_SUPERVISION", MUM) == []
    member = await registering.member(DOT.email)
    assert (member["status"], member["supervision_confirmed_at"]) == ("ACTIVE", world.NOW)
    assert await registering.purposes(DOT.id) == []
    assert await registering.letters() == [("CONFIRM_SUPERVISION", MUM)]
    assert await registering.follow("CONFIRM_SUPERVISION", MUM) == [(["token"], "LINK_EXPIRED")]


@pytest.mark.clause("C17")
async def test_another_adult_may_be_named_until_one_has_confirmed(registering: Registering) -> None:
    await born(registering.asking, "dot", CHILD, supervisorEmail="mun@example.org")
    answer = await born(registering.asking, "dot", CHILD, supervisorEmail=MUM)
    assert (answer["errors"], answer["me"]["supervisorEmail"]) == ([], MUM)
    assert await registering.follow("CONFIRM_SUPERVISION", "mun@example.org") == [(["token"], "LINK_EXPIRED")]
    assert await registering.follow("CONFIRM_SUPERVISION", MUM) == []
    answer = await born(registering.asking, "dot", CHILD, supervisorEmail="dad@example.org")
    assert (answer["errors"], answer["me"]["supervisorEmail"]) == ([], MUM)
    assert len(await registering.letters()) == 2


async def test_whoever_is_leaving_is_not_confirmed(registering: Registering) -> None:
    await born(registering.asking, "dot", CHILD, supervisorEmail=MUM)
    owner = await asyncpg.connect(registering.asking.database.url)
    await owner.execute("UPDATE member SET status = 'CLOSED' WHERE id = $1", DOT.id)
    await owner.close()
    assert await registering.follow("CONFIRM_SUPERVISION", MUM) == [(["token"], "LINK_EXPIRED")]


@pytest.mark.clause("C17")
async def test_who_registered_without_a_birth_date_tells_it_with_an_adult(registering: Registering) -> None:
    await registering.register(birthDate=None)
    assert await registering.follow("CONFIRM_REGISTRATION", "zoe@example.org") == []
    zoe = await registering.member("zoe@example.org")
    principal = MemberPrincipal(zoe["id"], "web", "t")
    alone = await registering.reply(BORN, {"birthDate": CHILD}, principal)
    assert found(alone) == [(["supervisorEmail"], "SUPERVISOR_REQUIRED")]
    assert found(await registering.reply(BORN, {"birthDate": CHILD, "supervisorEmail": MUM}, principal)) == []
    assert await registering.purposes(zoe["id"]) == []
