"""Runs what time makes due (`resolvers.commands.upkeep`), at start and then every minute."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final, Self

from gateway.background import Background
from gateway.database import Database
from gateway.telemetry import event, failure
from policies.age import age_date
from policies.matrix import Matrix
from resolvers.announcing import mail_more, unfinished_mailings
from resolvers.commands.erasure import due_erasures, erase_member
from resolvers.commands.opening import activate_agreement
from resolvers.commands.registration import remove_expired_registrations
from resolvers.commands.stopping import owe_expired, withdraw_ended
from resolvers.commands.upkeep import (
    MOST_BIRTHDAYS,
    MOST_ENDING,
    SETTLING,
    end_requests,
    open_to_adults,
    remove_old,
    tell_birthdays,
)
from resolvers.deletions import restrict
from resolvers.transfers import transfers_to_open
from schema.errors import GatewayError

INTERVAL: Final = 60.0
"""Seconds between two rounds: by then the feed tells what reads have been saying all along."""

REMOVALS: Final = timedelta(hours=1)
"""Between two removals of old rows: they harm nobody meanwhile. Where many are left, the next one goes on."""


class Upkeep:
    """`async with` it around serving: what is due is done before the first request."""

    def __init__(
        self, database: Database, policy: Callable[[], Matrix], clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._policy = policy
        self._clock = clock
        self._background = Background()
        self._removed_at: datetime | None = None
        self._birthdays_of: date | None = None

    async def __aenter__(self) -> Self:
        """Do what is due, and go on doing so."""
        await self.round()
        self._background.start(self._run(), "upkeep")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""
        await self._background.stop()

    async def round(self) -> None:
        """Do what is due now. A step that fails is tried again in the next round, and stops none after it."""
        now = self._clock()
        for step in (
            self._withdraw,
            self._end,
            self._transfer,
            self._restrict,
            self._open,
            self._birthdays,
            self._expire,
            self._erase,
            self._announce,
            self._remove,
        ):
            try:
                await step(now)
            except Exception as error:  # noqa: BLE001 - reads stay right without it
                failure("upkeep.failed", error)

    async def _withdraw(self, now: datetime) -> None:
        ended = await withdraw_ended(self._database.transaction, self._policy(), lambda: now)
        if ended.withdrawn:
            event("upkeep", withdrawn=ended.withdrawn)
        async with self._database.transaction() as connection:
            expired = await owe_expired(connection, now)
        if expired:
            event("upkeep", expired_suspended=expired)

    async def _transfer(self, now: datetime) -> None:
        """Decide the members of transfers that were approved: they are shared when the transfer begins."""
        async with self._database.connection() as connection:
            waiting = await transfers_to_open(connection)
        for agreement_id in waiting:
            done = await activate_agreement(
                self._database.transaction, self._policy(), agreement_id=agreement_id, clock=lambda: now
            )
            event("upkeep", transfer_prepared=done.opened)

    async def _end(self, now: datetime) -> None:
        while True:
            async with self._database.transaction() as connection:
                ended = await end_requests(connection, self._policy(), now)
            if ended.withdrawn or ended.changed:
                event("upkeep", requests_ended=ended.withdrawn + ended.changed)
            if ended.withdrawn < MOST_ENDING:
                return

    async def _restrict(self, now: datetime) -> None:
        async with self._database.transaction() as connection:
            changed = await restrict(connection, now)
        if changed:
            event("upkeep", restricted=len(changed))

    async def _open(self, now: datetime) -> None:
        async with self._database.transaction() as connection:
            adults = await open_to_adults(connection, self._policy(), now)
        if adults.opened:
            event("upkeep", opened=adults.opened)

    async def _birthdays(self, now: datetime) -> None:
        """Once for each date, and in the next round again where there may be more."""
        today = age_date(now - SETTLING)
        if self._birthdays_of == today:
            return
        async with self._database.transaction() as connection:
            told = await tell_birthdays(connection, self._policy(), now)
        if told < MOST_BIRTHDAYS:
            self._birthdays_of = today
        if told:
            event("upkeep", birthdays=told)

    async def _expire(self, now: datetime) -> None:
        async with self._database.transaction() as connection:
            expired = await remove_expired_registrations(connection, now)
        if expired:
            event("upkeep", expired=expired)

    async def _announce(self, now: datetime) -> None:
        """Go on with the mail about notices: an officer's program was stopped, or a contract began it."""
        async with self._database.transaction() as connection:
            waiting = await unfinished_mailings(connection)
        for mailing_id in waiting:
            async with self._database.transaction() as connection:
                mailing = await mail_more(connection, mailing_id, now)
            event("upkeep", announced=mailing.queued)

    async def _remove(self, now: datetime) -> None:
        if self._removed_at is not None and now - self._removed_at < REMOVALS:
            return
        async with self._database.transaction() as connection:
            more = await remove_old(connection, now)
        self._removed_at = None if more else now

    async def _erase(self, now: datetime) -> None:
        """Erase members one by one: one who cannot be erased now keeps nobody else waiting."""
        async with self._database.connection() as connection:
            due = await due_erasures(connection, now)
        erased = 0
        for member_id in due:
            try:
                async with self._database.transaction() as connection:
                    erased += await erase_member(connection, member_id, now)
            except GatewayError as error:
                failure("upkeep.failed", error)
        if erased:
            event("upkeep", erased=erased)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            await self.round()
