"""Legal cases attacked (C8 b): by one officer alone, by what they name, by members who may not know yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from gateway.app import Product, compose
from gateway.database import Database
from gateway.identity.tokens import SubjectKind, mint
from gateway.keys import Keyring
from gateway.serving import listen, served
from gateway.settings import Settings
from gateway.upkeep import Upkeep
from policies.officers import Channel, Officer, Role
from policies.principal import PartnerPrincipal
from resolvers.commands.agreement_changes import Changes
from resolvers.commands.clients import create_client
from resolvers.desk import Desk, LongDesk
from resolvers.disclosure_log import DisclosureEntry, DisclosureLog
from resolvers.disclosure_reading import Wanted
from resolvers.means import Means
from resolvers.officers.agreements import activate_agreement, change_agreement
from resolvers.officers.cases import (
    LONGEST,
    CaseInput,
    Order,
    approve_case,
    close_case,
    defer_case,
    open_case,
    show_case,
)
from resolvers.officers.disclosures import search_disclosures
from resolvers.officers.members import explain_field
from schema.categories import SHAREABLE, DataCategory
from schema.errors import ForbiddenError, FreeTextPhoneError, InputError, NotFoundError
from tests import world
from tests.asking import Asking
from tests.conftest import MakeDatabase
from tests.gateway.archive.opening import archive_of

DAY = timedelta(days=1)
ADA, BEN = world.member("ada").principal, world.member("ben").principal
ORDER = Order("District Court", "GAG-1", world.NOW + 20 * DAY)
CASE = CaseInput(
    authority="state-police",
    authority_name="State Police",
    reference="K-17/26",
    ground="Code of Criminal Procedure, section 95",
    categories=("user.name", "user.contact"),
    members=tuple(f"M-{world.person(name).number:03}" for name in ("ada", "cid", "fay")),
    expires_at=world.NOW + 10 * DAY,
)

At = Callable[..., Any]


def desk_of(asking: Asking, connection: Any, name: str) -> Desk:
    officer = Officer(name, frozenset({Role.PRIVACY_OFFICER}), Channel.CONTRACT)
    return Desk(connection, officer, asking.now, lambda: asking.product.matrix)


async def act(asking: Asking, name: str, operation: Callable[..., Awaitable[Any]], *given: Any) -> Any:
    async with asking.database.transaction() as connection:
        return await operation(desk_of(asking, connection, name), *given)


async def opened(asking: Asking, given: CaseInput = CASE) -> UUID:
    case_id: UUID = await act(asking, "olga", open_case, given)
    await act(asking, "otto", approve_case, case_id)
    return case_id


async def principal_of(asking: Asking, case_id: UUID) -> PartnerPrincipal:
    terms = (await act(asking, "olga", show_case, case_id)).terms
    return PartnerPrincipal(
        terms.partner_id, terms.id, terms.version, "police-api", "t", terms.basis, terms.purpose, terms.mask
    )


SEEN = "{ members { totalCount edges { node { id name email } } } }"


async def seen(asking: Asking, principal: PartnerPrincipal) -> set[str]:
    page = (await asking.ask(principal, SEEN)).data["members"]
    assert page["totalCount"] == len(page["edges"])
    return {edge["node"]["name"] for edge in page["edges"]}


@pytest.mark.clause("C8", "C17")
async def test_a_case_gives_what_it_names_of_whom_it_names_from_its_approval_to_its_expiry(
    asking_alone: Asking,
) -> None:
    asking = asking_alone
    case_id = await act(asking, "olga", open_case, CASE)
    police = await principal_of(asking, case_id)
    assert await seen(asking, police) == set(), "one officer discloses nothing"
    await act(asking, "otto", approve_case, case_id)
    assert await seen(asking, police) == {"Ada Lovelace", "Cid Young", "Fay Gone"}, (
        "under 18 and closed as well"
    )
    asking.now = CASE.expires_at - timedelta(microseconds=1)
    assert len(await seen(asking, police)) == 3
    asking.now = CASE.expires_at
    assert await seen(asking, police) == set()
    await Upkeep(asking.database, lambda: asking.product.matrix, lambda: asking.now).round()
    agreement = police.agreement_id
    async with asking.database.connection() as connection:
        left = "SELECT count(*) FROM {} WHERE agreement_id = $1"
        assert await connection.fetchval(left.format("share"), agreement) == 0
        assert await connection.fetchval(left.format("deletion"), agreement) == 0, "the law took it"
        lines = await connection.fetch(
            "SELECT before, after FROM share_change WHERE agreement_id = $1 ORDER BY seq", agreement
        )
    assert len(lines) == 6
    assert all(line["after"] == 0 for line in lines[3:])
    with pytest.raises(InputError, match="nothing of this case waits"):
        await act(asking, "otto", approve_case, case_id)


@pytest.mark.clause("C8")
async def test_a_case_that_is_closed_gives_nothing_at_once(asking_alone: Asking) -> None:
    case_id = await opened(asking_alone)
    police = await principal_of(asking_alone, case_id)
    assert (await act(asking_alone, "olga", close_case, case_id)).withdrawn == 3
    assert await seen(asking_alone, police) == set()
    with pytest.raises(InputError, match="closed"):
        await act(asking_alone, "olga", close_case, case_id)


@pytest.mark.clause("C8")
@pytest.mark.parametrize("name", ["olga", "OLGA", " olga "])
async def test_who_opened_a_case_cannot_approve_it(asking_alone: Asking, name: str) -> None:
    case_id = await act(asking_alone, "olga", open_case, CASE)
    with pytest.raises(ForbiddenError, match="another officer"):
        await act(asking_alone, name, approve_case, case_id)
    police = await principal_of(asking_alone, case_id)
    assert await seen(asking_alone, police) == set()


@pytest.mark.clause("C8")
async def test_the_database_holds_no_case_that_one_officer_decided(asking_alone: Asking) -> None:
    case_id = await act(asking_alone, "olga", open_case, replace(CASE, order=ORDER))
    owner = await asyncpg.connect(asking_alone.database.url)
    for table, key in (("legal_case", "id"), ("legal_deferral", "case_id")):
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(
                f"UPDATE {table} SET approved_by = 'Olga', approved_at = now() WHERE {key} = $1", case_id
            )
    await owner.close()
    for column in ("opened_by = 'x'", "expires_at = expires_at + interval '1 day'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asking_alone.database.app.execute(f"UPDATE legal_case SET {column}")


@pytest.mark.clause("C8")
async def test_no_command_about_agreements_goes_past_the_second_officer(asking_alone: Asking) -> None:
    asking = asking_alone
    case_id = await act(asking, "olga", open_case, CASE)
    police = await principal_of(asking, case_id)
    officer = Officer("olga", frozenset(Role), Channel.CONTRACT)
    desk = LongDesk(asking.database.transaction, officer, lambda: asking.now, lambda: asking.product.matrix)
    with pytest.raises(InputError, match="gateway case"):
        await activate_agreement(desk, police.agreement_id)
    auditor = replace(desk, officer=replace(officer, roles=frozenset({Role.AUDITOR})))
    with pytest.raises(ForbiddenError):  # who may not is not told what it belongs to
        await activate_agreement(auditor, police.agreement_id)
    with pytest.raises(InputError, match="gateway case"):
        await act(asking, "olga", change_agreement, police.agreement_id, Changes(endless=True))
    # Made active all the same, by a mistake of ours, it gives nobody: no approved case names anybody.
    await asking.database.app.execute(
        "UPDATE agreement SET status = 'ACTIVE' WHERE id = $1", police.agreement_id
    )
    await Upkeep(asking.database, lambda: asking.product.matrix, lambda: asking.now).round()
    assert await seen(asking, police) == set()


@pytest.mark.clause("R1", "C8", "C10")
@pytest.mark.parametrize(
    "key",
    ["user.contact.phone_number", "user.authorization", "user.authorization.password", "USER.CONTACT",
     "user.contact.phone_number.mobile", "phone", "user.contact.*", "", "system.operations"],
)  # fmt: skip
async def test_a_case_names_nothing_that_is_sealed_by_any_name(asking_alone: Asking, key: str) -> None:
    with pytest.raises(InputError):
        await act(asking_alone, "olga", open_case, replace(CASE, categories=(key,)))


@pytest.mark.clause("R1", "C8", "C10")
async def test_contact_data_for_the_law_holds_no_telephone_number(asking_alone: Asking) -> None:
    wide = tuple(sorted(key.value for key in SHAREABLE))
    case_id = await opened(asking_alone, replace(CASE, categories=wide))
    police = await principal_of(asking_alone, case_id)
    contract = asking_alone.contract(police)
    names = {field for type_ in contract.schema.type_map.values() for field in getattr(type_, "fields", ())}
    assert not {name for name in names if "phone" in name.lower() or "password" in name.lower()}
    assert {"email", "birthDate", "memberNumber"} <= names


@pytest.mark.clause("R1", "C8")
@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"members": ()}, InputError),
        ({"members": ("M-404",)}, NotFoundError),
        ({"authority": "nobody-knows", "authority_name": None}, NotFoundError),
        ({"expires_at": world.NOW}, InputError),
        ({"expires_at": world.NOW + LONGEST + DAY}, InputError),
        ({"categories": ()}, InputError),
        ({"reference": "call +1 415 555 0132"}, FreeTextPhoneError),
        ({"reference": " "}, InputError),
        ({"ground": "call +1 415 555 0132"}, FreeTextPhoneError),
        ({"ground": ""}, InputError),
        ({"order": replace(ORDER, until=world.NOW + LONGEST + DAY)}, InputError),
        ({"order": replace(ORDER, reference="+1 415 555 0132")}, FreeTextPhoneError),
    ],
)
async def test_a_case_that_lacks_something_is_not_opened(
    asking_alone: Asking, given: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await act(asking_alone, "olga", open_case, replace(CASE, **given))
    async with asking_alone.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM legal_case") == 0
        assert await connection.fetchval("SELECT count(*) FROM partner WHERE authority") == 0


# -- what members see

EVERYTHING = """{
  me { id number status version updatedAt newsletter staffAccess { totalCount }
    shares { totalCount edges { cursor node {
      subject categories endsAt agreement { id basis partner { name } } } } }
    disclosures { totalCount pageInfo { hasNextPage } edges { node {
      id recordedAt because basis purpose categories partner { name displayName } } } }
    withdrawals { totalCount edges { node { categories } } }
    choices { totalCount edges { node { id } } } requests { totalCount }
  }
  partners { name displayName agreements { id basis categories inForce leaves { category reason evidence }
    withheld { category reason } reasons { category reason } } }
}"""
FIRST = "{ me { disclosures(first: 1) { totalCount pageInfo { hasNextPage } edges { node { id } } } } }"
PROBES = (
    EVERYTHING,
    FIRST,
    '{ previewAsPartner(partner: "state-police") { id name email } }',
    'mutation { choose(input: {direction: OUT, partner: "state-police"}) { errors { path code message } } }',
    'mutation { shareWith(input: {partner: "state-police", categories: []}) { errors { code message } } }',
    'mutation { endSharing(input: {partner: "state-police"}) { errors { code message } } }',
    "{ notices { id title } }",
)


async def disclosed(asking: Asking, principal: PartnerPrincipal, *names: str) -> None:
    """A record of what left under the case, as egress writes it."""
    entry = DisclosureEntry(
        principal, asking.now, "Case", "0" * 64, frozenset({DataCategory.NAME}),
        [world.person(name).log_id for name in names],
    )  # fmt: skip
    async with DisclosureLog(asking.database.disclosures, flush_interval=0, timeout=5) as log:
        await log.record(entry)


@pytest.fixture
async def twins(
    make_database: MakeDatabase, world_template: str, product: Product, keys: Keyring, settings: Settings,
    means: Means,
) -> AsyncIterator[tuple[Asking, Asking]]:  # fmt: skip
    """Two worlds, in the first of which there is a deferred case that was used."""
    async with AsyncExitStack() as stack:
        both = []
        for _ in range(2):
            database = await stack.enter_async_context(make_database(template=world_template))
            both.append(Asking(product, database, keys, settings, means, world.NOW))
        case_id = await opened(both[0], replace(CASE, order=ORDER))
        police = await principal_of(both[0], case_id)
        assert len(await seen(both[0], police)) == 3
        await disclosed(both[0], police, "ada", "cid")
        await disclosed(both[0], police, "ada")
        yield both[0], both[1]


async def agreement_of(asking: Asking) -> UUID:
    async with asking.database.connection() as connection:
        found: UUID = await connection.fetchval("SELECT agreement_id FROM legal_case")
        return found


@pytest.mark.clause("C8")
async def test_while_a_case_is_deferred_nothing_a_member_reads_differs_from_a_world_without_it(
    twins: tuple[Asking, Asking],
) -> None:
    left, right = twins
    agreement = await agreement_of(left)
    probes = (*PROBES, f'{{ previewAsPartner(agreement: "{agreement}") {{ id name }} }}')
    for moment in (world.NOW, CASE.expires_at, ORDER.until - timedelta(microseconds=1)):
        for asking in twins:
            asking.now = moment
        for name in ("ada", "ben", "cid"):
            for probe in probes:
                answers = [await asking.ask(world.member(name).principal, probe) for asking in (left, right)]
                assert answers[0].body == answers[1].body, (name, probe)


@pytest.mark.clause("C8")
async def test_the_records_stay_hidden_when_they_have_been_gone_through(twins: tuple[Asking, Asking]) -> None:
    """Records are found by parts once there are many: by another way in the same function."""
    for asking in twins:
        async with asking.database.transaction() as connection:
            last = await connection.fetchval("SELECT max(place) FROM disclosure")
            await connection.execute(
                "INSERT INTO disclosure_part (since, until, level, entries) VALUES (0, $1, 0, 9)", last
            )
            await connection.execute(
                "INSERT INTO disclosure_of (part, bucket, members, places) SELECT 1, disclosure_bucket(who),"
                " array_agg(who), array_agg(place) FROM disclosure, unnest(members) AS who GROUP BY 2"
            )
    for probe in (EVERYTHING, FIRST):
        left, right = [await asking.ask(ADA, probe) for asking in twins]
        assert left.body == right.body


@pytest.mark.clause("C8", "C12")
async def test_while_a_case_is_deferred_an_archive_names_its_authority_by_no_way(
    twins: tuple[Asking, Asking], tmp_path: Path
) -> None:
    """Nor by a case that names somebody else, nor by what officers looked up meanwhile."""
    asking, _ = twins
    await opened(asking, replace(CASE, members=(f"M-{world.person('ben').number:03}",)))
    looked_up = {"partner": "state-police", "member": CASE.members[0], "scopes": None}
    async with asking.database.transaction() as connection:
        desk = desk_of(asking, connection, "olga")
        await explain_field(desk, category=DataCategory.NAME, **looked_up)  # type: ignore[arg-type]
        await search_disclosures(desk, Wanted(partner="state-police", member=CASE.members[0]), 10)
    for moment, tells in ((ORDER.until - timedelta(microseconds=1), False), (ORDER.until, True)):
        made = await archive_of(asking.database, world.person("ada").id, tmp_path, made_at=moment)
        assert ("police" in made.text.lower()) is tells
        assert len(made.data["staff_actions"]) == (2 if tells else 0)
        assert any(each["partner"] == "State Police" for each in made.data["ids_at_partners"]) is tells


@pytest.mark.clause("C8")
async def test_when_the_deferral_ends_the_member_sees_the_case_by_itself(
    twins: tuple[Asking, Asking],
) -> None:
    asking, _ = twins
    asking.now = ORDER.until
    me = (await asking.ask(ADA, EVERYTHING)).data["me"]
    law = [edge["node"] for edge in me["disclosures"]["edges"] if edge["node"]["basis"] == "LEGAL"]
    assert len(law) == 2
    assert me["disclosures"]["totalCount"] == len(me["disclosures"]["edges"])
    assert {(one["partner"]["displayName"], one["because"]) for one in law} == {
        ("State Police", "the law required it, in a case that named you")
    }


@pytest.mark.clause("C8")
async def test_a_case_that_is_not_deferred_is_shown_to_whom_it_names_and_to_nobody_else(
    asking_alone: Asking,
) -> None:
    await opened(asking_alone)
    data = (await asking_alone.ask(ADA, EVERYTHING)).data
    (police,) = [one for one in data["partners"] if one["name"] == "state-police"]
    (agreement,) = police["agreements"]
    assert (agreement["basis"], agreement["categories"]) == ("LEGAL", ["user.contact", "user.name"])
    assert {reason["reason"] for reason in agreement["reasons"]} == {"The law requires it: K-17/26"}
    assert any(edge["node"]["agreement"]["basis"] == "LEGAL" for edge in data["me"]["shares"]["edges"])
    preview = await asking_alone.ask(ADA, '{ previewAsPartner(partner: "state-police") { name } }')
    assert preview.data["previewAsPartner"] == {"name": "Ada Lovelace"}
    others = (await asking_alone.ask(BEN, EVERYTHING)).data["partners"]
    assert "state-police" not in {one["name"] for one in others}


@pytest.mark.clause("C8")
async def test_a_deferral_takes_two_officers_and_only_another_one_extends_it(asking_alone: Asking) -> None:
    asking = asking_alone
    case_id = await opened(asking)
    shown = "{ partners { name } }"

    async def knows() -> bool:
        partners = (await asking.ask(ADA, shown)).data["partners"]
        return "state-police" in {one["name"] for one in partners}

    await act(asking, "otto", defer_case, case_id, replace(ORDER, until=world.NOW + 2 * DAY))
    assert await knows(), "one officer hides nothing"
    with pytest.raises(ForbiddenError):
        await act(asking, "otto", approve_case, case_id)
    await act(asking, "olga", approve_case, case_id)
    assert not await knows()
    await act(asking, "otto", defer_case, case_id, replace(ORDER, until=world.NOW + 4 * DAY))
    asking.now = world.NOW + 2 * DAY
    assert await knows(), "an extension that nobody approved extends nothing"
    await act(asking, "olga", approve_case, case_id)
    assert not await knows()
    asking.now = world.NOW + 4 * DAY
    assert await knows()


@pytest.mark.clause("C8")
async def test_a_case_whose_deferral_waits_is_not_opened_without_it(asking_alone: Asking) -> None:
    case_id = await act(asking_alone, "olga", open_case, CASE)
    await act(asking_alone, "otto", defer_case, case_id, ORDER)
    with pytest.raises(ForbiddenError):
        await act(asking_alone, "otto", approve_case, case_id)
    view = await act(asking_alone, "olga", show_case, case_id)
    assert view.approved_by is None


@pytest.mark.clause("C8", "R2")
async def test_the_life_of_a_case_over_http(
    own_world: Database, product: Product, settings: Settings, keys: Keyring, asking_alone: Asking
) -> None:
    """Opened, approved, used by the authority's client, seen by the member, expired: the clock is moved."""
    now = [world.NOW]
    case_id = await opened(asking_alone)
    agreement = await agreement_of(asking_alone)
    async with own_world.transaction() as connection:
        await create_client(connection, client_id="police-api", agreement_id=agreement, now=world.NOW)

    def header(kind: SubjectKind, subject: str, client: str, scopes: tuple[str, ...] = ()) -> dict[str, str]:
        minted = mint(settings, keys, kind=kind, subject=subject, client_id=client, scopes=scopes)
        return {"authorization": f"Bearer {minted.token}"}

    police = header(SubjectKind.PARTNER, "police-api", "police-api", ("user.name", "user.contact"))
    ada = header(SubjectKind.MEMBER, str(world.person("ada").id), "web")
    async with (
        compose(settings, keys, own_world, product, lambda: now[0]) as gateway,
        served(gateway.app, listen("127.0.0.1", 0)) as url,
        httpx.AsyncClient(base_url=url) as http,
    ):

        async def ask(headers: dict[str, str], query: str) -> Any:
            accept = {"accept": "application/graphql-response+json"}
            return (await http.post("/graphql", json={"query": query}, headers=headers | accept)).json()

        page = (await ask(police, SEEN))["data"]["members"]
        assert {edge["node"]["name"] for edge in page["edges"]} == {"Ada Lovelace", "Cid Young", "Fay Gone"}
        bulk = await http.get("/partner/members.jsonl", headers=police)
        assert bulk.text.count('"node"') == 3
        me = (await ask(ada, EVERYTHING))["data"]["me"]
        law = [e["node"] for e in me["disclosures"]["edges"] if e["node"]["basis"] == "LEGAL"]
        assert len(law) == 2
        assert law[0]["purpose"] == "LEGAL_OBLIGATION"
        now[0] = CASE.expires_at
        over = await ask(police, SEEN)
        assert "data" not in over or not (over["data"] or {}).get("members", {}).get("edges")
        gone = await http.get("/partner/members.jsonl", headers=police)
        assert '"node"' not in gone.text
    assert (await act(asking_alone, "olga", show_case, case_id)).status(now[0]) == "EXPIRED"
