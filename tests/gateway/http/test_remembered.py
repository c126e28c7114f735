"""Bodies that were read before: who is handed what, how much is kept, and that nothing leaves by it."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any
from weakref import ref

import httpx
import pytest
from graphql import GraphQLSchema

from gateway import operations
from gateway.app import Gateway, Product
from gateway.database import Database
from gateway.handler import MOST_CONTRACTS, GraphQLHandler
from gateway.http import remembered
from gateway.http.messages import GraphQLRequest, Memory
from gateway.http.remembered import Bodies, kept_as
from gateway.keys import Keyring
from gateway.limits import Limits
from gateway.operations import PreparedDocument, digest_of, prepare
from gateway.refusals import RequestRefused
from gateway.settings import Settings
from policies.officers import Role
from resolvers.commands.agreement_changes import narrow_agreement
from resolvers.desk import Desk
from resolvers.officers.accounts import change_roles
from resolvers.revocations import RevocationKind, revoke
from tests import world
from tests.asking import Asking
from tests.officers import OLGA, Clock, entrance
from tests.running import Callers
from tests.world import person

DOCUMENT = "query Q($first: Int) { members(first: $first) { edges { node { id } } } }"


def body(query: str | None = DOCUMENT, **members: Any) -> bytes:
    return json.dumps({"query": query, **members}).encode()


# -- whose they are


def test_a_document_alone_is_read_once_for_everybody() -> None:
    bodies = Bodies()
    first = bodies.read(body(), "ada")
    assert first.memory is not None
    assert all(bodies.read(body(), caller) is first for caller in ("ada", "ben", None))


@pytest.mark.parametrize("own", [{"variables": {"first": 1}}, {"extensions": {"trace": "1"}}])
def test_what_a_caller_adds_is_remembered_for_that_caller_alone(own: Any) -> None:
    bodies = Bodies()
    hers = bodies.read(body(**own), "ada")
    assert bodies.read(body(**own), "ada") is hers
    others = bodies.read(body(**own), "ben")
    assert others.memory is not hers.memory
    assert (others.parameters, others.digest) == (hers.parameters, hers.digest)


def test_visitors_cannot_be_told_apart_and_so_nothing_is_remembered_of_what_they_add() -> None:
    bodies = Bodies()
    assert bodies.read(body(variables={"first": 1}), None).memory is None
    assert len(bodies._known) == 0


@pytest.mark.parametrize(
    "given",
    [
        body('mutation { addPhone(input: {number: "+1"}) { errors { code } } }'),
        body("query A { viewer { audience } } mutation B { signOut { errors { code } } }", operationName="A"),
        body(None, documentId="page"),
        body(None, extensions={"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}),
        body(DOCUMENT + " " * remembered.LONGEST),
    ],
    ids=["mutation", "mutation beside", "by id", "by hash", "long"],
)
def test_neither_mutations_nor_documents_by_name_nor_long_ones_are_remembered(given: bytes) -> None:
    bodies = Bodies()
    assert bodies.read(given, "ada").memory is None
    assert len(bodies._known) == 0


def test_a_refused_body_is_not_remembered_and_refused_again() -> None:
    bodies = Bodies()
    for _ in range(2):
        with pytest.raises(RequestRefused):
            bodies.read(b'{"query": 1}', "ada")
    assert len(bodies._known) == 0


# -- what is written into a document

SECRET = 'mutation { addPhone(input: {number: "+14155550132"}) { errors { code } } }'


@pytest.mark.clause("R1")
def test_a_document_that_may_hold_a_secret_is_kept_for_its_caller_alone() -> None:
    digest = digest_of(SECRET)
    hers = kept_as(SECRET, digest, "ada")
    assert hers == kept_as(SECRET, digest, "ada")
    visitors = {kept_as(SECRET, digest, None) for _ in range(3)}
    assert len({digest, hers, kept_as(SECRET, digest, "ben"), *visitors}) == 6
    assert kept_as(DOCUMENT, digest_of(DOCUMENT), "ada") == digest_of(DOCUMENT)
    assert Bodies().read(body('{ node(id: "1") { id } }'), None).memory is None


@pytest.mark.clause("R1")
async def test_nobody_finds_out_by_the_clock_what_others_wrote_into_a_document(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes long is done anew for each who asks: the second to ask waits as long as the first."""
    done = []

    def counted(schema: GraphQLSchema, source: str, limits: Limits) -> PreparedDocument:
        done.append(source)
        return prepare(schema, source, limits)

    monkeypatch.setattr(operations, "prepare", counted)
    times = []
    for caller in ("ada", "ada", "ben", None, None):
        before = len(done)
        headers = {} if caller is None else callers.headers(caller)
        await callers.http.post("/graphql", json={"query": SECRET}, headers=headers)
        times.append(len(done) - before)
    assert times == [1, 0, 1, 1, 1]


# -- how much is kept


def test_what_is_remembered_is_bounded_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST_BODIES", 3)
    bodies = Bodies()
    kept = [bodies.read(body(variables={"first": n}), "ada") for n in range(5)]
    assert len(bodies._known) == 3
    assert bodies.read(body(variables={"first": 4}), "ada") is kept[4]
    assert bodies.read(body(variables={"first": 0}), "ada") is not kept[0]


def test_what_is_remembered_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST_BYTES", 10_000)
    bodies = Bodies()
    for n in range(20):
        bodies.read(body(DOCUMENT + " " * 1_000, variables={"first": n}), "ada")
    assert 5_000 < bodies._known.weight <= 10_000


class Handling:
    """A handler, and what it is asked by a caller with a body that is remembered as `memory`."""

    def __init__(self, asking: Asking) -> None:
        self.contracts = asking.product.contracts.under(asking.product.contracts.policy)
        self.contracts._kept = type(self.contracts._kept)(64)
        self.handler = GraphQLHandler(self.contracts, asking.preparer, asking.engine)

    async def ask(self, caller: str, memory: Memory | None, query: str) -> bytes:
        request = GraphQLRequest(query, digest_of(query), None, {}, {}, False, "r1", memory=memory)
        return (await self.handler.execute(request, world.CALLERS[caller].principal)).body


async def test_what_is_made_of_a_body_goes_with_the_body_and_with_the_contract(asking: Asking) -> None:
    handling, query = Handling(asking), "{ viewer { audience } }"
    contract = handling.contracts.of(world.CALLERS["ada"].principal)
    memory = Memory()
    await handling.ask("ada", memory, query)
    assert len(contract.ready) == 1
    del memory
    gc.collect()
    assert len(contract.ready) == 0
    memory = Memory()
    await handling.ask("ada", memory, query)
    gone = ref(contract)
    handling.contracts._kept.clear()
    del contract
    gc.collect()
    assert gone() is None
    assert len(memory.keepers) == 0


async def test_a_body_is_kept_ready_for_few_contracts_and_answered_for_all(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.handler.MOST_CONTRACTS", 2)
    handling, memory = Handling(asking), Memory()
    for _ in range(2):
        for caller in ("visitor", "ada", "acme", "acme-names"):
            query = "{ viewer { audience } }"
            assert await handling.ask(caller, memory, query) == await handling.ask(caller, None, query)
    assert len(memory.keepers) == 2 < MOST_CONTRACTS


async def test_a_mutation_is_never_kept_ready(asking: Asking) -> None:
    handling, memory = Handling(asking), Memory()
    await handling.ask("visitor", memory, "mutation { __typename }")
    assert len(memory.keepers) == 0


# -- what leaves


async def post(callers: Callers, caller: str, given: bytes) -> httpx.Response:
    headers = {"accept": "application/graphql-response+json", "content-type": "application/json"}
    return await callers.http.post("/graphql", content=given, headers=headers | callers.headers(caller))


NAMES = body("query Names { members(first: 50) { totalCount edges { node { id name email } } } }")


@pytest.mark.clause("C8")
async def test_the_second_answer_to_equal_bytes_is_the_first_one_byte_for_byte(
    callers: Callers, gateway: Gateway
) -> None:
    asked: dict[str, tuple[bytes, ...]] = {
        "ada": (
            body("{ me { name email orders(first: 2) { edges { node { number } } } } }"),
            body(
                "query($f: Int, $s: Boolean!) { me { name @skip(if: $s) orders(first: $f) { totalCount } } }",
                variables={"f": 2, "s": False},
            ),
        ),
        "acme": (NAMES, body(variables={"first": 3}), body(variables={"first": 4})),
        "visitor": (body("{ policy { title version } }"), body("{ nothing }"), body("{ me { name } }")),
    }
    for caller, bodies in asked.items():
        for given in bodies:
            first, second = [await post(callers, caller, given) for _ in range(2)]
            assert (first.status_code, first.content) == (second.status_code, second.content), given
            spaced = await post(callers, caller, given + b" ")  # other bytes, which were not read before
            assert spaced.content == first.content
    records = await gateway.database.app.fetch(
        "SELECT count(*) FROM disclosure WHERE operation_hash = ANY($1) GROUP BY operation_hash ORDER BY 1",
        [digest_of(json.loads(given)["query"]) for given in asked["acme"]],
    )
    assert [row["count"] for row in records] == [3, 6]


@pytest.mark.clause("C8")
async def test_equal_bytes_are_planned_anew_for_who_may_see_less(callers: Callers) -> None:
    """acme-names is the same client with a narrower token, and bolt another partner."""
    bare = body("{ members(first: 50) { edges { node { id name } } } }")
    for given in (NAMES, bare):
        for _ in range(2):
            assert (await post(callers, "acme", given)).status_code == 200
    for _ in range(2):
        refused = await post(callers, "acme-names", NAMES)
        assert (refused.status_code, "@" in refused.text) == (400, False)
    mine = {e["node"]["id"] for e in (await post(callers, "acme", bare)).json()["data"]["members"]["edges"]}
    other = {e["node"]["id"] for e in (await post(callers, "bolt", bare)).json()["data"]["members"]["edges"]}
    assert mine
    assert other
    assert not mine & other


async def until_refused(callers: Callers, given: bytes, status: int) -> list[httpx.Response]:
    """Asks the same bytes until they are refused; gives the answers before."""
    answers: list[httpx.Response] = []
    async with asyncio.timeout(10):
        while (answer := await post(callers, "acme", given)).status_code != status:
            answers.append(answer)
            await asyncio.sleep(0.02)
    return answers


@pytest.mark.clause("C8")
async def test_of_equal_bytes_the_answer_after_an_agreement_was_narrowed_is_the_narrower_one(
    callers: Callers, gateway: Gateway
) -> None:
    for _ in range(2):
        assert "@" in (await post(callers, "acme", NAMES)).text
    async with gateway.database.transaction() as connection:
        await narrow_agreement(
            connection, gateway.policy(), agreement_id=world.AGREEMENTS["acme"].id,
            categories=["user.contact.email"], now=world.NOW,
        )  # fmt: skip
    assert not [answer for answer in await until_refused(callers, NAMES, 400) if "@" in answer.text]


@pytest.mark.clause("C8")
async def test_equal_bytes_open_nothing_once_the_credential_has_ended(
    callers: Callers, gateway: Gateway
) -> None:
    answer = await post(callers, "acme", NAMES)
    assert answer.status_code == 200
    async with gateway.database.transaction() as connection:
        await revoke(connection, RevocationKind.CLIENT, "acme", now=world.NOW)
        await connection.execute("UPDATE partner_client SET status = 'REVOKED' WHERE client_id = 'acme'")
    await until_refused(callers, NAMES, 401)


@pytest.mark.clause("C8", "C11")
async def test_of_equal_bytes_the_answer_after_a_choice_follows_the_choice(callers: Callers) -> None:
    def email(answer: httpx.Response) -> str | None:
        nodes = {edge["node"]["id"]: edge["node"] for edge in answer.json()["data"]["members"]["edges"]}
        shown: str | None = nodes[str(world.subject("acme", "ada"))]["email"]
        return shown

    given = body("{ members(first: 50) { edges { node { id email } } } }")
    assert email(await post(callers, "acme", given)) == person("ada").email
    choose = "mutation ($i: ChooseInput!) { choose(input: $i) { errors { code } } }"
    refusal = {"direction": "OUT", "categories": ["user.contact.email"]}
    assert (await callers.ask("ada", choose, i=refusal)).json()["data"]["choose"]["errors"] == []
    assert email(await post(callers, "acme", given)) is None


async def test_the_same_bytes_are_two_things_for_two_members(callers: Callers) -> None:
    given = body("query($f: Int) { me { number orders(first: $f) { totalCount } } }", variables={"f": 1})
    for caller in ("ada", "ben", "ada", "ben"):
        told = (await post(callers, caller, given)).json()["data"]["me"]["number"]
        assert told == f"M-{person(caller).number:03}"


async def test_of_equal_bytes_an_officer_is_shown_what_the_roles_of_now_open(
    settings: Settings, keys: Keyring, own_world: Database, product: Product
) -> None:
    asked = "query Records { disclosures(first: 1) { nodes { partner } } }"
    async with entrance(settings, keys, own_world, product, Clock()) as desks:
        pat = await desks.officer("pat", Role.PRIVACY_OFFICER)
        await desks.officer("quinn", Role.PRIVACY_OFFICER)  # somebody has to be left
        for _ in range(2):
            assert (await desks.post(asked, pat.access)).status_code == 200
        async with own_world.transaction() as connection:
            desk = Desk(connection, OLGA, desks.clock(), lambda: product.matrix)
            await change_roles(desk, "pat", [Role.SUPPORT])
        answer = await desks.post(asked, pat.access)
    assert answer.status_code == 400
    assert "disclosures" in answer.json()["errors"][0]["message"]
