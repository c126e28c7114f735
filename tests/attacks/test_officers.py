"""Attacks on the officers' entrance and from behind it: stolen codes, other people's tokens, wider roles."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)

from gateway.app import Product
from gateway.database import Database
from gateway.identity.officers import PATH, officers_audience
from gateway.identity.tokens import SubjectKind, mint
from gateway.keys import Keyring
from gateway.officers_contract import officers_contracts
from gateway.settings import Settings
from policies.officers import Act, Channel, Officer, Role, acts_of
from policies.principal import Entrance, OfficerPrincipal
from resolvers.tokens import SealedTokens, TokenUse
from schema.catalogue import Root
from schema.ids import new_id
from tests import world
from tests.conftest import MakeDatabase
from tests.officers import BEGIN, ENROL, PASSWORD, SIGN_IN, Clock, Desks, Staff, entrance

PROFILE = "query($n: String!, $r: String!) { member(number: $n, reason: $r) { number email givenName } }"


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
async def replica(
    settings: Settings, keys: Keyring, database: Database, product: Product, desks: Desks
) -> AsyncIterator[Desks]:
    async with entrance(settings, keys, database, product, desks.clock) as opened:
        yield opened


@pytest.fixture(scope="module")
async def olga(desks: Desks) -> Staff:
    return await desks.officer("olga", Role.PRIVACY_OFFICER)


@pytest.fixture(scope="module")
async def sam(desks: Desks) -> Staff:
    return await desks.officer("sam", Role.SUPPORT)


@pytest.fixture(scope="module")
async def audra(desks: Desks) -> Staff:
    return await desks.officer("audra", Role.AUDITOR)


async def number_of(desks: Desks, name: str) -> str:
    async with desks.database.transaction() as connection:
        found: str = await connection.fetchval(
            "SELECT number FROM member WHERE id = $1", world.person(name).id
        )
    return found


def principal(*roles: Role) -> OfficerPrincipal:
    officer = Officer("somebody", frozenset(roles), Channel.CONTRACT)
    return OfficerPrincipal(officer, new_id(), new_id(), "officers", "")


# -- getting in


async def test_the_second_factor_is_asked_for_and_a_code_counts_once(desks: Desks) -> None:
    staff = await desks.enrol("una", await desks.invite("una", Role.AUDITOR))
    used = staff.code(desks.clock())
    assert await desks.sign_in(staff, used) == ["INVALID_CREDENTIALS"], "the code of the enrolment"
    desks.clock.ahead += timedelta(seconds=30)
    fresh = staff.code(desks.clock())
    assert await desks.sign_in(staff, "") == ["INVALID_CREDENTIALS"]
    assert await desks.sign_in(staff, "000000" if fresh != "000000" else "1") == ["INVALID_CREDENTIALS"]
    assert await desks.sign_in(staff, fresh, "another password") == ["INVALID_CREDENTIALS"]
    assert await desks.sign_in(staff, fresh) == [], "a wrong password does not use the code up"
    assert await desks.sign_in(staff, fresh) == ["INVALID_CREDENTIALS"]
    recovery = staff.recovery[0]
    assert await desks.sign_in(staff, f" {recovery.upper()} ") == []
    assert await desks.sign_in(staff, recovery) == ["INVALID_CREDENTIALS"]


async def test_of_two_replicas_that_are_given_one_code_one_lets_in(desks: Desks, replica: Desks) -> None:
    staff = await desks.enrol("rae", await desks.invite("rae", Role.AUDITOR))
    for _ in range(3):
        desks.clock.ahead += timedelta(seconds=30)
        code = staff.code(desks.clock())
        both = [Staff("rae", staff.secret), Staff("rae", staff.secret)]
        outcomes = await asyncio.gather(desks.sign_in(both[0], code), replica.sign_in(both[1], code))
        assert sorted(outcomes) == [[], ["INVALID_CREDENTIALS"]]


async def test_an_enrolment_works_once_and_for_a_day(desks: Desks, keys: Keyring) -> None:
    code = await desks.invite("ben", Role.AUDITOR)
    wrong = {"enrolment": code, "password": "ben", "code": "000000"}
    refused = (await desks.ask(ENROL, i=wrong))["data"]["enrol"]
    assert refused["errors"] == [{"path": ["password"], "code": "TOO_SHORT"}]
    refused = (await desks.ask(ENROL, i={**wrong, "password": PASSWORD}))["data"]["enrol"]
    assert refused["errors"] == [{"path": ["code"], "code": "WRONG_CODE"}]
    staff = await desks.enrol("ben", code)
    again = {"enrolment": code, "password": PASSWORD, "code": staff.code(desks.clock())}
    assert (await desks.ask(ENROL, i=again))["data"]["enrol"]["errors"][0]["code"] == "ENROLMENT_OVER"
    late = await desks.invite("lou", Role.AUDITOR)
    desks.clock.ahead += timedelta(hours=24)
    other = SealedTokens(keys.token_key).seal(TokenUse.LINK, bytes(32))
    for text in (code, late, other, "x", late[:-2]):
        begun = (await desks.ask(BEGIN, i={"enrolment": text}))["data"]["beginEnrolment"]
        assert begun == {"errors": [{"code": "ENROLMENT_OVER"}], "name": None, "authenticator": None}


async def test_whoever_does_not_exist_is_answered_alike_and_everybody_is_throttled(
    desks: Desks, sam: Staff
) -> None:
    given = {"name": "nobody", "password": "x" * 20, "code": "123456"}
    unknown = await desks.post(SIGN_IN, i=given)
    known = await desks.post(SIGN_IN, i={**given, "name": sam.name})
    wrong_code = await desks.post(SIGN_IN, i={**given, "name": sam.name, "password": PASSWORD})
    assert unknown.content == known.content == wrong_code.content
    for name in ("nobody", "vic"):
        tried = [
            (await desks.ask(SIGN_IN, i={**given, "name": name}))["data"]["signIn"]["errors"][0]["code"]
            for _ in range(30)
        ]
        assert tried[-1] == "THROTTLED"


async def test_officers_are_not_kept_out_by_what_is_typed_where_members_sign_in(
    desks: Desks, sam: Staff
) -> None:
    query = "mutation($i: SignInInput!) { signIn(input: $i) { errors { code } } }"
    given = {"email": f"officer {sam.name}", "password": "x", "delivery": "PAYLOAD"}
    for _ in range(30):
        await desks.post(query, path="/graphql", i=given)
    assert await desks.sign_in(sam) == []


# -- sessions and tokens


async def test_a_copied_refresh_token_ends_the_session_and_so_does_time(desks: Desks) -> None:
    staff = await desks.officer("rex", Role.AUDITOR)
    renew = (
        "mutation($i: OfficerRefreshInput!) { refreshSession(input: $i) { errors { code } refreshToken } }"
    )

    async def renewed(token: str) -> Any:
        done = (await desks.ask(renew, i={"refreshToken": token}))["data"]["refreshSession"]
        return done["refreshToken"] or done["errors"][0]["code"]

    second = await renewed(staff.refresh)
    third = await renewed(second)
    assert await renewed(second) == third, "its answer may have been lost"
    assert await renewed(staff.refresh) == "SESSION_OVER"
    assert await renewed(third) == "SESSION_OVER"
    assert (await desks.post("{ viewer { name } }", staff.access)).status_code == 401

    assert await desks.sign_in(staff) == []
    desks.clock.ahead += timedelta(minutes=15)
    assert (await desks.post("{ viewer { name } }", staff.access)).status_code == 401, "idle"
    assert await renewed(staff.refresh) == "SESSION_OVER"

    assert await desks.sign_in(staff) == []
    token = staff.refresh
    for _ in range(54):
        desks.clock.ahead += timedelta(minutes=14)
        token = await renewed(token)
    assert token == "SESSION_OVER", "twelve hours at most"


async def test_tokens_of_others_and_forged_ones_open_nothing(
    desks: Desks, sam: Staff, settings: Settings, keys: Keyring
) -> None:
    assert await desks.sign_in(sam) == []
    ada, here = world.person("ada").id, officers_audience(settings)

    def token(kind: SubjectKind, audience: str | None, session: str | None = None) -> str:
        return mint(
            settings, keys, kind=kind, subject=str(ada), client_id="officers", audience=audience,
            session_id=session,
        ).token  # fmt: skip

    tokens = [
        token(SubjectKind.MEMBER, None),
        token(SubjectKind.MEMBER, here, str(new_id())),
        token(SubjectKind.PARTNER, here, str(new_id())),
        token(SubjectKind.OFFICER, None, str(new_id())),
        token(SubjectKind.OFFICER, here, str(new_id())),
        token(SubjectKind.OFFICER, here),
        sam.refresh,
        "x",
    ]
    for each in tokens:
        refused = await desks.post("{ viewer { name } }", each)
        assert refused.status_code == 401
        assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    async with desks.database.transaction() as connection:
        live = await connection.fetchrow(
            "SELECT s.id, s.officer_id FROM officer_session s JOIN officer o ON o.id = s.officer_id"
            " WHERE o.name = 'sam' AND s.ended_at IS NULL ORDER BY s.created_at DESC LIMIT 1"
        )
    assert live is not None
    for kind, status in ((SubjectKind.MEMBER, 401), (SubjectKind.PARTNER, 401), (SubjectKind.OFFICER, 200)):
        made = mint(
            settings, keys, kind=kind, subject=str(live["officer_id"]), client_id="officers", audience=here,
            session_id=str(live["id"]),
        ).token  # fmt: skip
        assert (await desks.post("{ viewer { name } }", made)).status_code == status
    elsewhere = await desks.post("{ viewer { audience } }", sam.access, path="/graphql")
    assert elsewhere.status_code == 401
    not_of_us = token(SubjectKind.OFFICER, None, str(new_id()))
    assert (await desks.post("{ viewer { audience } }", not_of_us, path="/graphql")).status_code == 401
    assert (await desks.post("{ viewer { name } }", sam.access)).status_code == 200


async def test_who_was_disabled_is_out_of_every_replica_with_the_next_request(
    desks: Desks, replica: Desks, olga: Staff
) -> None:
    assert await desks.sign_in(olga) == []
    staff = await desks.officer("dan", Role.AUDITOR, Role.SUPPORT)
    roles = "mutation($i: ChangeRolesInput!) { changeRoles(input: $i) { errors { message } } }"
    narrower = {"name": "dan", "roles": ["AUDITOR"]}
    assert (await desks.ask(roles, olga.access, i=narrower))["data"]["changeRoles"]["errors"] == []
    seen = await replica.ask("{ viewer { roles } }", staff.access)
    assert seen["data"]["viewer"]["roles"] == ["AUDITOR"]
    disable = "mutation($i: OfficerInput!) { disableOfficer(input: $i) { errors { code } } }"
    assert (await desks.ask(disable, olga.access, i={"name": "dan"}))["data"]["disableOfficer"][
        "errors"
    ] == []
    assert (await replica.post("{ viewer { name } }", staff.access)).status_code == 401
    assert await replica.sign_in(staff) == ["INVALID_CREDENTIALS"]
    other = await desks.officer("eli", Role.AUDITOR)
    async with desks.database.transaction() as connection:
        await connection.execute("UPDATE officer SET status = 'DISABLED' WHERE name = 'eli'")
    assert (await replica.post("{ viewer { name } }", other.access)).status_code == 401, "session or not"
    last = (await desks.ask(disable, olga.access, i={"name": "olga"}))["data"]["disableOfficer"]
    assert last["errors"] == [{"code": "BAD_INPUT"}], "the last privacy officer stays"
    assert (await desks.post("{ viewer { name } }", olga.access)).status_code == 200


# -- what each role sees


def test_a_contract_shows_what_the_roles_may_do_and_nothing_else(product: Product) -> None:
    catalogue, contracts = officers_contracts(lambda: product.matrix)
    for role in Role:
        schema = contracts.of(principal(role)).schema
        for type_name, type_ in (("Query", schema.query_type), ("Mutation", schema.mutation_type)):
            shown = set() if type_ is None else set(type_.fields)
            permitted = {
                name
                for (owner, name), source in catalogue.fields.items()
                if owner == type_name
                and isinstance(source, Root)
                and (
                    Act(source.act) in acts_of(frozenset({role}))
                    if source.act is not None
                    else principal().audience in source.audiences
                )
            }
            assert shown == permitted
    support = contracts.of(principal(Role.SUPPORT)).sdl
    assert "createAgreement" not in support
    assert "CreateAgreementInput" not in support
    assert "takeRequest" in support
    assert contracts.of(principal(Role.AUDITOR)).schema.mutation_type is not None
    assert "member(" not in contracts.of(principal(Role.AUDITOR)).sdl
    outside = build_schema(contracts.of(Entrance()).sdl)
    assert isinstance(outside.query_type, GraphQLObjectType)
    assert set(outside.query_type.fields) == {"entrance"}


def test_every_operation_of_the_contract_names_its_act(product: Product) -> None:
    catalogue, _ = officers_contracts(lambda: product.matrix)
    without = {
        name for (owner, name), source in catalogue.fields.items()
        if owner in {"Query", "Mutation"} and isinstance(source, Root) and source.act is None
    }  # fmt: skip
    assert without == {
        "viewer", "entrance", "signIn", "refreshSession", "beginEnrolment", "enrol", "signOut",
        "signOutEverywhere",
    }  # fmt: skip


def test_no_other_contract_has_a_trace_of_officers(product: Product) -> None:
    _, contracts = officers_contracts(lambda: product.matrix)
    of_officers = names_of(contracts.of(principal(*Role)).schema) | names_of(contracts.of(Entrance()).schema)
    of_officers -= names_of(product.contracts._schema)
    assert {"createAgreement", "OfficerSignInInput", "Profile", "requests"} - of_officers == {"requests"}
    for name in ("visitor", "ada", "acme"):
        shown = names_of(product.contracts.of(world.CALLERS[name].principal).schema)
        assert not shown & of_officers
        assert not [each for each in shown if re.search("(?i)officer|entrance", each)]


def names_of(schema: GraphQLSchema) -> set[str]:
    """Every name in a schema: of types, fields, arguments and values."""
    names = set()
    for type_ in schema.type_map.values():
        names.add(type_.name)
        if isinstance(type_, GraphQLObjectType | GraphQLInputObjectType):
            names |= set(type_.fields)
        if isinstance(type_, GraphQLObjectType):
            names |= {argument for field in type_.fields.values() for argument in field.args}
        if isinstance(type_, GraphQLEnumType):
            names |= set(type_.values)
    return names


async def test_support_cannot_name_what_it_may_not_do(desks: Desks, sam: Staff) -> None:
    assert await desks.sign_in(sam) == []
    before = await desks.last()
    for document in (
        'mutation { a: revokeClient(input: {clientId: "acme"}) { errors { code } } }',
        'fragment F on Mutation { endAgreement(input: {agreement: "x"}) { __typename } } mutation { ...F }',
        'mutation { ... on Mutation { createPartner(input: {name: "x", displayName: "X"}) { __typename } } }',
        "{ a: actions { nodes { seq } } }",
        "{ officers { name } }",
        "{ disclosures { nodes { members } } }",
    ):
        refused = await desks.post(document, sam.access)
        assert refused.status_code == 400
        assert "data" not in refused.json()
    shown = (await desks.ask("{ __schema { types { name } } }", sam.access))["data"]["__schema"]["types"]
    assert not {"Action", "CreateAgreementInput", "Officer"} & {each["name"] for each in shown}
    assert await desks.last() == before


# -- profiles


@pytest.mark.clause("C12", "R1")
async def test_a_profile_is_read_for_a_reason_that_is_written_first_and_she_reads_it(
    desks: Desks, sam: Staff, settings: Settings, keys: Keyring
) -> None:
    assert await desks.sign_in(sam) == []
    number, before = await number_of(desks, "ada"), await desks.last()
    for reason, code in (("", "BAD_INPUT"), ("  ", "BAD_INPUT"), ("x" * 501, "BAD_INPUT"),
                         ("call +1 415 555 0132", "PHONE_NUMBER_IN_TEXT")):  # fmt: skip
        refused = await desks.ask(PROFILE, sam.access, n=number, r=reason)
        assert refused["errors"][0]["extensions"]["code"] == code
        assert refused["data"] == {"member": None}
    without = await desks.post(f'{{ member(number: "{number}") {{ email }} }}', sam.access)
    assert without.status_code == 400
    nobody = await desks.ask(PROFILE, sam.access, n="M-nobody-0", r="curious")
    assert nobody["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert "M-nobody-0" not in str(nobody)
    assert await desks.last() == before, "what was refused read nothing"

    shown = await desks.ask(PROFILE, sam.access, n=number, r="she asked about an order")
    assert shown["data"]["member"] == {"number": number, "email": "ada@example.org", "givenName": "Ada"}
    (line,) = await desks.lines(before)
    assert line[1:] == ("sam", "profile.read", "a profile", "she asked about an order")

    token = mint(
        settings, keys, kind=SubjectKind.MEMBER, subject=str(world.person("ada").id), client_id="web"
    ).token
    own = "{ me { staffAccess(first: 5) { totalCount edges { node { act reason doneAt } } } } }"
    seen = (await desks.post(own, token, path="/graphql")).json()["data"]["me"]["staffAccess"]
    assert seen["totalCount"] == 1
    assert seen["edges"][0]["node"]["reason"] == "she asked about an order"
    assert "sam" not in str(seen)


async def test_what_cannot_be_written_down_is_not_shown(desks: Desks, sam: Staff) -> None:
    assert await desks.sign_in(sam) == []
    number = await number_of(desks, "ada")
    owner = await asyncpg.connect(desks.database.url)
    try:
        await owner.execute("REVOKE INSERT ON officer_action FROM gateway_app")
        for document in (
            f'{{ member(number: "{number}", reason: "curious") {{ email }} }}',
            "{ requests { nodes { memberNumber } } }",
            "{ partners { name } }",
        ):
            refused = await desks.post(document, sam.access)
            assert "ada@example.org" not in refused.text
            assert "acme" not in refused.text
            assert refused.json().get("errors")
    finally:
        await owner.execute("GRANT INSERT ON officer_action TO gateway_app")
        await owner.close()


async def test_no_way_leads_from_a_request_to_a_profile(product: Product) -> None:
    """The one field that shows a profile takes a reason: nothing nested does."""
    _, contracts = officers_contracts(lambda: product.matrix)
    schema = contracts.of(principal(*Role)).schema
    leads = [
        f"{name}.{field}"
        for name, type_ in schema.type_map.items()
        if isinstance(type_, GraphQLObjectType)
        for field, made in type_.fields.items()
        if str(made.type).strip("!") == "Profile"
    ]
    assert leads == ["Query.member"]
    words = " ".join(
        field
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        for field in type_.fields
    )
    assert not re.search("(?i)phone|telephone|passw|hash", words)


@pytest.mark.clause("R1", "C10")
async def test_no_answer_to_an_officer_holds_a_number(desks: Desks, olga: Staff) -> None:
    """Everything of everybody is asked; `tests.canaries` looks for what is sealed in what left."""
    assert await desks.sign_in(olga) == []
    everything = (
        'query($n: String!) { member(number: $n, reason: "looking") { number status givenName familyName'
        " email birthDate region joinedAt newsletter addresses(first: 20) { edges { node { line1 city } } }"
        " orders(first: 5) { totalCount } communications(first: 5) { edges { node { subject body } } }"
        " choices(first: 5) { edges { node { topic } } } disclosures(first: 5) { totalCount }"
        " requests(first: 5) { edges { node { subject body } } } } }"
    )
    for person in world.PEOPLE:
        answer = await desks.ask(everything, olga.access, n=await number_of(desks, person.name.lower()))
        assert answer["data"]["member"]["email"] == person.email
        assert "errors" not in answer


# -- the log


DONE = "{ errors { code message } }"
ON = 'input: {agreement: "$A"}'
GROUNDS = (
    'grounds: [{category: "user.name", reason: "to write"},'
    ' {category: "user.contact.email", reason: "to write"}]'
)
NEW = f'input: {{partner: "nova", basis: STRATEGIC, purpose: PARTNER_OFFERS, draft: false, {GROUNDS}}}'
NEWCOMER = 'input: {name: "new", displayName: "New", roles: ["SUPPORT"]}'
MUTATIONS: list[tuple[str, str]] = [
    ("createPartner", f'(input: {{name: "nova", displayName: "Nova"}}) {DONE}'),
    ("createAgreement", f"({NEW}) {{ errors {{ code message }} agreement {{ id status }} opened }}"),
    ("stateReasons", f'(input: {{agreement: "$A", {GROUNDS}}}) {DONE}'),
    ("approveCategories", f"({ON}) {{ errors {{ code }} agreement {{ grounds {{ approvedBy }} }} }}"),
    ("narrowAgreement", f'(input: {{agreement: "$A", categories: ["user.contact.email"]}}) {DONE}'),
    ("changeAgreement", f'(input: {{agreement: "$A", validUntil: "2099-01-01"}}) {DONE}'),
    ("createClient", '(input: {clientId: "nova-api", agreement: "$A"}) { errors { code } secret }'),
    ("rotateClientSecret", '(input: {clientId: "nova-api"}) { errors { code } secret }'),
    ("revokeClient", f'(input: {{clientId: "nova-api"}}) {DONE}'),
    ("suspendAgreement", f"({ON}) {DONE}"),
    ("activateAgreement", f"({ON}) {DONE}"),
    ("endAgreement", f"({ON}) {DONE}"),
    ("takeRequest", f'(input: {{id: "$R"}}) {DONE}'),
    ("answerRequest", f'(input: {{id: "$R", outcome: "It is on its way."}}) {DONE}'),
    ("createOfficer", f"({NEWCOMER}) {{ errors {{ code }} enrolment }}"),
    ("changeRoles", f'(input: {{name: "new", roles: ["AUDITOR"]}}) {DONE}'),
    ("resetFactor", '(input: {name: "new"}) { errors { code } enrolment }'),
    ("disableOfficer", f'(input: {{name: "new"}}) {DONE}'),
    ("signOutEverywhere", f" {DONE}"),
]
OF_CASES = {"openCase", "approveCase", "deferCase", "closeCase"}
"""Tried by two officers, below."""

OF_BUSINESS = {"openTransfer", "approveTransfer", "cancelTransfer", "publishPolicy", "rollBackPolicy"}
"""Tried in `tests.attacks.test_officers_publish`."""

"""Every command of the contract, in an order in which they work."""


async def test_each_command_of_the_contract_leaves_its_line(
    desks: Desks, olga: Staff, product: Product
) -> None:
    assert await desks.sign_in(olga) == []
    request = new_id()
    async with desks.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO member_request (id, member_id, kind, status, subject, body, opened_at, due_at)"
            " VALUES ($1, $2, 'CONTACT', 'OPEN', 'Hello', 'Where is it?', now(), now())",
            request,
            world.person("ada").id,
        )
    names = {"$R": str(request)}
    for field, rest in MUTATIONS:
        before = await desks.last()
        for name, value in names.items():
            rest = rest.replace(name, value)  # noqa: PLW2901
        answer = await desks.ask(f"mutation {{ {field}{rest} }}", olga.access)
        assert "errors" not in answer, field
        assert answer["data"][field]["errors"] == [], field
        lines = await desks.lines(before)
        assert lines, field
        assert {line[1] for line in lines} == {"olga"}
        assert act_of(product, "Mutation", field) in {*(line[2] for line in lines), None}, field
        if field == "createAgreement":
            assert answer["data"][field]["agreement"]["status"] == "ACTIVE"
            names["$A"] = answer["data"][field]["agreement"]["id"]
    _, contracts = officers_contracts(lambda: product.matrix)
    commands = contracts.of(principal(*Role)).schema.mutation_type
    assert commands is not None
    assert set(commands.fields) == {name for name, _ in MUTATIONS} | OF_CASES | OF_BUSINESS | {
        "signOut",
        "refreshSession",
    }


@pytest.mark.usefixtures("sam")
async def test_records_are_searched_and_paged_by_the_auditor(desks: Desks, audra: Staff) -> None:
    assert await desks.sign_in(audra) == []
    page = (
        "query($a: String, $w: ActionsWhere) { actions(first: 2, after: $a, where: $w)"
        " { nodes { seq officer act about reason member } endCursor hasNextPage } }"
    )
    seen: list[int] = []
    after = None
    for _ in range(3):
        found = (await desks.ask(page, audra.access, a=after))["data"]["actions"]
        seen += [int(node["seq"]) for node in found["nodes"]]
        after = found["endCursor"]
    assert seen == sorted(set(seen), reverse=True)
    mine = (await desks.ask(page, audra.access, w={"officer": "sam", "act": "session.begin"}))["data"][
        "actions"
    ]
    assert {(node["officer"], node["act"]) for node in mine["nodes"]} == {("sam", "session.begin")}
    foreign = await desks.ask(page, audra.access, a=after, w={"officer": "sam"})
    assert foreign["errors"][0]["extensions"]["code"] == "BAD_CURSOR"
    wrong = await desks.ask(page, audra.access, w={"act": "nonsense"})
    assert wrong["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert "nonsense" not in str(wrong)
    disclosures = (
        "query($w: DisclosuresWhere) { disclosures(first: 5, where: $w) { nodes { partner members } } }"
    )
    assert "errors" not in await desks.ask(disclosures, audra.access, w={"partner": "acme"})
    unknown = await desks.ask(disclosures, audra.access, w={"partner": "zzzz"})
    assert unknown["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert "zzzz" not in str(unknown)
    too_many = await desks.ask("{ actions(first: 100000) { nodes { seq } } }", audra.access)
    assert too_many["errors"][0]["extensions"]["code"] in {"PAGE_SIZE", "TOO_COSTLY", "OPERATION_TOO_COSTLY"}


def act_of(product: Product, owner: str, field: str) -> str | None:
    """The act by which a root field is cut."""
    source = officers_contracts(lambda: product.matrix)[0].fields[owner, field]
    assert isinstance(source, Root)
    return source.act


QUERIES: list[str] = [
    "{ viewer { name } }",
    "{ partners { name } }",
    "{ audience(groupBy: []) { total bound } }",
    "{ audienceDimensions { dimension values } }",
    '{ agreements(partner: "acme") { id basis grounds { reason } } }',
    '{ agreement(id: "$A") { status grounds { category reason approvedBy } } }',
    '{ agreementReport(id: "$A", days: 30) { category responses fetched } }',
    '{ client(id: "$C") { status credentials { name since } } }',
    '{ member(number: "$N", reason: "looking") { email } }',
    "{ requests(where: {kind: CONTACT, status: OPEN}, first: 1) { nodes { id } endCursor hasNextPage } }",
    '{ request(id: "$R") { subject body memberNumber } }',
    "{ overdueDeletions { partner overdue } }",
    '{ deletions(partner: "acme", first: 1) { nodes { subject categories } hasNextPage } }',
    '{ disclosures(first: 1, where: {member: "$N"}) { nodes { partner } } }',
    "{ actions(first: 1) { nodes { seq } } }",
    "{ officers { name status } }",
    "{ notices { title body categories regions refused withdrawnAt } }",
    "{ policyVersions { number title publishedBy mailed } }",
    "{ transfers { id status } }",
    '{ transfer(id: "$T") { status acquirer effectiveAt } }',
    "{ cases { id status } }",
    '{ case(id: "$K") { status members } }',
    '{ explanations(where: {partner: "acme", member: "$N", category: "user.name"}) { agreement lines } }',
]
"""Every query of the contract."""


async def test_each_query_of_the_contract_leaves_its_line_and_no_error_holds_what_was_sent(
    desks: Desks, product: Product
) -> None:
    staff = await desks.officer("quinn", *Role)
    async with desks.database.transaction() as connection:
        agreement = await connection.fetchrow(
            "SELECT a.id, client_id FROM agreement a JOIN partner_client c ON c.agreement_id = a.id"
            " JOIN partner p ON p.id = a.partner_id WHERE p.name = 'acme' LIMIT 1"
        )
        request = new_id()
        await connection.execute(
            "INSERT INTO member_request (id, kind, status, subject, body, reply_to, opened_at, due_at)"
            " VALUES ($1, 'CONTACT', 'OPEN', 'Hello', 'Open?', 'v@example.org', now(), now())",
            request,
        )
    assert agreement is not None
    names = {
        "$A": str(agreement["id"]),
        "$C": agreement["client_id"],
        "$N": await number_of(desks, "ada"),
        "$R": str(request),
    }
    names["$K"] = (await proposed(desks, staff))["case"]["id"]
    names["$T"] = await proposed_transfer(desks, staff)
    for query in QUERIES:
        filled, wrong = query, query
        for name, value in names.items():
            filled = filled.replace(name, value)
            wrong = wrong.replace(name, "01a20ac4-370b-7bef-8f06-938acc011a8c")
        before = await desks.last()
        answer = await desks.ask(filled, staff.access)
        assert "errors" not in answer, query
        acts = [line[2] for line in await desks.lines(before)]
        declared = act_of(product, "Query", re.findall(r"[a-zA-Z]+", query)[0])
        assert acts == ([] if declared is None else [declared]), query
        refused = await desks.ask(wrong, staff.access)
        assert "938acc011a8c" not in str(refused), query
        assert ("errors" in refused) == (wrong != query and "$" in query), query
    _, contracts = officers_contracts(lambda: product.matrix)
    asked = {re.findall(r"[a-zA-Z]+", query)[0] for query in QUERIES}
    schema = contracts.of(principal(*Role)).schema
    assert schema.query_type is not None
    assert set(schema.query_type.fields) == asked


async def proposed_transfer(desks: Desks, staff: Staff) -> str:
    """A transfer to Bolt, as this officer proposes it."""
    closing = (desks.clock() + timedelta(days=5)).isoformat()
    given = {"acquirer": "bolt", "closingAt": closing, "reason": "the contract of sale"}
    query = (
        "mutation($i: OpenTransferInput!) { openTransfer(input: $i)"
        " { errors { message } transfer { id status effectiveAt } } }"
    )
    done = (await desks.ask(query, staff.access, i=given))["data"]["openTransfer"]
    assert done["errors"] == []
    assert (done["transfer"]["status"], done["transfer"]["effectiveAt"]) == ("PROPOSED", None)
    found: str = done["transfer"]["id"]
    return found


async def proposed(desks: Desks, staff: Staff) -> Any:
    """A case about Ada, as this officer proposes it."""
    given = {
        "authority": "court",
        "authorityName": "District Court",
        "reference": "AZ 12 C 7 of 2026",
        "ground": "an order of the court",
        "categories": ["user.name"],
        "members": [await number_of(desks, "ada")],
        "expiresAt": (desks.clock() + timedelta(days=30)).isoformat(),
    }
    query = "mutation($i: OpenCaseInput!) { openCase(input: $i) { errors { code } case { id status } } }"
    done = (await desks.ask(query, staff.access, i=given))["data"]["openCase"]
    assert done["errors"] == []
    assert done["case"]["status"] == "PROPOSED"
    return done


@pytest.mark.clause("C8")
async def test_a_case_is_approved_by_another_officer_who_has_signed_in(desks: Desks) -> None:
    first = await desks.officer("tia", Role.PRIVACY_OFFICER)
    second = await desks.officer("ugo", Role.PRIVACY_OFFICER)
    case = (await proposed(desks, first))["case"]["id"]
    shown = "{ errors { code message } case { status approvedBy deferredUntil } }"
    approve = f"mutation($i: CaseIdInput!) {{ approveCase(input: $i) {shown} }}"
    own = (await desks.ask(approve, first.access, i={"id": case}))["data"]["approveCase"]
    assert own["errors"][0]["code"] == "FORBIDDEN"
    assert case not in str(own)
    done = (await desks.ask(approve, second.access, i={"id": case}))["data"]["approveCase"]
    assert done["case"] == {"status": "OPEN", "approvedBy": "ugo", "deferredUntil": None}
    until = (desks.clock() + timedelta(days=9)).isoformat()
    order = {"orderedBy": "the court", "reference": "AZ 12", "until": until}
    defer = f"mutation($i: DeferCaseInput!) {{ deferCase(input: $i) {shown} }}"
    done = (await desks.ask(defer, first.access, i={"id": case, "order": order}))["data"]["deferCase"]
    assert (done["errors"], done["case"]["deferredUntil"]) == ([], None)
    done = (await desks.ask(approve, second.access, i={"id": case}))["data"]["approveCase"]
    assert done["case"]["deferredUntil"] is not None
    close = f"mutation($i: CaseIdInput!) {{ closeCase(input: $i) {shown} }}"
    done = (await desks.ask(close, first.access, i={"id": case}))["data"]["closeCase"]
    assert (done["errors"], done["case"]["status"]) == ([], "CLOSED")
    acts = {(officer, act) for _, officer, act, _, _ in await desks.lines()}
    assert {("tia", "case.open"), ("ugo", "case.approve"), ("tia", "case.close")} <= acts


async def test_the_entrance_is_closed_unless_it_is_opened(settings: Settings, callers: Any) -> None:
    assert settings.officer_contract is False
    assert (await callers.http.post(PATH, json={"query": "{ entrance { advice } }"})).status_code == 404
