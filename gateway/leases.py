"""One count of a quota as this replica knows it: its limit, and the lease that is spent from.

A replica takes a *lease* (a block of permits) from the count in PostgreSQL by one statement and spends it
without asking again; after `LEASE_SECONDS` it gives back what it has not used. A lease is at most a hundredth
of the limit and an eighth of what is left, so that little lies unused while another replica has to refuse.

INVARIANT (leased-then-spent): a permit is spent at most once, in the window out of which it was granted, and
only after that; a database that does not answer grants none, and the request fails.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from policies.quotas import WINDOWS, Budget, QuotaHolder, next_lease, seconds_until
from resolvers.quotas import QuotaKey, give_back, take
from schema.errors import QuotaExceededError
from schema.vocabulary import QuotaUnit

DATABASE_TIMEOUT: Final = 2.0
"""Seconds. A count that takes longer to answer does not answer."""

REFUSED_SECONDS: Final = 0.5
"""For how long a refusal is believed: a caller who does not stop costs no statement a request, and what other
replicas give back is found soon."""

_ATTEMPTS: Final = 3
"""A window may end between asking and answering; twice in a row it does not."""

_NO_WINDOW: Final = datetime.min.replace(tzinfo=UTC)


class Connections(Protocol):
    """Connections under the role of commands (`gateway.database.Database`)."""

    def connection(self) -> AbstractAsyncContextManager[Any]:
        """A connection for a statement that is a transaction of its own."""


class Counter:
    """One count, as far as this replica knows it. Times `now` are Unix seconds of the passed-in clock."""

    def __init__(self, key: QuotaKey, setting: int | None, database: Connections) -> None:
        self.key = key
        self.holder = QuotaHolder.CLIENT if key.client_id else QuotaHolder.AGREEMENT
        self.name = f"{self.holder.value}-{key.unit.value}".lower()
        self.limit: int | None = None
        self.unused = 0
        self.ends_at = float("-inf")
        self.stale = True
        """Something was changed, or nothing is known yet: the next to come asks."""
        self.lock = asyncio.Lock()
        self.leased_at = float("-inf")
        self.policy = ""
        self._setting = setting
        self._database = database
        self.window = _NO_WINDOW
        """When the window began out of which `unused` was granted."""
        self._left = 0
        self._size = 1
        self._refused: tuple[int, float] | None = None

    def knows(self, now: float) -> bool:
        """Whether what is known is of this window, and nobody has changed it."""
        return not self.stale and now < self.ends_at

    def spend(self, permits: int, now: float) -> bool:
        """Spend of the lease; False if it has to be asked for first."""
        if self.stale or now >= self.ends_at:
            return False
        if self.limit is None:
            return True
        if self.unused < permits:
            return False
        self.unused -= permits
        return True

    async def obtain(self, permits: int, clock: Callable[[], datetime]) -> None:
        """Ask for a lease, and spend of it.

        Raises:
            QuotaExceededError: fewer are left.
            UnavailableError: the count does not answer.
        """
        async with self.lock:
            for _ in range(_ATTEMPTS):
                now = clock()
                if self.spend(permits, now.timestamp()):
                    return
                if not self._refuses(permits, now.timestamp()):
                    await self._lease(permits, now)
            if not self.spend(permits, clock().timestamp()):
                raise self._exceeded(clock().timestamp())

    async def look(self, clock: Callable[[], datetime]) -> None:
        """Know the limit and what is left, without taking anything."""
        async with self.lock:
            if not self.knows(clock().timestamp()):
                await self._lease(0, clock())

    async def give_back(self) -> None:
        """Give back what is not used."""
        async with self.lock:
            await self._give_back()

    def refund(self, permits: int, window: datetime) -> None:
        """Put back what was spent, out of the window that began then, on something that did not happen."""
        if self.limit is not None and window == self.window:
            self.unused += permits

    def remaining(self) -> int:
        """What is left, as far as this replica knows."""
        return max(0, self._left + self.unused)

    def budget(self) -> Budget | None:
        """What a partner is told; None where nothing limits."""
        if self.limit is None:
            return None
        return Budget(
            self.key.unit,
            self.holder,
            self.limit,
            self.remaining(),
            self.window + WINDOWS[self.key.unit],
        )

    async def _lease(self, permits: int, now: datetime) -> None:
        """Ask once; then `unused` holds what was granted, or the refusal is remembered."""
        if self.stale and now.timestamp() < self.ends_at:
            await self._give_back()  # what was leased under another limit counts no more
        if now.timestamp() >= self.ends_at:
            self.unused = 0
        need = max(0, permits - self.unused)
        asked_at = time.monotonic()
        size = next_lease(self._size, need, asked_at - self.leased_at, self.limit or 1) if need else 0
        self.stale = False  # a change that is heard of while the answer is awaited makes it so again
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT), self._database.connection() as connection:
                grant = await take(
                    connection, self.key, setting=self._setting, need=need, want=max(need, size), now=now
                )
        except BaseException:
            self.stale = True
            raise
        if grant.window_start != self.window:
            self.unused = 0
            self.window = grant.window_start
            self.ends_at = (grant.window_start + WINDOWS[self.key.unit]).timestamp()
        self._describe(grant.allowed)
        self.unused += grant.granted
        self._left = 0 if grant.allowed is None else grant.allowed - grant.taken
        if need:
            self._size, self.leased_at = max(1, size), asked_at
            refused = grant.allowed is not None and grant.granted < need
            self._refused = (permits, asked_at + REFUSED_SECONDS) if refused else None

    def _describe(self, limit: int | None) -> None:
        if limit == self.limit and self.policy:
            return
        self.limit = limit
        unit = "" if self.key.unit is QuotaUnit.REQUESTS else ';qu="members"'
        seconds = round(WINDOWS[self.key.unit].total_seconds())
        self.policy = f'"{self.name}";q={limit};w={seconds}{unit}'

    def _refuses(self, permits: int, now: float) -> bool:
        """Whether as many were refused a moment ago."""
        if self._refused is None or not self.knows(now):
            return False
        refused, until = self._refused
        return permits >= refused and time.monotonic() < until

    def _exceeded(self, now: float) -> QuotaExceededError:
        return QuotaExceededError(self.name, seconds_until(self.ends_at, now), self.remaining())

    async def _give_back(self) -> None:
        permits, self.unused = self.unused, 0
        if permits <= 0:
            return
        # What is not given back, because nobody answers, counts as used.
        async with asyncio.timeout(DATABASE_TIMEOUT), self._database.connection() as connection:
            await give_back(connection, self.key, window=self.window, permits=permits)
        self._left += permits
