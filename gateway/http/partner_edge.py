"""What every HTTP route for partners beside `/graphql` has in common: who asks, how it fails, what is logged.

Comes in: an HTTP request. Goes out: exactly one response. A route is a coroutine that is given a
`PartnerExchange`; it may raise any of our errors as long as it has sent nothing, and they are answered as
`/graphql` answers them. A stream that fails after its first byte is cut off, so that nobody takes it for
whole.

Steps of a request:
1. look at the method;
2. turn the credential into a partner;
3. count the request;
4. let the route answer, until it is done or the caller has left;
5. one log line without any value of the request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gateway.http.errors import refuse
from gateway.http.messages import Authenticator, Meter
from gateway.http.reading import ClientGoneError, Receive, Scope, Send, credentials, header
from gateway.refusals import Code, refused
from gateway.telemetry import event, new_request_id
from policies.principal import PartnerPrincipal
from schema.errors import ForbiddenError

CLIENT_GONE_STATUS: Final = 499
"""Only in the log: nobody was there to be answered."""

SECURITY: Final = (
    (b"cache-control", b"private, no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"vary", b"Authorization"),
)


class CutOffError(Exception):
    """A response that has begun cannot go on. The server closes the connection, and the caller sees that."""


@dataclass(slots=True)
class PartnerExchange:
    """One request of a partner, and the way its answer goes."""

    scope: Scope
    principal: PartnerPrincipal
    request_id: str
    _receive: Receive = field(repr=False)
    _send: Send = field(repr=False)
    _meter: Meter = field(repr=False)
    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    """What is sent besides, with an answer or with a refusal."""

    @property
    def own_headers(self) -> list[tuple[bytes, bytes]]:
        """`headers`, and what is left of the quotas at this moment."""
        return [*self.headers, *self._meter.headers(self.principal)]

    def header(self, name: bytes) -> str | None:
        """The value of a request header.

        Raises:
            RequestRefused: it is there more than once.
        """
        return header(self.scope, name)

    async def body(self) -> AsyncIterator[bytes]:
        """The chunks of the request's body as they arrive; how much is read is for the caller to bound.

        Raises:
            ClientGoneError: the caller left.
        """
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            chunk: bytes = message.get("body", b"")
            if chunk:
                yield chunk
            if not message.get("more_body", False):
                return

    async def start(self, media_type: str, extra: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """Begin an answer of status 200 whose parts follow with `part`."""
        self.status = 200
        headers = [
            (b"content-type", media_type.encode()),
            (b"x-request-id", self.request_id.encode()),
            *SECURITY,
            *self.own_headers,
            *extra,
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def part(self, data: bytes) -> None:
        """Send a part; returns when the caller can take more (back-pressure is the server's)."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        """The answer is whole."""
        await self._send({"type": "http.response.body", "body": b""})

    async def answer(self, media_type: str, data: bytes) -> None:
        """A whole answer at once."""
        await self.start(media_type, [(b"content-length", str(len(data)).encode())])
        await self._send({"type": "http.response.body", "body": data})

    async def unless_gone(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, and stop it as soon as the caller leaves: for streams whose request has been read.

        Raises:
            ClientGoneError: the caller left first.
        """
        doing, leaving = asyncio.create_task(work), asyncio.create_task(self.until_gone())
        try:
            await asyncio.wait((doing, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise ClientGoneError
            await doing
        finally:
            doing.cancel()
            leaving.cancel()
            await asyncio.gather(doing, leaving, return_exceptions=True)

    async def until_gone(self) -> None:
        """Return when the caller has left: for streams whose request has been read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


Act: TypeAlias = Callable[[PartnerExchange], Awaitable[None]]


class PartnerEndpoint:
    """The ASGI application at one path. `path` is ours, for the log."""

    def __init__(
        self, path: str, methods: Collection[str], authenticate: Authenticator, meter: Meter, act: Act
    ) -> None:
        self._path = path
        self._methods = frozenset(methods)
        self._allowed = [(b"allow", ", ".join(sorted(methods)).encode())]  # RFC 9110, 15.5.6
        self._authenticate = authenticate
        self._meter = meter
        self._act = act

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        request_id = new_request_id()
        exchange: PartnerExchange | None = None
        code: str | None = None
        cut_off = False
        try:
            exchange = await self._exchange(scope, receive, send, request_id)
            await self._meter.count(exchange.principal)  # 3.
            await self._act(exchange)  # 4.
            status = exchange.status or 500
        except ClientGoneError:
            status = CLIENT_GONE_STATUS
        except Exception as error:  # noqa: BLE001 - the edge answers whatever happens
            refusal = refuse(error, request_id)
            code, status = refusal.code, refusal.status
            if exchange is not None and exchange.status is not None:
                cut_off = True
            else:
                headers = [] if exchange is None else exchange.own_headers
                headers += self._allowed if code == Code.METHOD_NOT_ALLOWED else refusal.headers
                await _refuse(send, refusal.body, status, headers, request_id)
        event(  # 5.
            "request",
            method=scope["method"] if scope["method"] in self._methods else "OTHER",
            path=self._path,
            status=status,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
            audience=None if exchange is None else exchange.principal.audience,
            code=code,
            request_id=request_id,
        )
        if cut_off:
            raise CutOffError

    async def _exchange(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> PartnerExchange:
        """The exchange with the partner who asks.

        Raises:
            RequestRefused: METHOD_NOT_ALLOWED.
            UnauthenticatedError: there is no credential, or it does not count.
            ForbiddenError: whoever asks is no partner.
        """
        if scope["method"] not in self._methods:  # 1.
            allowed = " or ".join(sorted(self._methods))
            raise refused(Code.METHOD_NOT_ALLOWED, f"send {allowed} here")
        principal = await self._authenticate(credentials(scope, required=True))  # 2.
        if not isinstance(principal, PartnerPrincipal):
            raise ForbiddenError("only partners may ask here: send a partner's token")
        return PartnerExchange(scope, principal, request_id, receive, send, self._meter)


async def _refuse(
    send: Send, body: bytes, status: int, headers: Sequence[tuple[bytes, bytes]], request_id: str
) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"x-request-id", request_id.encode()),
                *SECURITY,
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
