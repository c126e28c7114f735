"""Suspending and ending an agreement over many members: all or none to who reads, and nobody waits long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from gateway.app import Product
from gateway.database import Database
from gateway.policy_in_force import PolicyInForce
from gateway.upkeep import Upkeep
from resolvers.commands import opening, stopping
from resolvers.commands.opening import activate_agreement
from resolvers.commands.stopping import stop_agreement
from resolvers.connection import Link, Transactions
from resolvers.shares import refresh_shares
from schema.vocabulary import AgreementStatus
from tests import world
from tests.asking import Asking
from tests.resolvers.commands.test_opening import MEMBERS, activate, crowd, draft, principal, watching
from tests.resolvers.test_shares import decided, shares

LATER = world.NOW + timedelta(hours=1)
OWED = "SELECT count(*) FROM deletion WHERE agreement_id = $1"
SHARED = "SELECT count(*) FROM share WHERE agreement_id = $1"
LINES = "SELECT count(*) FROM share_change WHERE agreement_id = $1 AND after = 0"


async def stop(
    database: Database,
    product: Product,
    agreement_id: UUID,
    status: AgreementStatus = AgreementStatus.ENDED,
    now: datetime = LATER,
) -> int:
    changes = await stop_agreement(
        database.transaction, product.matrix, agreement_id=agreement_id, status=status, clock=lambda: now
    )
    return changes.withdrawn


def breaking(database: Database, after: int) -> Transactions:
    """So many transactions, and no more."""
    left = after

    @asynccontextmanager
    async def transactions() -> AsyncIterator[Link]:
        nonlocal left
        left -= 1
        if left < 0:
            raise LookupError
        async with database.transaction() as link:
            yield link

    return transactions


@pytest.mark.clause("C8")
@pytest.mark.parametrize("status", [AgreementStatus.SUSPENDED, AgreementStatus.ENDED])
async def test_a_reader_sees_all_or_none_and_neither_reader_nor_member_waits_for_it(
    asking_alone: Asking, product: Product, status: AgreementStatus
) -> None:
    database, ben = asking_alone.database, world.person("ben").id
    await crowd(database, MEMBERS)
    agreement_id = await draft(database, product)
    opened = await activate(database, product, agreement_id)
    changes = 0
    async with watching(asking_alone, agreement_id) as seen:
        stopping_it = asyncio.create_task(stop(database, product, agreement_id, status))
        while not stopping_it.done():
            async with database.transaction() as link:
                await refresh_shares(link, product.matrix, now=LATER, members=[ben])
            changes += 1
            await asyncio.sleep(0.01)
        withdrawn = await stopping_it
        await asyncio.sleep(0.05)
    assert set(seen.values) <= {opened, 0}
    assert seen.values == sorted(seen.values, reverse=True)
    assert len(seen.values) > 5
    # Who waited for it would have come once. How long each takes is the machine's affair.
    assert changes > 2
    # Ben's own change may have withdrawn his.
    assert opened - 1 <= withdrawn <= opened
    assert await database.app.fetchval(SHARED, agreement_id) == 0
    assert await database.app.fetchval(LINES, agreement_id) == opened
    owed = await database.app.fetchval(OWED, agreement_id)
    assert owed == (opened if status is AgreementStatus.ENDED else 0)


@pytest.mark.parametrize("status", [AgreementStatus.SUSPENDED, AgreementStatus.ENDED])
@pytest.mark.parametrize("goes_on", ["command", "upkeep"])
async def test_what_stopped_half_way_shares_nothing_and_goes_on(
    asking_alone: Asking,
    product: Product,
    monkeypatch: pytest.MonkeyPatch,
    status: AgreementStatus,
    goes_on: str,
) -> None:
    database = asking_alone.database
    monkeypatch.setattr(stopping, "CHUNK", 2)
    agreement_id = await draft(database, product)
    opened = await activate(database, product, agreement_id)
    with pytest.raises(LookupError):
        await stop_agreement(
            breaking(database, 4),
            product.matrix,
            agreement_id=agreement_id,
            status=status,
            clock=lambda: LATER,
        )
    assert 0 < await database.app.fetchval(SHARED, agreement_id) < opened
    reply = await asking_alone.ask(principal(agreement_id), "{ members { totalCount } }")
    assert reply.data == {"members": {"totalCount": 0}}
    if goes_on == "command":
        await stop(database, product, agreement_id, status)
    else:
        await Upkeep(database, PolicyInForce(product.matrix), lambda: LATER).round()
    assert await database.app.fetchval(SHARED, agreement_id) == 0
    assert await database.app.fetchval(LINES, agreement_id) == opened
    if status is AgreementStatus.SUSPENDED:
        assert await database.app.fetchval(OWED, agreement_id) == 0
        await stop(database, product, agreement_id)
    assert await database.app.fetchval(OWED, agreement_id) == opened


async def test_a_suspension_that_stopped_half_way_is_ended_or_lifted_with_everything_owed_that_was_open(
    own_world: Database, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "CHUNK", 2)
    acme = world.AGREEMENTS["acme"].id
    opened = await own_world.app.fetchval(SHARED, acme)
    with pytest.raises(LookupError):
        await stop_agreement(
            breaking(own_world, 4),
            product.matrix,
            agreement_id=acme,
            status=AgreementStatus.SUSPENDED,
            clock=lambda: LATER,
        )
    # Ada refuses meanwhile, by a replica whose clock is behind; then it is lifted.
    async with own_world.transaction() as link:
        await link.execute(
            "INSERT INTO choice (id, member_id, requested_at, received_at, direction, source)"
            " VALUES (gen_random_uuid(), $1, $2, $2, 'OUT', 'PROFILE_PAGE')",
            world.person("ada").id,
            LATER - timedelta(seconds=1),
        )
        await refresh_shares(
            link, product.matrix, now=LATER - timedelta(seconds=1), members=[world.person("ada").id]
        )
    await activate_agreement(
        own_world.transaction, product.matrix, agreement_id=acme, clock=lambda: LATER + timedelta(seconds=1)
    )
    async with own_world.transaction() as link:
        assert await shares(link) == await decided(link, product.matrix, LATER + timedelta(seconds=1))
        owed = await link.fetch("SELECT subject FROM deletion WHERE agreement_id = $1", acme)
        assert [row["subject"] for row in owed] == [world.subject("acme", "ada")]
    await stop(own_world, product, acme, AgreementStatus.SUSPENDED, LATER + timedelta(hours=1))
    await stop(own_world, product, acme, AgreementStatus.ENDED, LATER + timedelta(hours=2))
    assert await own_world.app.fetchval(OWED, acme) == opened


@pytest.mark.parametrize("then", ["SUSPENDED", "ENDED", "both"])
async def test_what_was_only_prepared_is_never_owed(
    own_world: Database, product: Product, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    monkeypatch.setattr(opening, "CHUNK", 4)
    agreement_id = await draft(own_world, product)
    with pytest.raises(LookupError):
        await activate_agreement(
            breaking(own_world, 3), product.matrix, agreement_id=agreement_id, clock=lambda: world.NOW
        )
    assert await own_world.app.fetchval(SHARED, agreement_id)
    for status in AgreementStatus.SUSPENDED, AgreementStatus.ENDED:
        if then in (status.value, "both"):
            await stop(own_world, product, agreement_id, status)
    assert await own_world.app.fetchval(SHARED, agreement_id) == 0
    assert await own_world.app.fetchval(OWED, agreement_id) == 0


async def test_what_was_suspended_is_owed_once_its_agreement_is_over(
    own_world: Database, product: Product
) -> None:
    acme, end = world.AGREEMENTS["acme"].id, LATER + timedelta(days=1)
    opened = await own_world.app.fetchval(SHARED, acme)
    await own_world.app.execute("UPDATE agreement SET valid_until = $2 WHERE id = $1", acme, end)
    await stop(own_world, product, acme, AgreementStatus.SUSPENDED)
    await Upkeep(own_world, PolicyInForce(product.matrix), lambda: end - timedelta(seconds=1)).round()
    assert await own_world.app.fetchval(OWED, acme) == 0
    for _ in range(2):
        await Upkeep(own_world, PolicyInForce(product.matrix), lambda: end).round()
        assert await own_world.app.fetchval(OWED, acme) == opened
