"""What the disclosure log needs beside being written: parts to find a member's records by, and checkpoints.

Runs beside serving. Nothing of it is on the way of a request: where it fails, answers are as right as before,
a member's list is slower, and the newest checkpoint is older (`gateway doctor` says so).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Self

from gateway.background import Background
from gateway.checkpoints import sign_checkpoint
from gateway.database import Database
from gateway.keys import Keyring
from gateway.telemetry import failure
from resolvers.disclosure_parts import make_part
from resolvers.disclosure_reading import add_checkpoint

INTERVAL: Final = 1.0
"""Seconds between two looks at the log."""


class DisclosureUpkeep:
    """`async with` it around the log itself: the last checkpoint is made when nothing more is recorded."""

    def __init__(
        self, database: Database, keys: Keyring, clock: Callable[[], datetime], checkpoint_interval: float
    ) -> None:
        self._database = database
        self._sign = partial(sign_checkpoint, keys)
        self._clock = clock
        self._checkpoint_interval = timedelta(seconds=checkpoint_interval)
        self._background = Background()

    async def __aenter__(self) -> Self:
        """Begin."""
        self._background.start(self._run(), "disclosure-upkeep")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop, and make a last checkpoint of what was recorded."""
        await self._background.stop()
        try:
            await self.checkpoint(timedelta(0))
        except Exception as error:  # noqa: BLE001 - it stops all the same; the next start makes one
            failure("upkeep.failed", error)

    async def checkpoint(self, interval: timedelta) -> None:
        """Make a checkpoint if something was recorded, and the last one is older than that."""
        now = self._clock()
        async with self._database.transaction() as connection:
            await add_checkpoint(connection, now, self._sign, unless_since=now - interval)

    async def _run(self) -> None:
        while True:
            for step in (self._make_parts, partial(self.checkpoint, self._checkpoint_interval)):
                try:
                    await step()
                except Exception as error:  # noqa: BLE001 - the log stays as right as it is
                    failure("upkeep.failed", error)
            await asyncio.sleep(INTERVAL)

    async def _make_parts(self) -> None:
        more = True
        while more:
            async with self._database.transaction() as connection:
                more = await make_part(connection)
