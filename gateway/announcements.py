"""Wakes the streams of an agreement when its feed has grown, at every replica: one listener for the process.

Who commits for requests tells it here, and it tells PostgreSQL for all that was committed in a moment. A
notification is a hint and nothing more. One may be missed, and a line may not be readable yet when it is
announced: who waits looks again by itself.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Self
from uuid import UUID

from gateway.database import Database
from gateway.driver_errors import translate_driver_errors
from resolvers.share_rows import FEED_CHANNEL, announce
from schema.errors import GatewayError
from schema.ids import parse_uuid

RECONNECT: Final = 1.0
"""Seconds before another attempt."""

GATHERING: Final = 0.02
"""Seconds in which what was committed is told together. PostgreSQL lets only one transaction with a
notification commit at a time, so commands that come often do not notify by themselves."""


class Announcements:
    """`async with` it around serving."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._grown: set[UUID] = set()
        self._telling: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen."""
        self._task = asyncio.create_task(self._follow(), name="feed announcements")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop, once what was committed is told."""
        if self._telling is not None:
            await self._telling
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def tell(self, agreements: set[UUID]) -> None:
        """Wake, at every replica, who follows the feeds of these agreements: they have grown."""
        self._grown |= agreements
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell(), name="feed announcements to others")

    @contextmanager
    def waking(self, agreement: UUID, event: asyncio.Event) -> Iterator[None]:
        """Set `event` whenever the feed of `agreement` has grown."""
        self._waiting[agreement].add(event)
        try:
            yield
        finally:
            self._waiting[agreement].discard(event)
            if not self._waiting[agreement]:
                del self._waiting[agreement]

    async def _tell(self) -> None:
        while self._grown:
            await asyncio.sleep(GATHERING)
            grown, self._grown = self._grown, set()
            with suppress(GatewayError):  # who waits looks again by itself
                async with self._database.connection() as connection:
                    await announce(connection, grown)

    async def _follow(self) -> None:
        while True:
            with suppress(GatewayError):
                connection = await self._database.listen()
                try:
                    with translate_driver_errors():
                        await connection.add_listener(FEED_CHANNEL, self._heard)
                    closed = asyncio.Event()
                    connection.add_termination_listener(lambda *_: closed.set())  # noqa: B023
                    await closed.wait()
                finally:
                    connection.terminate()
            await asyncio.sleep(RECONNECT)

    def _heard(self, _connection: object, _process: int, _channel: str, payload: object) -> None:
        if not self._waiting or not isinstance(payload, str):
            return
        for agreement in map(parse_uuid, payload.split(",")):
            if agreement is not None:
                for event in self._waiting.get(agreement, ()):
                    event.set()
