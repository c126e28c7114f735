"""What partners may still use: counted for all replicas together, spent from leases of this one.

In: a partner's request, or how many members are about to leave to it. Out: nothing, or `QuotaExceededError`;
and the header fields that tell the partner what is left (draft-ietf-httpapi-ratelimit-headers). A database
that does not answer makes the request fail (`UnavailableError`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from gateway.background import Background
from gateway.driver_errors import translate_driver_errors
from gateway.leases import Connections, Counter
from gateway.settings import Settings
from gateway.telemetry import event
from policies.principal import PartnerPrincipal
from policies.quotas import LEASE_SECONDS, WINDOWS, Budget, QuotaHolder, seconds_until
from resolvers.quotas import QuotaKey
from resolvers.revocations import RevocationKind
from schema.errors import GatewayError
from schema.vocabulary import QuotaUnit


@dataclass(frozen=True, slots=True)
class Spent:
    """Permits that were spent, each out of the window of its counter."""

    permits: int
    _of: Sequence[tuple[Counter, datetime]]

    def refund(self) -> None:
        """What they were spent on did not happen."""
        for counter, window in self._of:
            counter.refund(self.permits, window)


class Quotas:
    """The quotas of every partner that calls this replica. Enter it: what is not used is given back."""

    def __init__(
        self,
        database: Connections,
        settings: Mapping[tuple[QuotaHolder, QuotaUnit], int | None],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._counters: dict[QuotaKey, Counter] = {}
        self._of_client: dict[tuple[UUID, str], Mapping[QuotaUnit, tuple[Counter, ...]]] = {}
        self._background = Background()

    async def __aenter__(self) -> Self:
        """Begin to give back what is not used."""
        self._background.start(self._run(), "quotas")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Give everything back."""
        await self._background.stop()
        await self._return_unused(older_than=0.0)

    def forget(self, kind: RevocationKind, subject: str) -> None:
        """An agreement has changed, perhaps its quotas: for the revocation log to call."""
        if kind is RevocationKind.AGREEMENT:
            for key, counter in self._counters.items():
                if str(key.agreement_id) == subject:
                    counter.stale = True

    async def count(self, principal: PartnerPrincipal) -> None:
        """Count one request.

        Raises:
            QuotaExceededError: there have been as many as there may be.
            UnavailableError: they cannot be counted.
        """
        counters = self._counters_of(principal)
        await self._spend(counters[QuotaUnit.REQUESTS], 1)
        now = self._clock().timestamp()
        for counter in counters[QuotaUnit.MEMBERS]:
            if not counter.knows(now):
                with translate_driver_errors():
                    await counter.look(self._clock)

    async def spend_members(self, principal: PartnerPrincipal, members: int) -> Spent:
        """Spend what is about to be delivered. Whoever then does not deliver it has it refunded.

        Raises:
            QuotaExceededError: fewer are left; nothing is spent, and `remaining` says how many are left.
            UnavailableError: they cannot be counted.
        """
        if not members:
            return Spent(0, ())
        return await self._spend(self._counters_of(principal)[QuotaUnit.MEMBERS], members)

    async def budget(self, principal: PartnerPrincipal) -> Mapping[QuotaUnit, Budget]:
        """What is left to this caller at this moment; a unit that nothing limits is absent.

        Of the agreement's and the client's the one with less left. Other replicas may hold a little of it.

        Raises:
            UnavailableError: the count does not answer.
        """
        found: dict[QuotaUnit, Budget] = {}
        for unit, counters in self._counters_of(principal).items():
            for counter in counters:
                counter.stale = True
                with translate_driver_errors():
                    await counter.look(self._clock)
            budgets = [budget for counter in counters if (budget := counter.budget()) is not None]
            if budgets:
                found[unit] = min(budgets, key=lambda budget: budget.remaining)
        return found

    def headers(self, principal: PartnerPrincipal) -> Sequence[tuple[bytes, bytes]]:
        """The fields `RateLimit-Policy` and `RateLimit`, as this replica knows them; none without a limit."""
        now = self._clock().timestamp()
        policies, limits = [], []
        for counters in self._counters_of(principal).values():
            for counter in counters:
                if counter.limit is not None:
                    policies.append(counter.policy)
                    reset = seconds_until(counter.ends_at, now)
                    limits.append(f'"{counter.name}";r={counter.remaining()};t={reset}')
        if not policies:
            return ()
        return (
            (b"ratelimit-policy", ", ".join(policies).encode()),
            (b"ratelimit", ", ".join(limits).encode()),
        )

    async def _spend(self, counters: Sequence[Counter], permits: int) -> Spent:
        """Spend of all counters, or of none."""
        now = self._clock().timestamp()
        spent: list[tuple[Counter, datetime]] = []
        try:
            for counter in counters:
                if not counter.spend(permits, now):
                    with translate_driver_errors():
                        await counter.obtain(permits, self._clock)
                spent.append((counter, counter.window))
        except BaseException:
            Spent(permits, spent).refund()
            raise
        return Spent(permits, spent)

    def _counters_of(self, principal: PartnerPrincipal) -> Mapping[QuotaUnit, tuple[Counter, ...]]:
        who = (principal.agreement_id, principal.client_id)
        found = self._of_client.get(who)
        if found is None:
            found = self._of_client[who] = {
                unit: tuple(self._counter(QuotaKey(who[0], client_id, unit)) for client_id in (who[1], ""))
                for unit in WINDOWS
            }
        return found

    def _counter(self, key: QuotaKey) -> Counter:
        counter = self._counters.get(key)
        if counter is None:
            holder = QuotaHolder.CLIENT if key.client_id else QuotaHolder.AGREEMENT
            setting = self._settings[holder, key.unit]
            counter = self._counters[key] = Counter(key, setting, self._database)
        return counter

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 2)
            await self._return_unused(older_than=LEASE_SECONDS)

    async def _return_unused(self, *, older_than: float) -> None:
        for counter in list(self._counters.values()):
            if counter.unused and time.monotonic() - counter.leased_at >= older_than:
                try:
                    with translate_driver_errors():
                        await counter.give_back()
                except GatewayError as error:
                    event("permits not given back", cause=type(error).__name__)


def quota_settings(settings: Settings) -> Mapping[tuple[QuotaHolder, QuotaUnit], int | None]:
    """The limits where officers have set none; None for no limit."""
    return {
        (QuotaHolder.AGREEMENT, QuotaUnit.REQUESTS): settings.quota_requests_per_minute,
        (QuotaHolder.AGREEMENT, QuotaUnit.MEMBERS): settings.quota_members_per_day,
        (QuotaHolder.CLIENT, QuotaUnit.REQUESTS): settings.quota_client_requests_per_minute,
        (QuotaHolder.CLIENT, QuotaUnit.MEMBERS): settings.quota_client_members_per_day,
    }
