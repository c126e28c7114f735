"""Ends a request when its time is up or its caller has left, and costs next to nothing until then.

A timeout needs a timer, and a watch for the caller's leaving needs a task that reads from the
connection, which costs as much as a small read. Nearly all requests are answered within `WATCH_AFTER`;
so at first there is one timer only, and when it fires the deadline is set and the task is started.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final, Self

from gateway.http.reading import Receive

WATCH_AFTER: Final = 0.05
"""Seconds after which a request is worth watching."""


class Watch:
    """`async with Watch(receive, seconds)`: in either case cancels what is inside and raises TimeoutError.

    While the body is read nobody else may read from the connection: the caller says when it is done.
    """

    def __init__(self, receive: Receive, seconds: float) -> None:
        self.reading = True
        self.caller_is_gone = False
        self._receive = receive
        self._seconds = seconds
        self._scope = asyncio.timeout(None)
        self._timer: asyncio.TimerHandle | None = None
        self._armed = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(min(WATCH_AFTER, self._seconds), self._arm, loop.time() + self._seconds)
        await self._scope.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        await self._scope.__aexit__(kind, error, trace)

    def body_is_read(self) -> None:
        """From here on the connection has nothing to say but that the caller leaves."""
        self.reading = False
        if self._armed:
            self._start()

    def _arm(self, deadline: float) -> None:
        """Set the deadline, and look out for the caller as soon as that is possible."""
        self._armed = True
        self._scope.reschedule(deadline)
        if not self.reading:
            self._start()

    def _start(self) -> None:
        self._task = asyncio.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.caller_is_gone = True
        self._scope.reschedule(asyncio.get_running_loop().time())
