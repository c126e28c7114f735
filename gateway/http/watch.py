"""Ends a request when its time is up or its caller has left, and costs next to nothing until then.

A timeout needs a timer, and a watch for the caller's leaving needs a task that reads from the connection,
which costs as much as a small read. Nearly all requests are answered within `WATCH_AFTER`; so at first a
request only stands in a list, which one timer for all looks through, and only what stands there the second
time gets a timer and a task of its own.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final, Self

from gateway.http.reading import Receive

WATCH_AFTER: Final = 0.05
"""Seconds between two looks at what is under way."""


class Watches:
    """Over the requests of one endpoint, each of which may take `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._every = min(WATCH_AFTER, seconds / 2)
        self._new: set[Watch] = set()
        self._old: set[Watch] = set()
        self._timer: asyncio.TimerHandle | None = None

    def over(self, receive: Receive) -> Watch:
        """A watch over a request whose messages come by `receive`."""
        return Watch(self, receive)

    def enter(self, watch: Watch) -> None:
        """From now on it is looked at."""
        self._new.add(watch)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._every, self._look)

    def leave(self, watch: Watch) -> None:
        """It is over."""
        self._new.discard(watch)
        self._old.discard(watch)

    def _look(self) -> None:
        for watch in self._old:
            watch.arm()
        self._old, self._new = self._new, set()
        again = asyncio.get_running_loop().call_later
        self._timer = again(self._every, self._look) if self._old else None


class Watch:
    """`with watches.over(receive)`: in either case cancels what is inside and raises TimeoutError.

    While the body is read nobody else may read from the connection: the caller says when it is done.
    """

    def __init__(self, watches: Watches, receive: Receive) -> None:
        self.reading = True
        self.caller_is_gone = False
        self._watches = watches
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._armed = False
        self._ended = False
        self._timer: asyncio.TimerHandle | None = None
        self._listening: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        task = asyncio.current_task(self._loop)
        assert task is not None  # noqa: S101 - every request is a task of the server's
        self._task = task
        self._cancelling = task.cancelling()
        self._watches.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watches.leave(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._listening is not None:
            self._listening.cancel()
        # As `asyncio.Timeout` does it: who else has cancelled the task is not kept from it.
        if self._ended and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def body_is_read(self) -> None:
        """From here on the connection has nothing to say but that the caller leaves."""
        self.reading = False
        if self._armed:
            self._listen()

    def arm(self) -> None:
        """Set the deadline, and look out for the caller as soon as that is possible."""
        self._armed = True
        self._timer = self._loop.call_at(self._began + self._watches.seconds, self._end)
        if not self.reading:
            self._listen()

    def _listen(self) -> None:
        self._listening = self._loop.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.caller_is_gone = True
        self._end()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._task.cancel()
