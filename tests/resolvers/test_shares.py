"""`share` follows the decisions, whatever happens in whatever order; `share_change` tells exactly that."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.app import Product
from gateway.database import Database
from policies.agreement import AgreementTerms
from policies.choices import Choice
from policies.matrix import Matrix
from policies.sharing import MemberFacts, share_mask
from resolvers.commands.stopping import withdraw_ended
from resolvers.commands.upkeep import SETTLING, open_to_adults
from resolvers.connection import Link
from resolvers.decision_facts import read_choices, read_facts, read_terms
from resolvers.shares import ShareChanges, refresh_shares
from schema.categories import DataCategory, Purpose, mask_of
from schema.ids import new_id
from schema.vocabulary import AgreementStatus, ChoiceSource, Direction
from tests import world
from tests.running import MakeDatabase

MEMBERS = ("ada", "ben", "jon")
CLIENTS = ("acme", "bolt", "wish")
REGIONS = ("US-CA", "DE", None)
PARTS = (
    DataCategory.NAME,
    DataCategory.LAST_NAME,
    DataCategory.EMAIL,
    DataCategory.CONTACT,
    DataCategory.REGION,
)


async def shares(connection: Link) -> dict[tuple[UUID, UUID], int]:
    rows = await connection.fetch("SELECT agreement_id, member_id, mask FROM share")
    return {(row["agreement_id"], row["member_id"]): row["mask"] for row in rows}


async def decided(connection: Link, matrix: Matrix, now: datetime) -> dict[tuple[UUID, UUID], int]:
    """What every share ought to be, from all that is stored, decided one by one."""
    terms = [read_terms(row) for row in await connection.fetch("SELECT * FROM agreement")]
    members = await connection.fetch("SELECT * FROM member")
    choices = await read_choices(connection, [row["id"] for row in members])
    return {
        (agreement.id, row["id"]): mask
        for agreement in terms
        for row in members
        if (
            mask := share_mask(
                matrix,
                agreement,
                read_facts(row),
                choices.get(row["id"], ()),
                max(now, agreement.valid_from),
            )
        )
    }


# -- a plain model, driven by random steps


@dataclass
class Model:
    """The same facts in plain Python, and the lines that the feed has to have."""

    matrix: Matrix
    terms: dict[UUID, AgreementTerms]
    facts: dict[UUID, MemberFacts]
    choices: dict[UUID, list[Choice]] = field(default_factory=dict)
    shares: dict[tuple[UUID, UUID], int] = field(default_factory=dict)
    lines: list[tuple[UUID, UUID, int]] = field(default_factory=list)

    def decide(self, now: datetime) -> dict[tuple[UUID, UUID], int]:
        found = {}
        for agreement in self.terms.values():
            moment = max(now, agreement.valid_from)
            for member, facts in self.facts.items():
                mask = share_mask(self.matrix, agreement, facts, self.choices.get(member, []), moment)
                if mask:
                    found[agreement.id, member] = mask
        return found

    def follow(self, now: datetime, touched: UUID | None = None, changed: int = 0) -> None:
        """Take over the decisions as of `now` and note what differs in what is or was shared."""
        after = self.decide(now)
        for key in sorted(self.shares.keys() | after.keys()):
            before_mask, after_mask = self.shares.get(key, 0), after.get(key, 0)
            line = before_mask ^ after_mask
            if before_mask and key[1] == touched:
                line |= changed & after_mask
            if line:
                self.lines.append((*key, line))
        self.shares = after


@dataclass(frozen=True)
class Choose:
    member: str
    direction: Direction
    day: int
    partner: str | None
    purpose: Purpose | None
    parts: frozenset[DataCategory] | None


@dataclass(frozen=True)
class Alter:
    member: str
    region: str | None
    born: date | None
    status: str
    changed: frozenset[DataCategory]


@dataclass(frozen=True)
class Agree:
    client: str
    status: AgreementStatus
    parts: frozenset[DataCategory]
    until: datetime | None


_parts = st.frozensets(st.sampled_from(PARTS), min_size=1)
_steps = st.lists(
    st.one_of(
        st.builds(
            Choose,
            member=st.sampled_from(MEMBERS),
            direction=st.sampled_from(Direction),
            day=st.integers(0, 4),
            partner=st.sampled_from((None, *world.PARTNERS)),
            purpose=st.sampled_from((None, Purpose.PARTNER_OFFERS, Purpose.MEMBER_ASKED)),
            parts=st.none() | _parts,
        ),
        st.builds(
            Alter,
            member=st.sampled_from(MEMBERS),
            region=st.sampled_from(REGIONS),
            born=st.sampled_from((None, date(1980, 1, 1), date(2012, 1, 1), date(2008, 11, 25))),
            status=st.sampled_from(("ACTIVE", "CLOSED")),
            changed=st.frozensets(st.sampled_from(PARTS)),
        ),
        st.builds(
            Agree,
            client=st.sampled_from(CLIENTS),
            status=st.sampled_from(AgreementStatus),
            parts=_parts,
            until=st.sampled_from((None, world.NOW + timedelta(days=1), world.NOW + timedelta(days=4))),
        ),
    ),
    min_size=1,
    max_size=12,
)


async def _choose(connection: Link, model: Model, step: Choose) -> dict[str, Any]:
    member = world.person(step.member).id
    partner = None if step.partner is None else world.partner_id(step.partner)
    when = world.JUNE + timedelta(days=step.day)
    keys = None if step.parts is None else sorted(step.parts)
    await connection.execute(
        "INSERT INTO choice (id, member_id, requested_at, received_at, direction, source, partner_id,"
        " purpose, categories) VALUES ($1, $2, $3, $4, $5, 'MAIL', $6, $7, $8)",
        new_id(), member, when, world.NOW, step.direction.value, partner,
        None if step.purpose is None else step.purpose.value, keys,
    )  # fmt: skip
    model.choices.setdefault(member, []).append(
        Choice(when, step.direction, partner, step.purpose, step.parts, ChoiceSource.MAIL)
    )
    return {"members": [member]}


async def _alter(connection: Link, model: Model, step: Alter) -> dict[str, Any]:
    member = world.person(step.member).id
    await connection.execute(
        "UPDATE member SET region = $2, birth_date = $3, status = $4 WHERE id = $1",
        member, step.region, step.born, step.status,
    )  # fmt: skip
    model.facts[member] = MemberFacts(step.born, step.region, step.status == "ACTIVE")
    return {"members": [member], "changed": mask_of(step.changed)}


async def _agree(connection: Link, model: Model, step: Agree) -> dict[str, Any]:
    agreement = world.AGREEMENTS[step.client].id
    await connection.execute(
        "UPDATE agreement SET status = $2, categories = $3, valid_until = $4 WHERE id = $1",
        agreement, step.status.value, sorted(step.parts), step.until,
    )  # fmt: skip
    model.terms[agreement] = replace(
        model.terms[agreement], status=step.status, categories=step.parts, valid_until=step.until
    )
    return {"agreements": [agreement]}


class Policy:
    """The compiled policy, with a short name for Hypothesis to print."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix


@pytest.fixture(scope="session")
def policy(product: Product) -> Policy:
    return Policy(product.matrix)


@pytest.fixture(scope="session")
async def quiet_world(make_database: MakeDatabase, world_template: str) -> AsyncIterator[Database]:
    """Whoever uses it rolls back what it did."""
    async with make_database(template=world_template) as database:
        yield database


@asynccontextmanager
async def rolled_back(database: Database) -> AsyncIterator[Link]:
    """A connection in a transaction that is undone at the end."""
    async with database.app.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            yield connection
        finally:
            await transaction.rollback()


@pytest.fixture
async def connection(quiet_world: Database) -> AsyncIterator[Link]:
    """In the world; nothing of what the test does there stays."""
    async with rolled_back(quiet_world) as opened:
        yield opened


@pytest.mark.clause("C11")
@pytest.mark.clause("C8")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=_steps)
async def test_share_and_its_changes_follow_a_plain_model(
    quiet_world: Database, policy: Policy, steps: list[Choose | Alter | Agree]
) -> None:
    async with rolled_back(quiet_world) as connection:
        model = Model(
            policy.matrix,
            {terms.id: terms for terms in world.AGREEMENTS.values()},
            {p.id: MemberFacts(p.born, p.region, active=p.status == "ACTIVE") for p in world.PEOPLE},
            {
                member: list(ledger)
                for member, ledger in (await read_choices(connection, [p.id for p in world.PEOPLE])).items()
            },
        )
        model.follow(world.NOW)
        model.lines.clear()
        start = await connection.fetchval("SELECT max(seq) FROM share_change")
        assert await shares(connection) == model.shares
        for step in steps:
            match step:
                case Choose():
                    scope = await _choose(connection, model, step)
                case Alter():
                    scope = await _alter(connection, model, step)
                case Agree():
                    scope = await _agree(connection, model, step)
            await refresh_shares(connection, policy.matrix, now=world.NOW, **scope)
            model.follow(world.NOW, scope.get("members", [None])[0], scope.get("changed", 0))
            assert await shares(connection) == model.shares
        rows = await connection.fetch(
            "SELECT c.agreement_id, p.member_id, c.mask FROM share_change c"
            " JOIN pairwise_subject p ON p.subject = c.subject WHERE c.seq > $1",
            start,
        )
        assert sorted(map(tuple, rows)) == sorted(model.lines)


@pytest.mark.clause("C11")
async def test_a_change_of_a_withheld_category_leaves_no_line(connection: Link, policy: Policy) -> None:
    """R1: not even that something changed is told to whoever may not see it."""
    jon, mail = world.person("jon").id, mask_of({DataCategory.EMAIL})
    before = await connection.fetchval("SELECT count(*) FROM share_change")
    changes = await refresh_shares(connection, policy.matrix, now=world.NOW, members=[jon], changed=mail)
    assert (changes.opened, changes.changed, changes.withdrawn) == (0, 0, 0)
    assert await connection.fetchval("SELECT count(*) FROM share_change") == before

    ada = world.person("ada").id
    await refresh_shares(connection, policy.matrix, now=world.NOW, members=[ada], changed=mail)
    lines = await connection.fetch("SELECT mask FROM share_change ORDER BY seq OFFSET $1", before)
    assert [line["mask"] for line in lines] == [mail] * 3


async def test_a_pairwise_id_outlives_a_withdrawal(connection: Link, policy: Policy) -> None:
    ada, acme = world.person("ada").id, world.AGREEMENTS["acme"].id
    subject = "SELECT subject FROM share WHERE member_id = $1 AND agreement_id = $2"
    before = await connection.fetchval(subject, ada, acme)
    for status in ("CLOSED", "ACTIVE"):
        await connection.execute("UPDATE member SET status = $2 WHERE id = $1", ada, status)
        await refresh_shares(connection, policy.matrix, now=world.NOW, members=[ada])
    assert await connection.fetchval(subject, ada, acme) == before


async def test_everybody_is_decided_in_whatever_chunks_and_order(
    connection: Link, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.shares.CHUNK", 3)
    expected = await shares(connection)
    await connection.execute("DELETE FROM share")
    changes = await refresh_shares(connection, policy.matrix, now=world.NOW)
    assert await shares(connection) == expected
    assert changes.opened == len(expected)
    await connection.execute("DELETE FROM share")
    everybody = [person.id for person in world.PEOPLE]
    await refresh_shares(connection, policy.matrix, now=world.NOW, members=[*everybody[::2], *everybody])
    assert await shares(connection) == expected


# -- at the same time


@pytest.mark.clause("C11")
async def test_writers_at_the_same_time_leave_what_all_their_choices_decide(
    own_world: Database, policy: Policy
) -> None:
    everybody = [world.person(name).id for name in ("ada", "ben", "hal", "nia")]

    async def write(number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - the same choices in every run
        chosen = chance.sample(everybody, 3)
        async with own_world.transaction() as connection:
            for member in chosen:
                await connection.execute(
                    "INSERT INTO choice (id, member_id, requested_at, received_at, direction, source,"
                    " partner_id, categories) VALUES ($1, $2, $3, $4, $5, 'MAIL', $6, $7)",
                    new_id(),
                    member,
                    world.NOW + timedelta(seconds=number),
                    world.NOW,
                    chance.choice(("IN", "OUT")),
                    chance.choice((None, world.partner_id("acme"))),
                    chance.choice((None, ["user.name"], ["user.contact"])),
                )
            await asyncio.sleep(chance.random() / 50)
            await refresh_shares(connection, policy.matrix, now=world.NOW, members=chosen)

    await asyncio.gather(*(write(number) for number in range(20)))

    async with own_world.connection() as connection:
        assert await shares(connection) == await decided(connection, policy.matrix, world.NOW)


async def _sign(connection: Link) -> UUID:
    """Another agreement with bolt, not decided yet."""
    agreement = new_id()
    terms = world.AGREEMENTS["bolt"]
    await connection.execute(
        "INSERT INTO agreement (id, partner_id, basis, purpose, categories, valid_from, status, version)"
        " VALUES ($1, $2, $3, $4, $5, $6, 'ACTIVE', 1)",
        agreement,
        terms.partner_id,
        terms.basis.value,
        terms.purpose.value,
        sorted(terms.categories),
        terms.valid_from,
    )
    return agreement


async def _opt_out(connection: Link, member: UUID) -> None:
    await connection.execute(
        "INSERT INTO choice (id, member_id, requested_at, received_at, direction, source)"
        " VALUES ($1, $2, $3, $3, 'OUT', 'MAIL')",
        new_id(),
        member,
        world.NOW,
    )


@pytest.mark.clause("C11")
@pytest.mark.parametrize("first", ["agreement", "choice"])
async def test_an_opt_out_counts_for_an_agreement_that_is_signed_at_the_same_time(
    own_world: Database, policy: Policy, first: str
) -> None:
    """Neither sees the other's uncommitted rows, so one has to wait for the other."""
    ada = world.person("ada").id
    async with own_world.app.acquire() as signing, own_world.app.acquire() as choosing:
        signed, chosen = signing.transaction(), choosing.transaction()
        await signed.start()
        await chosen.start()
        agreement = await _sign(signing)
        await _opt_out(choosing, ada)
        order: list[tuple[Any, Any, dict[str, Any]]] = [
            (signing, signed, {"agreements": [agreement]}),
            (choosing, chosen, {"members": [ada]}),
        ]
        if first == "choice":
            order.reverse()
        (one, one_ends, one_scope), (two, two_ends, two_scope) = order
        await refresh_shares(one, policy.matrix, now=world.NOW, **one_scope)
        waiting = asyncio.create_task(refresh_shares(two, policy.matrix, now=world.NOW, **two_scope))
        await asyncio.sleep(0.2)
        await one_ends.commit()
        await waiting
        await two_ends.commit()
    async with own_world.connection() as connection:
        after = await shares(connection)
        assert (agreement, ada) not in after
        assert after == await decided(connection, policy.matrix, world.NOW)


async def test_a_member_who_registers_while_an_agreement_is_signed_is_shared_by_it(
    own_world: Database, policy: Policy
) -> None:
    newcomer = new_id()
    async with own_world.app.acquire() as signing, own_world.app.acquire() as registering:
        signed, registered = signing.transaction(), registering.transaction()
        await signed.start()
        await registered.start()
        agreement = await _sign(signing)
        await registering.execute(
            "INSERT INTO member (id, number, status, given_name, family_name, email, birth_date, interests,"
            " purchase_categories, joined_at, updated_at, version)"
            " VALUES ($1, 'M-900', 'ACTIVE', 'Zoe', 'New', 'zoe@example.org', $2, '{}', '{}', $3, $3, 1)",
            newcomer,
            date(1980, 1, 1),
            world.NOW,
        )
        await refresh_shares(registering, policy.matrix, now=world.NOW, members=[newcomer])
        waiting = asyncio.create_task(
            refresh_shares(signing, policy.matrix, now=world.NOW, agreements=[agreement])
        )
        await asyncio.sleep(0.2)
        await registered.commit()
        await waiting
        await signed.commit()
    async with own_world.connection() as connection:
        assert (agreement, newcomer) in await shares(connection)


async def test_a_changed_agreement_and_a_choice_at_the_same_time_do_not_block_each_other_for_good(
    own_world: Database, policy: Policy
) -> None:
    ada, acme = world.person("ada").id, world.AGREEMENTS["acme"].id
    async with own_world.app.acquire() as changing, own_world.app.acquire() as choosing:
        changed, chosen = changing.transaction(), choosing.transaction()
        await changed.start()
        await chosen.start()
        await _opt_out(choosing, ada)
        await changing.execute("UPDATE agreement SET categories = '{user.name}' WHERE id = $1", acme)
        choice = asyncio.create_task(refresh_shares(choosing, policy.matrix, now=world.NOW, members=[ada]))
        await asyncio.sleep(0.1)
        change = asyncio.create_task(
            refresh_shares(changing, policy.matrix, now=world.NOW, agreements=[acme])
        )
        await asyncio.sleep(0.1)
        if choice.done():
            await chosen.commit()
            await change
            await changed.commit()
        else:
            await change
            await changed.commit()
            await choice
            await chosen.commit()
    async with own_world.connection() as connection:
        assert await shares(connection) == await decided(connection, policy.matrix, world.NOW)


# -- what time makes due


async def test_what_ended_is_withdrawn_and_told(connection: Link, policy: Policy) -> None:
    acme = world.AGREEMENTS["acme"].id
    end = world.NOW + timedelta(days=1)
    await connection.execute("UPDATE agreement SET valid_until = $2 WHERE id = $1", acme, end)

    async def withdraw(now: datetime) -> ShareChanges:
        return await withdraw_ended(lambda: nullcontext(connection), policy.matrix, lambda: now)

    assert (await withdraw(end - timedelta(seconds=1))).withdrawn == 0
    before = await connection.fetchval("SELECT count(*) FROM share_change")
    gone = await withdraw(end)
    assert gone.withdrawn == await connection.fetchval("SELECT count(*) FROM share_change") - before == 8
    assert not [key for key in await shares(connection) if key[0] == acme]
    assert (await withdraw(end)).withdrawn == 0


@pytest.mark.clause("C17")
@pytest.mark.parametrize("also_legal", [False, True])
async def test_who_comes_of_age_is_shared_from_that_day_on(
    connection: Link, policy: Policy, also_legal: bool
) -> None:
    """Whoever a legal case names, or an agreement of the future, has been in `share` before."""
    cid = world.person("cid").id
    birthday = datetime(2030, 1, 1, 12, tzinfo=UTC)  # when the day has begun everywhere
    if also_legal:
        await connection.execute(
            "UPDATE agreement SET basis = 'LEGAL', purpose = $2 WHERE id = $1",
            world.AGREEMENTS["wish"].id,
            Purpose.LEGAL_OBLIGATION.value,
        )
        await refresh_shares(connection, policy.matrix, now=world.NOW)
    acme = (world.AGREEMENTS["acme"].id, cid)
    await open_to_adults(connection, policy.matrix, birthday + SETTLING - timedelta(seconds=1))
    assert acme not in await shares(connection)
    await open_to_adults(connection, policy.matrix, birthday + SETTLING)
    assert acme in await shares(connection)


async def test_terms_are_read_as_they_were_written(connection: Link) -> None:
    rows = await connection.fetch("SELECT * FROM agreement ORDER BY id")
    assert [read_terms(row) for row in rows] == list(world.AGREEMENTS.values())
