"""Wakes the streams of an agreement when its feed has grown: one listener for the whole process.

A notification is a hint and nothing more. One may be missed, and a line may not be readable yet when it is
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
from resolvers.share_rows import FEED_CHANNEL
from schema.errors import GatewayError
from schema.ids import parse_uuid

RECONNECT: Final = 1.0
"""Seconds before another attempt."""


class Announcements:
    """`async with` it around serving."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen."""
        self._task = asyncio.create_task(self._follow(), name="feed announcements")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

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
