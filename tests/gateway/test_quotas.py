"""Quotas of several replicas on one database, each with pools of its own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

import resolvers.quotas
from gateway import leases
from gateway.database import Database
from gateway.quotas import Quotas, quota_settings
from gateway.settings import Settings
from policies.principal import PartnerPrincipal
from policies.quotas import LEASES_IN_A_LIMIT, QuotaHolder
from resolvers.quotas import QuotaKey, set_quota
from resolvers.revocations import RevocationKind
from schema.errors import QuotaExceededError, UnavailableError
from schema.vocabulary import QuotaUnit
from tests import world


def partner() -> PartnerPrincipal:
    principal = world.CALLERS["acme"].principal
    assert isinstance(principal, PartnerPrincipal)
    return principal


ACME: Final = partner()
REQUESTS: Final = QuotaKey(ACME.agreement_id, "", QuotaUnit.REQUESTS)
MEMBERS: Final = QuotaKey(ACME.agreement_id, "", QuotaUnit.MEMBERS)


@dataclass
class Clock:
    now: datetime = world.NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Replicas:
    """Gateways' quotas on one database."""

    database: Database
    settings: Settings
    clock: Clock = field(default_factory=Clock)

    @asynccontextmanager
    async def start(
        self, count: int = 1, clock: Callable[[], datetime] | None = None
    ) -> AsyncIterator[list[Quotas]]:
        async with AsyncExitStack() as stack:
            made = [
                Quotas(self.database, quota_settings(self.settings), clock or self.clock)
                for _ in range(count)
            ]
            yield [await stack.enter_async_context(quotas) for quotas in made]

    async def allow(self, key: QuotaKey, allowed: int | None) -> None:
        async with self.database.transaction() as connection:
            await set_quota(connection, key, allowed, now=self.clock())

    async def taken(self, key: QuotaKey) -> int:
        found: int = await self.database.app.fetchval(
            "SELECT taken FROM quota WHERE agreement_id = $1 AND client_id = $2 AND unit = $3",
            key.agreement_id,
            key.client_id,
            key.unit.value,
        )
        return found


@pytest.fixture
def replicas(own_world: Database, settings: Settings) -> Replicas:
    return Replicas(own_world, settings)


async def granted(quotas: Quotas, attempts: int, *, members: int = 0) -> int:
    """How many of so many requests, or deliveries of so many members, were let through."""
    passed = 0
    for _ in range(attempts):
        try:
            await (quotas.spend_members(ACME, members) if members else quotas.count(ACME))
        except QuotaExceededError:
            continue
        passed += 1
    return passed


@pytest.mark.parametrize("limit", [7, 600])
async def test_replicas_together_never_exceed_and_lose_little(replicas: Replicas, limit: int) -> None:
    await replicas.allow(REQUESTS, limit)
    async with replicas.start(3) as started:
        passed = sum(await asyncio.gather(*(granted(quotas, limit) for quotas in started for _ in range(4))))
        held = (len(started) - 1) * max(1, limit // LEASES_IN_A_LIMIT)
        assert limit - held <= passed <= limit
        await asyncio.sleep(2 * leases.REFUSED_SECONDS + 1.1)  # what the others held has come back
        passed += sum([await granted(quotas, held) for quotas in started])
    assert passed == limit


async def test_deliveries_of_any_size_never_exceed(replicas: Replicas) -> None:
    await replicas.allow(MEMBERS, 5_000)
    sizes = [random.Random(seed).randint(1, 200) for seed in range(120)]  # noqa: S311

    async def deliver(quotas: Quotas, size: int) -> int:
        try:
            spent = await quotas.spend_members(ACME, size)
        except QuotaExceededError:
            return 0
        if size % 7 == 0:
            spent.refund()
            return 0
        return size

    async with replicas.start(3) as started:
        delivered = sum(
            await asyncio.gather(*(deliver(started[i % 3], size) for i, size in enumerate(sizes)))
        )
        assert 4_000 < delivered <= 5_000
    assert await replicas.taken(MEMBERS) == delivered  # everything else was given back at the end


async def test_a_window_ends_and_another_begins(replicas: Replicas) -> None:
    await replicas.allow(REQUESTS, 2)
    replicas.clock.now = world.NOW + timedelta(seconds=48.2)
    async with replicas.start(2) as (one, other):
        assert await granted(one, 2) == 2
        with pytest.raises(QuotaExceededError) as refused:
            await other.count(ACME)
        assert refused.value.retry_after == 12
        replicas.clock.now += timedelta(seconds=12)
        assert await granted(other, 3) == 2


async def test_a_clock_that_is_behind_gets_no_second_window(replicas: Replicas) -> None:
    await replicas.allow(REQUESTS, 2)
    ahead = Clock(world.NOW + timedelta(minutes=1))
    async with replicas.start() as (behind,), replicas.start(clock=ahead) as (before,):
        assert await granted(behind, 1) == 1
        assert await granted(before, 2) == 2
        assert await granted(behind, 2) == 0
        assert await granted(before, 1) == 0


async def test_what_was_spent_in_a_window_that_is_over_is_not_refunded_into_the_next(
    replicas: Replicas,
) -> None:
    await replicas.allow(MEMBERS, 10)
    async with replicas.start() as (quotas,):
        spent = await quotas.spend_members(ACME, 10)
        replicas.clock.now += timedelta(days=1)
        await quotas.spend_members(ACME, 4)
        spent.refund()
        assert await granted(quotas, 10, members=1) == 6


async def test_a_client_is_counted_within_its_agreement(replicas: Replicas) -> None:
    await replicas.allow(REQUESTS, 5)
    await replicas.allow(QuotaKey(ACME.agreement_id, "acme", QuotaUnit.REQUESTS), 3)
    other = replace(ACME, client_id="another")
    async with replicas.start() as (quotas,):
        assert await granted(quotas, 5) == 3
        for _ in range(2):
            await quotas.count(other)
        with pytest.raises(QuotaExceededError, match="agreement-requests"):
            await quotas.count(other)
        assert b"client" not in quotas.headers(other)[0][1]
        await replicas.allow(REQUESTS, 6)
        quotas.forget(RevocationKind.AGREEMENT, str(ACME.agreement_id))
        # Whom the client's own quota refuses has used nothing of the agreement's.
        assert await granted(quotas, 2) == 0
        await quotas.count(other)


async def test_a_lower_limit_counts_at_once_and_recalls_leases(replicas: Replicas) -> None:
    async with replicas.start() as (quotas,):
        assert await granted(quotas, 50) == 50
        await replicas.allow(REQUESTS, 60)
        quotas.forget(RevocationKind.AGREEMENT, str(ACME.agreement_id))
        assert await granted(quotas, 20) == 10


async def test_what_is_left_is_told(replicas: Replicas) -> None:
    await replicas.allow(MEMBERS, 100)
    async with replicas.start(2) as (one, other):
        await one.spend_members(ACME, 30)
        await other.spend_members(ACME, 5)
        await one.spend_members(ACME, 10)
        with pytest.raises(QuotaExceededError) as refused:
            await other.spend_members(ACME, 60)
        assert refused.value.remaining == 55
        budget = (await one.budget(ACME))[QuotaUnit.MEMBERS]
        assert (budget.holder, budget.limit, budget.remaining) == (QuotaHolder.AGREEMENT, 100, 55)
        assert budget.resets_at == world.NOW.replace(hour=0) + timedelta(days=1)


async def test_a_database_that_does_not_answer_grants_nothing(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replicas.start() as (quotas,):
        await quotas.count(ACME)

        @asynccontextmanager
        async def hangs(_: Database) -> AsyncIterator[Any]:
            await asyncio.sleep(60)
            yield None

        monkeypatch.setattr(leases, "DATABASE_TIMEOUT", 0.05)
        with monkeypatch.context() as patched:
            patched.setattr(Database, "connection", hangs)
            with pytest.raises(UnavailableError):
                await granted(quotas, 100)
        assert await granted(quotas, 1) == 1


async def test_most_requests_ask_no_database(replicas: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    take = resolvers.quotas.take

    async def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal asked
        asked += 1
        return await take(*arguments, **named)

    monkeypatch.setattr(leases, "take", counted)
    async with replicas.start() as (quotas,):
        assert await granted(quotas, 2_000) == 2_000
    assert asked < 25
