"""One page over HTTP: looking at it (GET, HEAD) changes nothing, pressing its button (POST) acts.

Comes in: an ASGI request. Goes out: exactly one page, also when something fails, and one log line in which
the path stands without its token.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

import orjson

from gateway.http.errors import refuse
from gateway.http.reading import ClientGoneError, Receive, Scope, Send, header
from gateway.refusals import Code, refused
from gateway.telemetry import event, new_request_id
from gateway.web.pages import HEADERS, HTML, KEPT, UNKEPT, Page, problems, rendered

MAX_FORM: Final = 8_192
"""Bytes of a form. The largest holds a password."""

CLIENT_GONE_STATUS: Final = 499
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page. `body` is what was posted."""

    token: str = field(repr=False)
    scope: Scope = field(repr=False)
    body: bytes = field(repr=False)
    request_id: str


Look: TypeAlias = Callable[[Visit], Awaitable[Page]]


class PageEndpoint:
    """The ASGI application of one page. `path` is what the log calls it."""

    def __init__(
        self,
        *,
        site: str,
        path: str,
        look: Look,
        act: Look | None,
        timeout: float,
        machine: bool = False,
    ) -> None:
        """`machine`: it answers programs, and says in JSON, too, what did not work."""
        self._machine = machine
        self._site = site
        self._path = path
        self._look = look
        self._act = act
        self._timeout = timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        request_id = new_request_id()
        status, code = CLIENT_GONE_STATUS, None
        try:
            page = await self._page(scope, receive, request_id)
            if self._machine and page.data is None:
                page = replace(page, data=orjson.dumps({"code": page.code}))
            status, code = page.status, page.code
            status = await self._send(send, page, request_id, scope)
        except ClientGoneError:
            pass
        event(
            "request",
            method=scope["method"] if scope["method"] in _METHODS else "OTHER",
            path=self._path,
            status=int(status),
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
            code=code,
            request_id=request_id,
        )

    async def _page(self, scope: Scope, receive: Receive, request_id: str) -> Page:
        try:
            async with asyncio.timeout(self._timeout):
                match scope["method"]:
                    case "GET" | "HEAD":
                        act: Look | None = self._look
                        body = b""
                    case "POST":
                        act = self._act
                        body = await _read(receive)
                    case _:
                        act = None
                if act is None:
                    return self._not_allowed()
                token = scope.get("path_params", {}).get("token", "")
                return await act(Visit(token, scope, body, request_id))
        except ClientGoneError:
            raise
        except TimeoutError:
            return failed(refused(Code.TIMEOUT, "this took too long: try again in a moment"), request_id)
        except Exception as error:  # noqa: BLE001 - the edge answers whatever happens
            return failed(error, request_id)

    def _not_allowed(self) -> Page:
        allowed = b"GET, HEAD" if self._act is None else b"GET, HEAD, POST"
        return Page(
            "This does not work here",
            problems(["open the page in a browser"]),
            HTTPStatus.METHOD_NOT_ALLOWED,
            ((b"allow", allowed),),
            Code.METHOD_NOT_ALLOWED,
        )

    async def _send(self, send: Send, page: Page, request_id: str, scope: Scope) -> int:
        """Send the page, or that the one which the browser has still holds; which status it was."""
        body = rendered(page, self._site)
        media = HTML if page.data is None else b"application/json"
        headers = [*HEADERS, (b"content-type", media), (b"x-request-id", request_id.encode()), *page.headers]
        status, bodiless = int(page.status), scope["method"] == "HEAD"
        if page.public:
            tag = f'"{sha256(body).hexdigest()[:32]}"'.encode()
            headers += [*KEPT, (b"etag", tag), (b"content-language", page.language.encode())]
            if _holds(scope, tag):
                status, bodiless = HTTPStatus.NOT_MODIFIED, True
        else:
            headers += UNKEPT
        if status != HTTPStatus.NOT_MODIFIED:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": b"" if bodiless else body})
        return int(status)


def _holds(scope: Scope, tag: bytes) -> bool:
    """Whether the browser has this very page already (RFC 9110, 13.1.2)."""
    given = b",".join(value for key, value in scope["headers"] if key == b"if-none-match")
    return tag in {each.strip().removeprefix(b"W/") for each in given.split(b",")}


def failed(error: BaseException, request_id: str) -> Page:
    """What is shown instead of a page that could not be made."""
    failure = refuse(error, request_id)
    messages = [str(shown["message"]) for shown in failure.errors]
    waits = tuple(pair for pair in failure.headers if pair[0] == b"retry-after")
    return Page("That did not work", problems(messages), failure.status, waits, failure.code)


def read_form(visit: Visit) -> dict[str, str]:
    """The fields of a form as browsers send it.

    Raises:
        RequestRefused: it is none.
    """
    kind = (header(visit.scope, b"content-type") or "").partition(";")[0].strip().lower()
    try:
        pairs = parse_qsl(
            visit.body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=10
        )
    except ValueError:
        pairs = []
    form = dict(pairs)
    if (
        kind != "application/x-www-form-urlencoded"
        or len(form) != len(pairs)
        or "\0" in "".join(form.values())
    ):
        raise refused(Code.BAD_REQUEST, "the form did not arrive as it should: open the link again")
    return form


async def _read(receive: Receive) -> bytes:
    """The whole body.

    Raises:
        RequestRefused: it is longer than any form of ours.
        ClientGoneError: the caller left.
    """
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk: bytes = message.get("body", b"")
        body += chunk
        if len(body) > MAX_FORM:
            raise refused(Code.BODY_TOO_LARGE, "this is more than any form here holds: send less")
        if not message.get("more_body", False):
            return body
