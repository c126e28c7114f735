"""Attacks of one officer: on what takes two, on who else works here, and on whoever reads what she wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from gateway.app import Product
from gateway.database import Database
from gateway.identity.tokens import SubjectKind, mint
from gateway.keys import Keyring
from gateway.settings import Settings
from policies.officers import Role
from schema.ids import new_id
from tests import world
from tests.conftest import MakeDatabase
from tests.officers import Clock, Desks, Staff, entrance

CONTROLS = ["\x1b]0;pwned\x07", "\x9b2J", "\u202e", "\u2066", "\ufeff"]
"""What a terminal obeys, and what turns the direction of writing. What ends a line becomes a space."""


@pytest.fixture(scope="module")
async def database(make_database: MakeDatabase, world_template: str) -> AsyncIterator[Database]:
    async with make_database(template=world_template) as database:
        yield database


@pytest.fixture(scope="module")
async def desks(
    settings: Settings, keys: Keyring, database: Database, product: Product
) -> AsyncIterator[Desks]:
    async with entrance(settings, keys, database, product, Clock()) as opened:
        yield opened


@pytest.fixture(scope="module")
async def olga(desks: Desks) -> Staff:
    return await desks.officer("olga", Role.PRIVACY_OFFICER)


async def does(desks: Desks, staff: Staff, field: str, wanted: str = "", **given: Any) -> Any:
    """What comes of a command with this input."""
    kind = f"{field[0].upper()}{field[1:]}Input"
    kind = {"ResetFactorInput": "OfficerInput", "RevokeClientInput": "ClientInput"}.get(kind, kind)
    query = f"mutation($i: {kind}!) {{ {field}(input: $i) {{ errors {{ path code }} {wanted} }} }}"
    answer = await desks.ask(query, staff.access, i=given)
    assert "errors" not in answer, answer
    return answer["data"][field]


@pytest.mark.clause("C8")
async def test_one_privacy_officer_cannot_make_herself_two(desks: Desks, olga: Staff) -> None:
    """Who is shown the code of another could approve in her name what she proposed herself."""
    await desks.officer("otto", Role.PRIVACY_OFFICER)
    await desks.invite("pia", Role.PRIVACY_OFFICER)
    assert await desks.sign_in(olga) == []
    forbidden = {"errors": [{"path": [], "code": "FORBIDDEN"}]}
    made = {"name": "mask", "displayName": "Mask"}
    for roles in (["PRIVACY_OFFICER"], ["SUPPORT", "PRIVACY_OFFICER"]):
        refused = await does(desks, olga, "createOfficer", "enrolment", **made, roles=roles)
        assert refused == {**forbidden, "enrolment": None}
    for name in ("otto", "pia", "olga"):
        assert await does(desks, olga, "resetFactor", "enrolment", name=name) == {
            **forbidden,
            "enrolment": None,
        }
    assert (await does(desks, olga, "createOfficer", "enrolment", **made, roles=["SUPPORT"]))["enrolment"]
    assert await does(desks, olga, "changeRoles", name="mask", roles=["PRIVACY_OFFICER"]) == forbidden
    # By a way round: the role taken away, the account enrolled anew, the role given again.
    assert (await does(desks, olga, "changeRoles", name="otto", roles=["AUDITOR"]))["errors"] == []
    assert (await does(desks, olga, "resetFactor", "enrolment", name="otto"))["enrolment"]
    assert await does(desks, olga, "changeRoles", name="otto", roles=["PRIVACY_OFFICER"]) == forbidden
    # Whoever is one may be given more.
    both = ["AUDITOR", "PRIVACY_OFFICER"]
    assert (await does(desks, olga, "changeRoles", name="olga", roles=both))["errors"] == []


async def test_a_client_called_like_the_entrance_or_a_front_end_ends_no_session_with_it(
    desks: Desks, olga: Staff, settings: Settings, keys: Keyring
) -> None:
    assert await desks.sign_in(olga) == []
    async with desks.database.transaction() as connection:
        agreement = str(await connection.fetchval("SELECT id FROM agreement WHERE status = 'ACTIVE' LIMIT 1"))
    ada = mint(
        settings, keys, kind=SubjectKind.MEMBER, subject=str(world.person("ada").id), client_id="front-end"
    ).token
    for name in ("officers", "front-end"):
        assert (await does(desks, olga, "createClient", clientId=name, agreement=agreement))["errors"] == []
        assert (await does(desks, olga, "revokeClient", clientId=name))["errors"] == []
    assert (await desks.post("{ viewer { name } }", olga.access)).status_code == 200
    assert (await desks.post("{ me { number } }", ada, path="/graphql")).status_code == 200


@pytest.mark.clause("R1", "C10")
async def test_what_an_officer_writes_holds_nothing_that_a_terminal_obeys_and_no_number(
    desks: Desks, olga: Staff
) -> None:
    assert await desks.sign_in(olga) == []
    profile = "query($n: String!, $r: String!) { member(number: $n, reason: $r) { number } }"
    async with desks.database.transaction() as connection:
        number = await connection.fetchval("SELECT number FROM member LIMIT 1")
    later = (desks.clock() + timedelta(days=30)).isoformat()
    case = {
        "authority": "police", "authorityName": "Police", "reference": "K-1", "ground": "an order",
        "categories": ["user.name"], "members": [number], "expiresAt": later,
    }  # fmt: skip
    for text in (*(f"fine {each} line" for each in CONTROLS), "call +1 415 555 0132"):
        code = "PHONE_NUMBER_IN_TEXT" if "415" in text else "BAD_INPUT"
        asked = await desks.ask(profile, olga.access, n=number, r=text)
        assert asked["errors"][0]["extensions"]["code"] == code
        for field, given in (
            ("createPartner", {"name": "evil", "displayName": text}),
            ("createOfficer", {"name": "eve", "displayName": text, "roles": ["SUPPORT"]}),
            ("openCase", {**case, "ground": text}),
            ("openCase", {**case, "reference": text}),
            ("openTransfer", {"acquirer": "bolt", "closingAt": later, "reason": text}),
        ):
            refused = await does(desks, olga, field, **given)
            assert refused["errors"] == [{"path": [], "code": code}], (field, text)
    long = await does(desks, olga, "createPartner", name="evil", displayName="x" * 121)
    assert long["errors"] == [{"path": [], "code": "BAD_INPUT"}]
    broken = await does(desks, olga, "createPartner", name="evil", displayName="Two\n\u2028lines")
    assert broken["errors"] == []
    async with desks.database.transaction() as connection:
        shown = await connection.fetchval("SELECT display_name FROM partner WHERE name = 'evil'")
    assert shown == "Two lines"


@pytest.mark.clause("C8")
async def test_support_learns_of_no_case_and_no_transfer_by_the_agreement_or_authority_behind_it(
    desks: Desks, olga: Staff
) -> None:
    """Whoever talks with members knows no more of a deferred case than they do."""
    sam = await desks.officer("sam", Role.SUPPORT)
    assert await desks.sign_in(olga) == []
    later = (desks.clock() + timedelta(days=30)).isoformat()
    async with desks.database.transaction() as connection:
        number = await connection.fetchval("SELECT number FROM member WHERE status = 'ACTIVE' LIMIT 1")

    async def all_of(staff: Staff) -> bytes:
        lists = "{ partners { name agreements } agreements { id basis partner members categories } }"
        return (await desks.post(lists, staff.access)).content

    before = await all_of(sam), await all_of(olga)
    given: dict[str, Any] = {
        "authority": "sheriff", "authorityName": "The Sheriff", "reference": "K-2", "ground": "an order",
        "categories": ["user.name"], "members": [number], "expiresAt": later,
    }  # fmt: skip
    assert (await does(desks, olga, "openCase", **given))["errors"] == []
    sold = {"acquirer": "bolt", "closingAt": later, "reason": "the contract of sale"}
    opened = await does(desks, olga, "openTransfer", "transfer { agreement }", **sold)
    assert opened["errors"] == []
    assert await all_of(sam) == before[0]
    assert await all_of(olga) != before[1]

    async with desks.database.transaction() as connection:
        legal = await connection.fetchval("SELECT id FROM agreement WHERE basis = 'LEGAL'")
    for field in ("agreement(id: $id) { id }", "agreementReport(id: $id, days: 9) { category }"):
        query = f"query($id: ID!) {{ {field} }}"
        unknown = await desks.post(query, sam.access, id=str(new_id()))
        for known in (str(legal), opened["transfer"]["agreement"]):
            assert (await desks.post(query, sam.access, id=known)).content == unknown.content
            assert "errors" not in await desks.ask(query, olga.access, id=known)
    owed = "query($p: String!) { deletions(partner: $p) { hasNextPage } }"
    asked = [(await desks.post(owed, sam.access, p=name)).content for name in ("sheriff", "nobody")]
    assert asked[0] == asked[1]
