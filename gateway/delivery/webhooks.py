"""The task that tells partners of withdrawals: a second or two after the commit, a message is on its way.

For each endpoint, one at a time; for several endpoints at the same time, in this and in other processes:

1. claim an endpoint that has something to do, for a while (`resolvers.webhook_outbox`);
2. make messages of the lines of the feed that it has not seen;
3. of what is due, in the order of the feed: record the disclosure, once for each message, and make sure that
   the endpoint still counts (`gateway.egress`); post it, signed;
4. note that it was delivered; or put it off, longer each time; or give it up for an officer to look at.

INVARIANT (told-after-record): no byte of a message goes before its record is durable (R2). The attempts after
the first send the same bytes to the same place, which the one record covers.

A message is sent at least once: who dies between 3 and 4 sends it again, under the same `webhook-id`. A
failure holds up no other endpoint, and other messages of the same one by `REST` only. No line of the log
holds anything of a URL: it names the endpoint by its id.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Self
from uuid import UUID

from gateway.database import Database
from gateway.delivery.posting import TOTAL_TIMEOUT, Answer, Poster
from gateway.delivery.signatures import payload, signed_headers
from gateway.egress import Confirm, Egress
from gateway.keys import Keyring
from gateway.telemetry import event, failure
from policies.principal import ClientPrincipal, PartnerPrincipal
from resolvers.disclosure_log import DisclosureEntry
from resolvers.webhook_outbox import (
    WaitingMessage,
    claim_endpoints,
    free_endpoint,
    is_active,
    make_messages,
    next_message,
    note_delivered,
    note_failed,
    note_gone,
    note_recorded,
)
from schema.categories import DataCategory
from schema.errors import UnauthenticatedError
from schema.tables.webhooks import MessageKind

POLL: Final = 1.0
"""Seconds between two looks for endpoints with something to do."""

PAUSE: Final = timedelta(seconds=10)
"""After a failure that was not the receiver's: the database or the disclosure log does not answer."""

LEASE: Final = timedelta(minutes=2)
HOLD: Final = 60.0
"""Seconds after which an endpoint is given back. An attempt begun just before ends within the lease."""

REST: Final = timedelta(seconds=5)
"""An endpoint that failed is left alone for so long, whatever else is due there."""

SCHEDULE: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 86_400)
)
"""Waits after each failure, three days and a bit together; after the last, the message is a dead letter."""

JITTER: Final = 0.2
"""Each wait is up to this part longer or shorter, so that receivers that come back are not overrun."""

LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
"""A receiver may ask for so much patience and not for more."""

GRACE: Final = TOTAL_TIMEOUT
"""Seconds that attempts under way are given when the gateway stops."""

GONE: Final = 410

Clock = Callable[[], datetime]


class Dispatcher:
    """`async with` it around serving. Any number of them may work on one database."""

    def __init__(
        self, database: Database, egress: Egress, poster: Poster, keys: Keyring, clock: Clock, *, most: int
    ) -> None:
        """`egress` is one that asks `endpoint_counts`; `most` endpoints are sent to at the same time."""
        self._database = database
        self._egress = egress
        self._poster = poster
        self._keys = keys
        self._clock = clock
        self._most = most
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._turns: set[asyncio.Task[int]] = set()

    async def __aenter__(self) -> Self:
        """Begin to send."""
        self._stopping.clear()
        self._task = asyncio.create_task(self._run(), name="webhooks")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop, after the attempts that are under way."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        if self._turns:
            _, late = await asyncio.wait(self._turns, timeout=GRACE)
            for turn in late:
                turn.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def drain(self) -> int:
        """Send everything that is due now; how many messages were delivered."""
        delivered = 0
        while claimed := await self._begin():
            delivered += sum(await asyncio.gather(*claimed))
        return delivered

    async def _run(self) -> None:
        while not self._stopping.is_set():
            wait = POLL
            try:
                await self._begin()
            except Exception as error:  # noqa: BLE001 - whatever it was, the feed is still there
                failure("webhook.waits", error)
                wait = PAUSE.total_seconds()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)

    async def _begin(self) -> list[asyncio.Task[int]]:
        """Claim as many endpoints as we have hands for, and begin to work for each."""
        free = self._most - len(self._turns)
        if free <= 0 or self._stopping.is_set():
            return []
        now = self._clock()
        async with self._database.transaction() as connection:  # 1
            claimed = await claim_endpoints(connection, now, now + LEASE, free)
        begun = [asyncio.create_task(self._turn(each, now + LEASE), name="webhook") for each in claimed]
        for turn in begun:
            self._turns.add(turn)
            turn.add_done_callback(self._turns.discard)
        return begun

    async def _turn(self, endpoint_id: UUID, until: datetime) -> int:
        """Work for one endpoint until nothing is due, one attempt fails or time is up."""
        delivered = 0
        rest = timedelta(0)
        began = time.monotonic()
        try:
            await self._make(endpoint_id)  # 2
            while time.monotonic() - began < HOLD and not self._stopping.is_set():
                message = await self._next(endpoint_id)
                if message is None:
                    break
                answer = await self._send(message)
                if not answer.taken:
                    rest = max(REST, _patience(answer))
                    break
                delivered += 1
        except UnauthenticatedError:
            # It was disabled a moment ago: what waits, waits until it is enabled.
            event("webhook.held", endpoint=str(endpoint_id))
        except Exception as error:  # noqa: BLE001 - nothing was sent without its record, and nothing is lost
            failure("webhook.waits", error, endpoint=str(endpoint_id))
            rest = PAUSE
        with contextlib.suppress(Exception):
            # If even this fails, the lease runs out by itself.
            async with self._database.transaction() as connection:
                await free_endpoint(connection, endpoint_id, until, self._clock() + rest)
        return delivered

    async def _make(self, endpoint_id: UUID) -> None:
        more = True
        while more and not self._stopping.is_set():
            async with self._database.transaction() as connection:
                more = await make_messages(connection, endpoint_id, self._clock())

    async def _next(self, endpoint_id: UUID) -> WaitingMessage | None:
        async with self._database.transaction() as connection:
            return await next_message(connection, endpoint_id, self._clock())

    async def _send(self, message: WaitingMessage) -> Answer:
        body = payload(message)
        await self._release(message, body)  # 3
        now = self._clock()
        headers = signed_headers(self._keys, message, body, now)
        answer = await self._poster.post(message.url, body, headers, now)
        await self._note(message, answer)  # 4
        return answer

    async def _release(self, message: WaitingMessage, body: bytes) -> None:
        """Return once the message may leave; raises whatever keeps it from that.

        CLAUSE (R2): a message to a partner waits for its record as well.
        """
        principal = principal_of(message)
        if message.recorded:
            await self._egress.confirm(principal)
            return
        categories = frozenset() if message.kind is MessageKind.TEST else frozenset({DataCategory.PSEUDONYM})
        entry = DisclosureEntry(
            principal=principal,
            recorded_at=self._clock(),
            operation_name="webhook",
            operation_hash=sha256(body).hexdigest(),
            categories=categories,
            members=message.members,
        )
        await self._egress.release(entry, counted=0)
        async with self._database.transaction() as connection:
            await note_recorded(connection, message.id, entry.recorded_at)

    async def _note(self, message: WaitingMessage, answer: Answer) -> None:
        now = self._clock()
        due_at: datetime | None = None
        async with self._database.transaction() as connection:
            if answer.taken and answer.status is not None:
                await note_delivered(connection, message, answer.status, now)
            else:
                if answer.status == GONE:
                    await note_gone(connection, message.endpoint_id)
                    due_at = now
                elif message.attempts < len(SCHEDULE):
                    due_at = now + max(_wait(message.attempts), _patience(answer))
                await note_failed(connection, message, answer.status, due_at)
        name = _outcome(answer, given_up=due_at is None)
        event(
            name,
            logging.INFO if answer.taken else logging.WARNING,
            endpoint=str(message.endpoint_id),
            message=str(message.id),
            attempt=message.attempts + 1,
            status=answer.status,
            cause=answer.cause,
        )


def endpoint_counts(database: Database) -> Confirm:
    """What an `Egress` for webhooks asks before each attempt: whether the endpoint may still be sent to.

    The agreement need not be in force: its end is what is told. An officer who disables the endpoint ends it.
    """

    async def confirm(principal: ClientPrincipal) -> None:
        async with database.connection() as connection:
            if not await is_active(connection, UUID(principal.token_id)):
                raise UnauthenticatedError("the endpoint is disabled")

    return confirm


def principal_of(message: WaitingMessage) -> PartnerPrincipal:
    """Who receives the message, for its record. No client of a partner can have such an id."""
    return PartnerPrincipal(
        partner_id=message.partner_id,
        agreement_id=message.agreement_id,
        agreement_version=message.agreement_version,
        client_id=f"webhook:{message.endpoint_id}",
        token_id=str(message.endpoint_id),
        basis=message.basis,
        purpose=message.purpose,
        mask=0,
    )


def _wait(attempts: int) -> timedelta:
    return SCHEDULE[attempts] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, no secret


def _patience(answer: Answer) -> timedelta:
    """How long the receiver asks to be left alone, within bounds."""
    return min(max(answer.retry_after or timedelta(0), timedelta(0)), LONGEST_RETRY_AFTER)


def _outcome(answer: Answer, *, given_up: bool) -> str:
    if answer.taken:
        return "webhook.delivered"
    if answer.status == GONE:
        return "webhook.gone"
    return "webhook.given_up" if given_up else "webhook.put_off"
