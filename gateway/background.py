"""A task that runs beside the requests: begun once, ended with whoever began it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any


class Background:
    """At most one task. What it raises by itself is for it to handle: `stop` raises it otherwise."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Begin; `name` is for those who look at the tasks of a process."""
        self._task = asyncio.create_task(work, name=name)

    async def stop(self) -> None:
        """Cancel it and wait until it has ended. Where nothing was begun, nothing is done."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
