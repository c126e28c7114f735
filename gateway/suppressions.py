"""Answers partners about addresses that must not be mailed, and keeps what it answers from true.

In: digests that a partner brings. Out: which of them are suppressed, with the record that has to be durable
before anything of it leaves (R2): the caller passes it to `Egress.release`. Steps of an answer:

1. note the digests as brought, and count the new ones against the day's limit;
2. decide what is due, so that every refusal committed before counts;
3. look the digests up: one statement, whatever is found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, Self

from gateway.background import Background
from gateway.database import Database
from gateway.telemetry import failure
from policies.principal import PartnerPrincipal
from resolvers.disclosure_log import DisclosureEntry
from resolvers.suppression_reads import Allowance, Found, bring, find, forget_old
from resolvers.suppressions import KeyOf, is_due, note_adults, retire_keys, settle
from schema.categories import DataCategory

INTERVAL: Final = 60.0
"""Seconds between two rounds. Answers do not wait for them."""

BIRTHDAYS: Final = timedelta(days=400)
"""How far back the first round looks for who came of age: longer than any pause of the service."""


@dataclass(frozen=True, slots=True)
class SuppressionLimits:
    """What a partner may ask, so that its list is checked and no other is guessed (docs/suppressions.md)."""

    digests_a_day: int
    keep_days: int


class Suppressions:
    """One for a process; `async with` it around serving."""

    def __init__(
        self, database: Database, key_of: KeyOf, clock: Callable[[], datetime], limits: SuppressionLimits
    ) -> None:
        self.limits = limits
        self._database = database
        self._key_of = key_of
        self._clock = clock
        self._grown_up_until: datetime | None = None
        self._background = Background()

    async def __aenter__(self) -> Self:
        """Decide what is due, and go on doing so."""
        await self.round()
        self._background.start(self._run(), "suppressions")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""
        await self._background.stop()

    async def answer(self, principal: PartnerPrincipal, digests: Sequence[bytes]) -> tuple[Found, Allowance]:
        """Which of these distinct digests are suppressed for this partner, and what is left of the day.

        Raises:
            QuotaExceededError: too many of them are new for this day; then none is answered.
        """
        async with self._database.transaction() as connection:  # 1
            allowance = await bring(
                connection,
                principal.partner_id,
                principal.agreement_id,
                digests,
                limit=self.limits.digests_a_day,
                now=self._clock(),
            )
        await self.settle()  # 2
        async with self._database.connection() as connection:  # 3
            return await find(connection, principal.agreement_id, digests), allowance

    def entry(self, principal: PartnerPrincipal, operation: str, found: Found) -> DisclosureEntry:
        """The record of telling a partner what was found."""
        return DisclosureEntry(
            principal=principal,
            recorded_at=self._clock(),
            operation_name=operation,
            operation_hash=sha256(operation.encode()).hexdigest(),
            categories=frozenset({DataCategory.PRIVACY_PREFERENCES}),
            members=found.members,
        )

    async def settle(self) -> None:
        """Decide what is due, if anything is."""
        async with self._database.connection() as connection:
            due = await is_due(connection)
        if due:
            async with self._database.transaction() as connection:
                await settle(connection, self._key_of, self._clock())

    async def round(self) -> None:
        """Do what is due now, and what time makes due. What fails is tried again in the next round."""
        now = self._clock()
        for step in (self._grow_up, self._retire, self._settle_due, self._forget):
            try:
                await step(now)
            except Exception as error:  # noqa: BLE001 - answers settle for themselves
                failure("suppressions.failed", error)

    async def _grow_up(self, now: datetime) -> None:
        since = now - BIRTHDAYS if self._grown_up_until is None else self._grown_up_until
        if now - since < timedelta(hours=1):
            return
        async with self._database.transaction() as connection:
            await note_adults(connection, since, now)
        self._grown_up_until = now

    async def _retire(self, now: datetime) -> None:
        async with self._database.transaction() as connection:
            await retire_keys(connection, now)

    async def _settle_due(self, now: datetime) -> None:
        async with self._database.transaction() as connection:
            await settle(connection, self._key_of, now)

    async def _forget(self, now: datetime) -> None:
        async with self._database.transaction() as connection:
            await forget_old(connection, self.limits.keep_days, now.astimezone(UTC).date())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            await self.round()
