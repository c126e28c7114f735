"""A subscription over server-sent events (WHATWG HTML, 9.2), one for a request: `next`, and `complete`.

Comes in: a subscription that may be followed, and its first page. Goes out: an event for each page, with the
cursor of its end as `id`, and comments in between. The next page is read when the last one has been taken.

1. begin only if the client has a stream left;
2. each page was recorded and confirmed before it is sent (`gateway.egress`);
3. while there is none, look every `TICK` whether the credential still counts;
4. end when it does not, when the service stops, when the time is up, or when the caller has left.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from gateway.announcements import Announcements
from gateway.http.errors import refuse
from gateway.http.messages import GraphQLRequest
from gateway.http.reading import ClientGoneError, Receive, Send
from gateway.refusals import Code, refused
from policies.principal import PartnerPrincipal, Principal

EVENT_STREAM: Final = "text/event-stream"

TICK: Final = 0.5
"""Seconds between two looks at the credential: what is revoked ends within a second."""

SOON: Final = 0.05
"""Seconds from an announcement to the look at the feed: what is written together is read together."""

POLL: Final = 5.0
"""Seconds between two looks at the feed without an announcement."""

KEEP_ALIVE: Final = 15.0
"""Seconds between two comments, so that no proxy takes the connection for dead."""

STALLED: Final = 30.0
"""Seconds for which a caller may take nothing."""


@dataclass(frozen=True, slots=True)
class Event:
    """A page as it is sent: its end, its JSON, or nothing where there is nothing to tell."""

    cursor: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Following:
    """A subscription that was admitted, and its first page."""

    principal: PartnerPrincipal
    first: Event
    page: Callable[[str], Awaitable[Event]]
    confirm: Callable[[], Awaitable[None]]


Follow: TypeAlias = Callable[[GraphQLRequest, Principal], Awaitable[Following | None]]
"""Admits a subscription and reads its first page; None if the operation is none."""


class Streams:
    """All streams of a process."""

    def __init__(
        self, announcements: Announcements, follow: Follow, *, per_client: int, longest: float
    ) -> None:
        self.follow = follow
        self._announcements = announcements
        self._per_client = per_client
        self._longest = longest
        self._open: Counter[str] = Counter()
        self._waiting: set[asyncio.Event] = set()
        self._closing = False

    def close(self) -> None:
        """End all streams: the service stops."""
        self._closing = True
        for event in self._waiting:
            event.set()

    @contextmanager
    def _seat(self, client: str, woken: asyncio.Event) -> Iterator[None]:
        if self._open[client] >= self._per_client:
            message = f"`feed_streams_per_client`, which is {self._per_client}, are open: end one of them"
            raise refused(Code.TOO_MANY_STREAMS, message)
        self._open[client] += 1
        self._waiting.add(woken)
        try:
            yield
        finally:
            self._waiting.discard(woken)
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]

    async def run(
        self,
        following: Following,
        receive: Receive,
        send: Send,
        headers: Sequence[tuple[bytes, bytes]],
        request_id: str,
    ) -> None:
        """Send the stream until it ends.

        Raises:
            RequestRefused: TOO_MANY_STREAMS, the client has as many as it may; nothing has been sent.
            ClientGoneError: the caller left, or takes nothing.
        """
        woken = asyncio.Event()
        agreement = following.principal.agreement_id
        with (
            self._seat(following.principal.client_id, woken),
            self._announcements.waking(agreement, woken),
        ):  # 1
            stream = _Stream(send, woken)
            gone = asyncio.create_task(stream.watch(receive))
            try:
                await stream.begin(headers, following.first.cursor)
                await self._pages(stream, following, request_id)
                await stream.take(b"event: complete\ndata: \n\n", more=True)
                await stream.take(b"", more=False)
            finally:
                gone.cancel()
                with suppress(asyncio.CancelledError):
                    await gone

    async def _pages(self, stream: _Stream, following: Following, request_id: str) -> None:
        """Send pages until the time is up, the service stops, or something fails, which is told."""
        clock = asyncio.get_running_loop().time
        until = clock() + self._longest
        event, delay = following.first, POLL
        look_at = clock()
        try:
            while True:
                if event.body is not None:  # 2
                    await stream.event(event)
                    delay, look_at = SOON, clock()
                stream.check()
                if self._closing or clock() >= until:  # 4
                    return
                if clock() >= look_at:
                    event = await following.page(event.cursor)
                    if event.body is not None:
                        continue
                    delay = min(delay * 2, POLL)
                    look_at = clock() + delay
                event = Event(event.cursor, None)
                if await stream.wait(min(TICK, max(look_at - clock(), 0.001))):
                    delay, look_at = SOON, clock() + SOON
                await following.confirm()  # 3
        except ClientGoneError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told and the stream ends
            await stream.take(b"event: next\ndata: " + refuse(error, request_id).body + b"\n\n", more=True)


class _Stream:
    """One response under way."""

    def __init__(self, send: Send, woken: asyncio.Event) -> None:
        self._send = send
        self._woken = woken
        self._quiet_since = asyncio.get_running_loop().time()
        self.gone = False

    async def watch(self, receive: Receive) -> None:
        """Notice that the caller leaves."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        self._woken.set()

    def check(self) -> None:
        """Go on only with a caller who is there.

        Raises:
            ClientGoneError: it left.
        """
        if self.gone:
            raise ClientGoneError

    async def begin(self, headers: Sequence[tuple[bytes, bytes]], cursor: str) -> None:
        """Headers, and the position to resume from, without an event."""
        await self._hand({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await self.take(f": from here\nid: {cursor}\n\n".encode(), more=True)

    async def event(self, event: Event) -> None:
        """A page."""
        await self.take(
            f"event: next\nid: {event.cursor}\ndata: ".encode() + (event.body or b"") + b"\n\n", more=True
        )

    async def take(self, data: bytes, *, more: bool) -> None:
        """Hand over, and return when the caller can take more.

        Raises:
            ClientGoneError: it takes nothing for too long.
        """
        await self._hand({"type": "http.response.body", "body": data, "more_body": more})

    async def _hand(self, message: MutableMapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(STALLED):
                await self._send(message)
        except TimeoutError:
            raise ClientGoneError from None
        self._quiet_since = asyncio.get_running_loop().time()

    async def wait(self, seconds: float) -> bool:
        """Wait, and say whether somebody called meanwhile; a comment goes out where it was quiet for long."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            if asyncio.get_running_loop().time() - self._quiet_since >= KEEP_ALIVE:
                await self.take(b":\n\n", more=True)
            return False
        self._woken.clear()
        return True
