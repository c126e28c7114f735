"""Attacks on aggregates: to find one member in counts, alone or together, at once or over time (C5)."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import orjson
import pytest

import resolvers.commands.audience
from gateway.app import Product
from gateway.database import Database
from gateway.keys import Keyring
from gateway.settings import Settings
from policies.audience import Question
from policies.audience_answer import NoisyCounts
from policies.principal import RecipientPrincipal
from policies.privacy_budget import Thousandths, epsilon_of, period_of
from resolvers.audience_counts import count_audience
from resolvers.means import Means
from resolvers.noise import add_noise
from resolvers.privacy_ledger import EVERYONE, read_budget
from schema.vocabulary import AudienceDimension as By
from tests.asking import Asking, Reply
from tests.audiences import CROWD, NOW, RULES, VOCABULARY, insert_agreement, insert_member, question
from tests.conftest import MakeDatabase

VICTIM = {"region": "DE-BY", "interests": ["opera"]}
"""The only one of her kind: born in 1980, so that she is in `AGE_45_54`."""

AGES = [one for one in VOCABULARY.values(By.AGE_BAND) if one != "AGE_45_54"]


async def exact(database: Database, asked: Question) -> tuple[int, ...]:
    async with database.reader.acquire() as connection:
        return (await count_audience(connection, asked, now=NOW)).groups


# -- Differencing

EVERYBODY = question(where={By.REGION: ["DE"]}, epsilon=500)
ALL_BUT_HER = question(where={By.REGION: ["DE"], By.AGE_BAND: AGES}, epsilon=500)
TRIES = 1_500


@pytest.mark.clause("C5")
async def test_the_difference_of_two_counts_does_not_tell_whether_she_is_a_member(
    make_database: MakeDatabase,
) -> None:
    """Everybody in her region, less those who are not of her age: without noise, that is she.

    What differential privacy promises is that no such guess is right more often than e^eps / (1 + e^eps),
    where eps is the sum of both answers'.
    """
    differences = {}
    async with make_database() as database:
        async with database.transaction() as connection:
            await connection.execute(CROWD, 1_200)
            await connection.execute(
                "DELETE FROM member WHERE region = 'DE-BY'"
                " AND birth_date BETWEEN '1971-11-24' AND '1981-11-23'"
            )
        for there in (False, True):
            if there:
                async with database.transaction() as connection:
                    await insert_member(connection, **VICTIM)
            everybody, rest = [(await exact(database, one))[0] for one in (EVERYBODY, ALL_BUT_HER)]
            assert everybody - rest == int(there)  # exact counts would give her away
            differences[there] = [
                left - right for left, right in zip(drawn(everybody), drawn(rest), strict=True)
            ]
    told = epsilon_of(EVERYBODY.epsilon + ALL_BUT_HER.epsilon)
    promise = math.exp(told) / (1 + math.exp(told))
    right = sum(guess >= 1 for guess in differences[True]) + sum(guess < 1 for guess in differences[False])
    assert right / (2 * TRIES) < promise + 6 * math.sqrt(0.25 / (2 * TRIES))
    assert promise < 0.74


def drawn(count: int) -> Sequence[int]:
    return add_noise([count] * TRIES, None, sensitivity=1, paid=EVERYBODY.epsilon).groups


# -- Averaging


@pytest.fixture(scope="module")
async def crowd(make_database: MakeDatabase) -> AsyncIterator[Database]:
    async with make_database() as database:
        async with database.transaction() as connection:
            await connection.execute(CROWD, 3_000)
        yield database


@pytest.fixture
async def asking(
    crowd: Database, product: Product, keys: Keyring, settings: Settings, means: Means
) -> AsyncIterator[Asking]:
    """The engine on a crowd, with nothing spent."""
    yield Asking(product, crowd, keys, settings, replace(means, audience=RULES), NOW)
    owner = await asyncpg.connect(crowd.url)
    await owner.execute("TRUNCATE aggregate_ledger, aggregate_answer, aggregate_release, partner CASCADE")
    await owner.close()


async def recipients(asking: Asking, *names: str, **terms: Any) -> list[RecipientPrincipal]:
    async with asking.database.transaction() as connection:
        return [await insert_agreement(connection, name, **terms) for name in names]


async def told(asking: Asking) -> int:
    async with asking.database.app.acquire() as connection:
        return (await read_budget(connection, period_of(NOW), EVERYONE, Thousandths(0))).spent


EVERY_BAND = ", ".join(reversed(VOCABULARY.values(By.AGE_BAND)))
EVERY_REGION = orjson.dumps(VOCABULARY.regions[::-1]).decode()
GROUPS = "groups { ageBand region count }"
SHAPES = [
    f"{{ audience(groupBy: [AGE_BAND, REGION]) {{ {GROUPS} }} }}",
    f"{{ audience(groupBy: [REGION, AGE_BAND], where: {{}}) {{ {GROUPS} }} }}",
    f"{{ audience(groupBy: [REGION, AGE_BAND, REGION], where: null) {{ total {GROUPS} }} }}",
    f"query Q($w: AudienceWhere) {{ a: audience(where: $w, groupBy: [AGE_BAND, REGION]) {{ {GROUPS} }} }}",
    f"{{ audience(groupBy: [AGE_BAND, REGION], where: {{ageBand: [{EVERY_BAND}]}}) {{ {GROUPS} }} }}",
    f"{{ audience(groupBy: [AGE_BAND, REGION], where: {{region: {EVERY_REGION}}}) {{ {GROUPS} }} }}",
]


@pytest.mark.clause("C5")
async def test_the_question_asked_in_every_shape_by_everybody_has_one_answer(asking: Asking) -> None:
    partners = await recipients(asking, "adco", "bold", "cobra")
    seen = set()
    for who in partners * 3:
        for shape in SHAPES:
            (answer,) = (await asking.ask(who, shape)).data.values()
            seen.add(tuple(sorted((g["ageBand"], g["region"], g["count"] or -1) for g in answer["groups"])))
    assert len(seen) == 1
    assert await told(asking) == 100


@pytest.mark.clause("C5")
async def test_one_number_asked_for_in_ever_new_ways_is_told_until_the_budget_ends(asking: Asking) -> None:
    """Partitions of the same members by something else: each is a new draw, so each costs."""
    (who,) = await recipients(asking, "adco", budget=500)
    answers, codes = 0, set()
    for month in VOCABULARY.values(By.JOINED)[:8]:
        others = [one for one in VOCABULARY.values(By.JOINED) if one != month]
        reply = await asking.ask(
            who,
            "query Q($m: [String!]) { audience(groupBy: [], where: {joined: $m}) { total } }",
            {"m": others},
        )
        answers += not reply.codes
        codes |= set(reply.codes)
    assert answers == 5
    assert codes == {"PRIVACY_BUDGET_SPENT"}
    assert await told(asking) == 500


@pytest.mark.clause("C5")
async def test_recipients_who_work_together_learn_no_more_than_everyone_may(asking: Asking) -> None:
    partners = await recipients(asking, *(f"p{number}" for number in range(5)), budget=1_000)
    asked = "query Q($m: [String!]) { audience(groupBy: [], where: {joined: $m}, epsilon: 0.5) { total } }"
    months = iter(VOCABULARY.values(By.JOINED))
    for who in partners:
        for _ in range(2):
            await asking.ask(who, asked, {"m": [next(months)]})
    assert await told(asking) == RULES.everyone_budget == 3_000


# -- What counts may depend on


@pytest.mark.clause("C10", "R1")
async def test_no_count_depends_on_a_telephone_number(make_database: MakeDatabase) -> None:
    """Twins that differ in their numbers and in how many they have; and what the statement reads at all."""
    async with make_database() as database:
        async with database.transaction() as connection:
            await connection.execute(CROWD, 240)
        asked = [question(By.AGE_BAND, By.REGION), question(By.INTEREST), question(By.JOINED)]
        before = [await exact(database, one) for one in asked]
        async with database.transaction() as connection:
            await connection.execute(
                "INSERT INTO phone (id, member_id, label, added_at)"
                " SELECT gen_random_uuid(), id, label, now() FROM member, unnest(ARRAY['mobile', 'home'])"
                " AS label WHERE random() < 0.7"
            )
            await connection.execute("SET LOCAL ROLE gateway_vault")
            await connection.execute(
                "INSERT INTO vault.sealed_phone (phone_id, member_id, key_id, ciphertext)"
                " SELECT gen_random_uuid(), gen_random_uuid(), 'k', sha256(n::text::bytea)"
                " FROM generate_series(1, 300) AS n"
            )
        assert [await exact(database, one) for one in asked] == before
        read: set[str] = set()
        async with database.reader.acquire() as connection:  # a role that sees nothing of the vault
            spy = Explaining(connection)
            for one in asked:
                await count_audience(spy, one, now=NOW)  # type: ignore[arg-type]
            read = spy.read
        assert read == {"member"}


class Explaining:
    """Explains statements in place of running them, and keeps the names of the tables they would read."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.read: set[str] = set()

    async def fetch(self, statement: str, *parameters: Any) -> list[Any]:
        plan = await self._connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *parameters)
        self._visit(orjson.loads(plan))
        return []

    def _visit(self, node: Any) -> None:
        if isinstance(node, dict):
            self.read |= {node["Relation Name"]} if "Relation Name" in node else set()
            node = list(node.values())
        if isinstance(node, list):
            for below in node:
                self._visit(below)


@pytest.mark.clause("C5")
async def test_an_exact_count_stands_nowhere(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a draw that is known, what is stored, answered and logged is that draw."""

    def draw(*_: object, **__: object) -> NoisyCounts:
        return NoisyCounts((2_111_111,), None, 31)

    monkeypatch.setattr(resolvers.commands.audience, "add_noise", draw)
    (who,) = await recipients(asking, "adco")
    (true,) = await exact(asking.database, question())
    reply = await asking.ask(who, "{ audience(groupBy: []) { total groups { count } } }")
    assert reply.data["audience"] == {"total": 2_111_111, "groups": [{"count": 2_111_111}]}
    async with asking.database.app.acquire() as connection:
        rows = await connection.fetch("SELECT question, groups, total, bound FROM aggregate_release")
    assert [tuple(row.values())[1:] for row in rows] == [([2_111_111], 2_111_111, 31)]
    logged = "".join(capsys.readouterr())
    assert str(true) not in logged
    assert str(true) not in rows[0]["question"]


REFUSED = [
    "{ audience(groupBy: [], epsilon: 2) { total } }",
    '{ audience(groupBy: [], where: {region: ["FR"]}) { total } }',
    '{ audience(groupBy: [], where: {interest: ["sailing"]}) { total } }',
    "{ audience(groupBy: [], where: {joined: []}) { total } }",
]
"""A member of the crowd likes sailing and lives in FR: neither is a listed value."""


@pytest.mark.clause("C5")
async def test_errors_are_the_same_whoever_is_a_member(
    asking: Asking, database: Database, product: Product, keys: Keyring, settings: Settings, means: Means
) -> None:
    deserted = Asking(product, database, keys, settings, replace(means, audience=RULES), NOW)
    here, there = [(await recipients(world, "adco"))[0] for world in (asking, deserted)]
    for document in REFUSED:
        left: Reply = await asking.ask(here, document)
        right: Reply = await deserted.ask(there, document)
        assert left.body == right.body
        assert left.codes == ["BAD_INPUT"]
    assert await told(asking) == await told(deserted) == 0
