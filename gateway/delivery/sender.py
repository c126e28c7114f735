"""The task that empties the outbox: a second after a commit at the latest, what it posted is on its way.

1. claim a few mails that are due, for a while (`resolvers.outbox`); other replicas claim others;
2. read each anew and put it together; what is superseded is dropped;
3. hand it to the transport;
4. remove it; or put it off, longer each time; or give it up.

A mail is sent at least once: who dies between 3 and 4 sends it again, under the same Message-ID. No line of
the log names a recipient or what a mail says.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import UUID

from gateway.database import Database
from gateway.delivery.letters import Letterhead, UndeliverableError, compose
from gateway.delivery.transports import Sending, Transport
from gateway.telemetry import event, failure
from resolvers.outbox import MailFacts, claim, give_back, put_off, read_mail, remove_mail

POLL: Final = 1.0
"""Seconds between two looks into an empty outbox: each is one statement on an index."""

PAUSE: Final = 10.0
"""Seconds after a failure that was not one mail's own: the server or the database does not answer."""

BATCH: Final = 20
LEASE: Final = timedelta(minutes=10)
HOLD: Final = LEASE.total_seconds() / 2
"""Seconds after which the rest of a batch is given back: long before anybody else may claim it."""

FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=6)
GIVEN_UP_AFTER: Final = timedelta(days=7)
"""RFC 5321, 4.5.4.1, wants four to five days at least."""

GRACE: Final = 5.0
"""Seconds that a mail under way is given when the gateway stops."""


class Sender:
    """`async with` it around serving. Any number of them may work on one outbox."""

    def __init__(
        self, database: Database, transport: Transport, head: Letterhead, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._transport = transport
        self._head = head
        self._clock = clock
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to send."""
        self._stopping.clear()
        self._task = asyncio.create_task(self._run(), name="sender")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop, after the mail that is under way."""
        self._stopping.set()
        if self._task is not None:
            _, late = await asyncio.wait((self._task,), timeout=GRACE)
            for task in late:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def drain(self) -> int:
        """Send everything that is due now; how many mails were sent."""
        sent = 0
        while not self._stopping.is_set() and (batch := await self._claim()):
            sent += await self._send_batch(batch)
        return sent

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.drain()
                wait = POLL
            except Exception as error:  # noqa: BLE001 - whatever it was, the mails are still there
                failure("mail.waits", error)
                wait = PAUSE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)

    async def _claim(self) -> list[UUID]:
        now = self._clock()
        async with self._database.transaction() as connection:
            return list(await claim(connection, now, now + LEASE, BATCH))  # 1

    async def _send_batch(self, batch: list[UUID]) -> int:
        """Send the claimed mails; what was not tried is due again, whatever ends the batch."""
        began = time.monotonic()
        sent = 0
        current: MailFacts | None = None
        try:
            async with self._transport.session() as send:
                while batch and time.monotonic() - began < HOLD and not self._stopping.is_set():
                    current = await self._read(batch.pop(0))
                    if current is not None:
                        sent += await self._send(send, current)
                    current = None
        except Exception as error:
            if current is not None:
                await self._put_off(current, error)
            else:
                if isinstance(error, OSError) and batch:
                    # Nobody was reached: the first mail waits longer, so that in the end it is given up.
                    first = await self._read(batch.pop(0))
                    if first is not None:
                        await self._put_off(first, error)
                raise
        finally:
            if batch:
                async with self._database.transaction() as connection:
                    await give_back(connection, batch, self._clock())
        return sent

    async def _read(self, mail_id: UUID) -> MailFacts | None:
        """The mail, if somebody is still to get it.

        CLAUSE (C9): before each mail of an issue the ledger is asked again.
        """
        async with self._database.transaction() as connection:  # 2
            facts = await read_mail(connection, mail_id, self._clock())
            if facts is not None and facts.superseded:
                await remove_mail(connection, mail_id)
                return None
            return facts

    async def _send(self, send: Sending, facts: MailFacts) -> bool:
        """Send one mail, and remove it; whether it was taken."""
        taken = True
        try:
            await send(compose(facts, self._head, self._clock()))  # 3
        except UndeliverableError:
            taken = False
            event("mail.given_up", logging.WARNING, kind=facts.kind.value, attempts=facts.attempts + 1)
        async with self._database.transaction() as connection:
            await remove_mail(connection, facts.id)  # 4
        return taken

    async def _put_off(self, facts: MailFacts, error: Exception) -> None:
        now = self._clock()
        given_up = now - facts.created_at >= GIVEN_UP_AFTER
        name = "mail.given_up" if given_up else "mail.put_off"
        failure(name, error, kind=facts.kind.value, attempts=facts.attempts + 1)
        async with self._database.transaction() as connection:
            if given_up:
                await remove_mail(connection, facts.id)
            else:
                wait = min(FIRST_WAIT * 2 ** min(facts.attempts, 20), LONGEST_WAIT)
                await put_off(connection, facts.id, now + wait)
