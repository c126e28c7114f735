"""What stands in `suppression` after anything that changes it: in a database, without HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from gateway.app import Product
from gateway.database import Database
from gateway.keys import Keyring
from policies.email_addresses import comparable_email
from resolvers.commands.partners import create_agreement, set_agreement_status
from resolvers.suppression_reads import REFRESH, bring, find, forget_old
from resolvers.suppressions import digest_of, forget_suppressions, note_adults, retire_keys, settle
from schema.categories import Basis, Purpose
from schema.errors import QuotaExceededError
from schema.vocabulary import AgreementStatus
from tests import world
from tests.mailers import choose, give_key, refuse

ACME = world.AGREEMENTS["acme"]
NAMES = {person.email: person.name.lower() for person in world.PEOPLE}


class Standing:
    """The rows, by whose address they are of."""

    def __init__(self, database: Database, keys: Keyring) -> None:
        self.database = database
        self.keys = keys
        self.others: list[str] = []

    async def settle(self, now: Any = world.NOW) -> None:
        async with self.database.transaction() as connection:
            await settle(connection, self.keys.suppression_key, now)

    async def of(self, agreement: Any = ACME.id, generation: int = 1) -> Mapping[str, bool]:
        partner = await self.database.app.fetchval(
            "SELECT partner_id FROM agreement WHERE id = $1", agreement
        )
        key = self.keys.suppression_key(partner, generation)
        known = {digest_of(key, str(comparable_email(a))): a for a in (*NAMES, *self.others)}
        rows = await self.database.app.fetch(
            "SELECT digest, suppressed FROM suppression WHERE agreement_id = $1 AND generation = $2",
            agreement,
            generation,
        )
        return {NAMES.get(known[row["digest"]], known[row["digest"]]): row["suppressed"] for row in rows}


@pytest.fixture
async def standing(own_world: Database, keys: Keyring) -> Standing:
    await give_key(own_world, keys, "acme")
    standing = Standing(own_world, keys)
    await standing.settle()
    return standing


OUT = {"gus": True, "ida": True, "jon": True}


async def test_without_a_key_nothing_is_kept_and_nothing_piles_up(own_world: Database, keys: Keyring) -> None:
    assert await own_world.app.fetchval("SELECT count(*) FROM suppression_due") > 0
    await Standing(own_world, keys).settle()
    assert await own_world.app.fetchval("SELECT count(*) FROM suppression") == 0
    assert await own_world.app.fetchval("SELECT count(*) FROM suppression_due") == 0


@pytest.mark.clause("C9", "C11")
async def test_only_who_refused_has_a_row(standing: Standing) -> None:
    assert await standing.of() == OUT
    assert await standing.of(world.AGREEMENTS["bolt"].id) == {}, "another partner has no key yet"
    assert await standing.of(world.AGREEMENTS["wish"].id) == {}


@pytest.mark.clause("C11")
async def test_a_list_of_refusals_may_come_in_any_order_and_twice(standing: Standing) -> None:
    standing.others = ["one@example.net", "two@example.net"]
    for _ in range(2):
        await refuse(standing.database, "one@example.net", world.at("2026-03-01"))
        await refuse(standing.database, "one@example.net", world.at("2026-02-01"), "IN")
        await refuse(standing.database, "two@example.net", world.at("2026-03-01"), "IN")
        await refuse(standing.database, "two@example.net", world.at("2026-02-01"))
        await standing.settle()
        assert await standing.of() == OUT | {"one@example.net": True}
    await refuse(standing.database, "ONE@example.net", world.at("2026-03-02"), "IN")
    await standing.settle()
    assert await standing.of() == OUT | {"one@example.net": False}


@pytest.mark.clause("C11")
async def test_of_a_member_and_her_address_the_latest_request_decides(standing: Standing) -> None:
    await refuse(standing.database, "ada@example.org", world.at("2026-03-01"))
    await standing.settle()
    assert (await standing.of())["ada"]
    assert await owners(standing, "ada") == (world.person("ada").id, True)
    await choose(standing.database, "ada", "IN", world.at("2026-02-01"))
    await standing.settle()
    assert (await standing.of())["ada"]
    await choose(standing.database, "ada", "IN", world.at("2026-04-01"), partner_id=world.partner_id("acme"))
    await standing.settle()
    assert not (await standing.of())["ada"]


@pytest.mark.clause("C9")
async def test_refusing_the_newsletter_is_refusing_promotional_mail(standing: Standing) -> None:
    await choose(standing.database, "ada", "OUT", world.at("2026-03-01"), topic="NEWSLETTER")
    await standing.settle()
    assert (await standing.of())["ada"]
    await choose(standing.database, "ada", "IN", world.at("2026-03-02"), topic="NEWSLETTER")
    await choose(standing.database, "gus", "IN", world.at("2026-03-02"), topic="NEWSLETTER")
    await standing.settle()
    assert await standing.of() == OUT | {"ada": False}


@pytest.mark.clause("C17")
async def test_of_protected_members_nothing_is_kept_but_what_was_asked_for_the_address(
    standing: Standing,
) -> None:
    for name in ("cid", "dot"):
        await choose(standing.database, name, "OUT", world.at("2026-03-01"))
    await standing.settle()
    assert await standing.of() == OUT
    await refuse(standing.database, "cid@example.org", world.at("2026-03-01"))
    await standing.settle()
    assert await standing.of() == OUT | {"cid": True}
    assert await owners(standing, "cid") == (None, True)
    # The birth date of one who refused is corrected: she was a child all along.
    await standing.database.app.execute(
        "UPDATE member SET birth_date = '2015-01-01' WHERE id = $1", world.person("gus").id
    )
    await standing.settle()
    assert "gus" not in await standing.of()
    # A child's refusal counts from the day on which it is none any more.
    later = world.NOW + timedelta(days=366 * 4)
    async with standing.database.transaction() as connection:
        await note_adults(connection, world.NOW, later)
    await standing.settle(later)
    assert await owners(standing, "cid") == (world.person("cid").id, True)
    assert "gus" not in await standing.of()


async def test_who_claims_an_address_without_having_shown_it_has_no_say(standing: Standing) -> None:
    await choose(standing.database, "ada", "OUT", world.at("2026-03-01"))
    await standing.database.app.execute(
        "UPDATE member SET status = 'PENDING' WHERE id = $1", world.person("ada").id
    )
    await standing.settle()
    assert await standing.of() == OUT
    await standing.database.app.execute(
        "UPDATE member SET status = 'ACTIVE' WHERE id = $1", world.person("ada").id
    )
    await standing.settle()
    assert await standing.of() == OUT | {"ada": True}


@pytest.mark.clause("C13")
async def test_a_refusal_goes_with_its_member_to_another_address_and_stays_at_the_former(
    standing: Standing,
) -> None:
    standing.others = ["gus@example.net"]
    await move(standing, "gus", "Gus@example.net")
    assert await standing.of() == OUT | {"gus@example.net": True}
    assert await owners(standing, "gus") == (None, False)
    # Somebody else has the former address now, and consents: dates decide.
    await move(standing, "ada", "gus@example.org")
    await choose(standing.database, "ada", "IN", world.at("2025-12-31"))
    await standing.settle()
    assert (await standing.of())["gus"]
    await choose(standing.database, "ada", "IN", world.at("2026-01-06"))
    await standing.settle()
    assert await standing.of() == OUT | {"gus@example.net": True, "gus": False}


async def test_the_erased_stay_refused_and_a_new_agreement_inherits_that(
    standing: Standing, product: Product
) -> None:
    await refuse(standing.database, "gus@example.org", world.at("2026-01-01"))
    await choose(standing.database, "hal", "OUT", world.at("2026-02-01"))  # older than what allows
    await standing.settle()
    gus = world.person("gus")
    async with standing.database.transaction() as connection:
        await forget_suppressions(connection, [gus.id], "Gus@example.org")
        await connection.execute("DELETE FROM member WHERE id = $1", gus.id)
    await standing.settle()
    assert await standing.of() == OUT
    assert await owners(standing, "gus") == (None, False)
    assert await standing.database.app.fetchval("SELECT count(*) FROM refused_address") == 0
    async with standing.database.transaction() as connection:
        new, _ = await create_agreement(
            connection, product.matrix, partner="acme", basis=Basis.MARKETING, purpose=Purpose.PARTNER_EMAIL,
            categories=["user.contact"], valid_from=world.NOW, valid_until=None,
            status=AgreementStatus.ACTIVE, now=world.NOW,
            reasons={"user.contact": "to write"}, officer="o",
        )  # fmt: skip
    await standing.settle()
    assert await standing.of(new) == OUT
    async with standing.database.transaction() as connection:
        await set_agreement_status(
            connection, product.matrix, agreement_id=new, status=AgreementStatus.ENDED, now=world.NOW
        )
    await standing.settle()
    assert await standing.of(new) == {"gus": True}, "what cannot be computed again is kept"
    assert await standing.of() == OUT


async def test_what_was_allowed_again_leaves_with_the_member(standing: Standing) -> None:
    await choose(standing.database, "gus", "IN", world.at("2026-02-01"))
    await standing.settle()
    assert not (await standing.of())["gus"]
    async with standing.database.transaction() as connection:
        await forget_suppressions(connection, [world.person("gus").id], "gus@example.org")
    assert "gus" not in await standing.of()


async def test_keys_overlap_and_then_the_former_counts_no_more(standing: Standing, keys: Keyring) -> None:
    await give_key(standing.database, keys, "acme", rotate=True, overlap=3)
    await standing.settle()
    assert await standing.of(generation=1) == await standing.of(generation=2) == OUT
    await choose(standing.database, "ada", "OUT", world.NOW)
    await standing.settle()
    assert await standing.of(generation=1) == await standing.of(generation=2) == OUT | {"ada": True}
    later = world.NOW + timedelta(days=3)
    async with standing.database.transaction() as connection:
        await retire_keys(connection, later)
    await standing.settle(later)
    assert await standing.of(generation=1) == {}
    assert await standing.of(generation=2) == OUT | {"ada": True}


async def test_deciding_again_changes_nothing(standing: Standing) -> None:
    await refuse(standing.database, "ada@example.org", world.NOW)
    await standing.settle()
    query = "SELECT s::text FROM suppression s ORDER BY agreement_id, digest"
    before = await standing.database.app.fetch(query)
    await standing.database.app.execute("INSERT INTO suppression_due (member_id) SELECT id FROM member")
    await standing.database.app.execute("INSERT INTO suppression_due (agreement_id) SELECT id FROM agreement")
    await standing.settle()
    assert await standing.database.app.fetch(query) == before


async def test_a_digest_counts_once_and_is_forgotten_when_it_is_not_brought_again(standing: Standing) -> None:
    digests = [bytes([number]) * 32 for number in range(10)]

    async def bring_at(now: Any, some: Any, limit: int = 15) -> int:
        async with standing.database.transaction() as connection:
            allowance = await bring(connection, ACME.partner_id, ACME.id, some, limit=limit, now=now)
        return allowance.left

    assert await bring_at(world.NOW, digests) == 5
    assert await bring_at(world.NOW, digests) == 5
    with pytest.raises(QuotaExceededError):
        await bring_at(world.NOW, [*digests, *(bytes([number]) * 32 for number in range(20, 26))])
    assert await bring_at(world.NOW, [bytes([99]) * 32]) == 4
    assert await bring_at(world.NOW + REFRESH + timedelta(days=1), digests[:4]) == 15
    async with standing.database.transaction() as connection:
        await forget_old(connection, 8, (world.NOW + timedelta(days=9)).date())
        assert await connection.fetchval("SELECT count(*) FROM suppression_watch") == 4


async def test_a_thousand_are_looked_up_by_the_key_of_the_table(standing: Standing) -> None:
    """The plan does not read the table, nor does what is found change it."""
    async with standing.database.app.acquire() as connection:
        await connection.execute(
            "INSERT INTO suppression (agreement_id, digest, generation, suppressed, since, changed_at)"
            " SELECT $1, sha256(n::text::bytea), 1, true, now(), now() FROM generate_series(1, 20000) n",
            ACME.id,
        )
        statements: list[str] = []
        connection.add_query_logger(lambda record: statements.append(record.query))
        found = await find(connection, ACME.id, [bytes([n % 256, n // 256]) * 16 for n in range(1_000)])
        assert found.suppressed == frozenset()
        await asyncio.sleep(0)  # the logger is told then
        assert len(statements) == 1
        plan = "\n".join(
            row[0]
            for row in await connection.fetch(
                f"EXPLAIN {statements[0]}", ACME.id, [bytes([n % 256, n // 256]) * 16 for n in range(1_000)]
            )
        )
        assert "Seq Scan on suppression" not in plan


async def move(standing: Standing, name: str, email: str) -> None:
    await standing.database.app.execute(
        "UPDATE member SET email = $2 WHERE id = $1", world.person(name).id, email
    )
    await standing.settle()


async def owners(standing: Standing, name: str) -> tuple[Any, bool]:
    """The member of the row of this address, and whether it is that of an address in itself."""
    key = standing.keys.suppression_key(ACME.partner_id, 1)
    row = await standing.database.app.fetchrow(
        "SELECT member_id, refused_id FROM suppression WHERE agreement_id = $1 AND digest = $2",
        ACME.id,
        digest_of(key, world.person(name).email),
    )
    assert row is not None
    return row["member_id"], row["refused_id"] is not None


async def test_an_erasure_and_what_is_decided_at_the_same_time_do_not_wait_for_each_other(
    own_world: Database, keys: Keyring
) -> None:
    """The erasure has the member, and needs the line that says that she is due."""
    await give_key(own_world, keys, "acme")
    await choose(own_world, "ben", "OUT", world.NOW)
    ben = world.person("ben").id

    async def settling() -> int:
        async with own_world.transaction() as connection:
            return await settle(connection, keys.suppression_key, world.NOW)

    async with own_world.transaction() as connection:
        await connection.execute("SELECT FROM member WHERE id = $1 FOR UPDATE", ben)
        settled = asyncio.create_task(settling())
        await asyncio.sleep(0.3)
        await connection.execute("DELETE FROM member WHERE id = $1", ben)
    assert await settled > 0
    assert await own_world.app.fetchval("SELECT count(*) FROM suppression_due") == 0
