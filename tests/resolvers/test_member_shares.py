"""One member is decided again by few statements: which, in which order, and what they make of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from gateway.app import Product
from gateway.database import Database
from gateway.keys import Keyring
from policies.principal import MemberPrincipal
from resolvers.commands.correction import correct_profile, lock_member, write_member
from resolvers.connection import Link
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from resolvers.share_rows import FEED_CHANNEL
from resolvers.shares import refresh_shares, take_turn
from schema.categories import DataCategory, mask_of
from schema.errors import PolicyChangedError
from schema.ids import new_id
from schema.tables.member import MemberStatus
from tests import world

ACME = world.AGREEMENTS["acme"].id
ADA = world.person("ada").id
KITES = {"interests": ["kites"]}
INTERESTS = mask_of({DataCategory.PROFILE})


@dataclass
class Scene:
    database: Database
    product: Product
    means: Means

    def work(self, connection: Link, announced: set[UUID] | None = None) -> Work:
        principal = MemberPrincipal(ADA, "web", "t")
        return Work(connection, self.product.matrix, principal, world.NOW, self.means, Exchange(), announced)


@pytest.fixture
def scene(own_world: Database, product: Product, means: Means, keys: Keyring) -> Scene:
    del keys
    return Scene(own_world, product, means)


async def lines_after(connection: Link, start: int) -> list[tuple[UUID, int, int, int]]:
    rows = await connection.fetch(
        "SELECT agreement_id, mask, before, after FROM share_change WHERE seq > $1 ORDER BY agreement_id",
        start,
    )
    return [tuple(row) for row in rows]


async def masks(connection: Link) -> dict[UUID, int]:
    rows = await connection.fetch("SELECT agreement_id, mask FROM share WHERE member_id = $1", ADA)
    return {row["agreement_id"]: row["mask"] for row in rows}


async def last_line(connection: Link) -> int:
    seq: int = await connection.fetchval("SELECT coalesce(max(seq), 0) FROM share_change")
    return seq


async def test_a_correction_is_two_statements(scene: Scene) -> None:
    announced: set[UUID] = set()
    async with scene.database.transaction() as connection:
        start, shared = await last_line(connection), await masks(connection)
        seen: list[str] = []
        logger = lambda record: seen.append(record.query)  # noqa: E731
        connection.add_query_logger(logger)
        await correct_profile(scene.work(connection, announced), KITES)
        await asyncio.sleep(0)  # loggers are called by the loop
        connection.remove_query_logger(logger)
        assert len(seen) == 2
        wanted = [(a, INTERESTS, m, m) for a, m in sorted(shared.items()) if m & INTERESTS]
        assert wanted
        assert await lines_after(connection, start) == wanted
        assert announced == {agreement for agreement, *_ in wanted}


async def test_what_a_statement_told_too_early_is_taken_back(scene: Scene) -> None:
    """The decision changed as well: nobody is told of a change in what is withdrawn by the same commit."""
    async with scene.database.transaction() as connection:
        start, shared = await last_line(connection), await masks(connection)
        await lock_member(scene.work(connection), None)
        await write_member(scene.work(connection), ADA, {**KITES, "status": MemberStatus.CLOSED.value})
        assert await lines_after(connection, start) == [(a, m, m, 0) for a, m in sorted(shared.items())]
        assert await masks(connection) == {}
        owed = await connection.fetch("SELECT agreement_id, mask FROM deletion WHERE member_id = $1", ADA)
        assert {row["agreement_id"]: row["mask"] for row in owed}[ACME] == shared[ACME]


async def test_what_is_shared_still_is_not_owed_any_more_after_a_correction(scene: Scene) -> None:
    async with scene.database.transaction() as connection:
        rows = await connection.fetch(
            "SELECT agreement_id, subject, mask FROM share WHERE member_id = $1", ADA
        )
        for row in rows:
            await connection.execute(
                "INSERT INTO deletion (id, agreement_id, subject, member_id, mask, withdrawn_at, due_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $6)",
                new_id(),
                row["agreement_id"],
                row["subject"],
                ADA,
                row["mask"],
                world.NOW,
            )
        await correct_profile(scene.work(connection), KITES)
        told = {row["agreement_id"] for row in rows if row["mask"] & INTERESTS}
        shared = {row["agreement_id"] for row in rows}
        owed = await connection.fetch("SELECT agreement_id FROM deletion WHERE member_id = $1", ADA)
        assert told
        assert {row["agreement_id"] for row in owed} & shared == shared - told


async def test_a_correction_that_waits_for_its_turn_keeps_nobody_from_the_member(scene: Scene) -> None:
    """The order of locks: first the turn, then the member."""
    async with scene.database.app.acquire() as signing, scene.database.app.acquire() as correcting:
        signed = signing.transaction()
        await signed.start()
        await take_turn(signing, alone=True)

        async def correct() -> None:
            async with correcting.transaction():
                await correct_profile(scene.work(correcting), KITES)

        waiting = asyncio.create_task(correct())
        await _blocked(signing, correcting)
        await signing.execute("SELECT FROM member WHERE id = $1 FOR UPDATE NOWAIT", ADA)
        await signed.commit()
        await waiting


async def test_an_agreement_signed_while_a_correction_waits_is_decided_by_it(scene: Scene) -> None:
    """It reads after it has its turn, not as it was when it began to wait for it."""
    agreement = new_id()
    async with scene.database.app.acquire() as signing, scene.database.app.acquire() as correcting:
        signed = signing.transaction()
        await signed.start()
        await take_turn(signing, alone=True)

        async def correct() -> None:
            async with correcting.transaction():
                await correct_profile(scene.work(correcting), KITES)

        waiting = asyncio.create_task(correct())
        await _blocked(signing, correcting)
        await signing.execute(
            "INSERT INTO agreement (id, partner_id, basis, purpose, categories, valid_from, status, version)"
            " SELECT $1, partner_id, basis, purpose, categories, valid_from, status, 1 FROM agreement"
            " WHERE id = $2",
            agreement,
            ACME,
        )
        await signed.commit()
        await waiting
        assert (await masks(signing))[agreement] == (await masks(signing))[ACME]


async def test_a_correction_under_a_policy_that_was_replaced_is_refused(scene: Scene) -> None:
    async with scene.database.app.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("DELETE FROM applied_policy")
        await connection.execute("INSERT INTO applied_policy VALUES ('another', $1)", world.NOW)
        with pytest.raises(PolicyChangedError):
            await correct_profile(scene.work(connection), KITES)
        await transaction.rollback()


async def test_what_ended_meanwhile_is_withdrawn_by_a_correction(scene: Scene) -> None:
    async with scene.database.transaction() as connection:
        await connection.execute(
            "UPDATE agreement SET valid_until = $2 WHERE id = $1", ACME, world.NOW - timedelta(seconds=1)
        )
        start, before = await last_line(connection), (await masks(connection))[ACME]
        await correct_profile(scene.work(connection), KITES)
        assert ACME not in await masks(connection)
        assert (ACME, before, before, 0) in await lines_after(connection, start)


async def test_who_commits_by_itself_wakes_the_feeds_at_once(scene: Scene) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = await scene.database.listen()
    await listening.add_listener(FEED_CHANNEL, lambda *told: heard.put_nowait(told[3]))
    async with scene.database.transaction() as connection:
        shared = await masks(connection)
        await refresh_shares(
            connection, scene.product.matrix, now=world.NOW, members=[ADA], changed=INTERESTS
        )
    told = await asyncio.wait_for(heard.get(), 10)
    assert told.split(",") == sorted(str(agreement) for agreement, mask in shared.items() if mask & INTERESTS)
    await listening.close()


async def _blocked(observer: Link, waiting: Link) -> None:
    """Return once `waiting` waits for a lock."""
    blocked = "SELECT pg_blocking_pids($1) <> '{}'"
    while not await observer.fetchval(blocked, waiting.get_server_pid()):  # noqa: ASYNC110 - the database's
        await asyncio.sleep(0.01)
