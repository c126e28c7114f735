"""The HTTP of the OAuth endpoints: one form in, exactly one JSON object out, one log line without values.

Steps of a request:
1. read it, within limits of size and time;
2. authenticate the client;
3. let the endpoint act;
4. answer; every failure in the words of RFC 6749, 5.2, and nothing may be stored on the way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import orjson

from gateway.http.reading import ClientGoneError, Receive, Scope, Send
from gateway.oauth.authentication import AuthenticatedClient, ClientAuthentication
from gateway.oauth.errors import REALM, OAuthCode, OAuthError, invalid_request
from gateway.oauth.forms import OAuthRequest, read_request
from gateway.refusals import RequestRefused
from gateway.telemetry import event, failure, new_request_id
from schema.errors import UnavailableError

Act: TypeAlias = Callable[[OAuthRequest, AuthenticatedClient], Awaitable[dict[str, Any]]]

CLIENT_GONE_STATUS: Final = 499
"""Only in the log: nobody was there to be answered."""

HEADERS: Final = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)


class OAuthEndpoint:
    """The ASGI application at one path. `timeout` in seconds."""

    def __init__(self, path: str, clients: ClientAuthentication, act: Act, timeout: float) -> None:
        self._path = path
        self._clients = clients
        self._act = act
        self._timeout = timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        request_id = new_request_id()
        status, code = 200, None
        try:
            answer = await self._answer(scope, receive, request_id)
            await _send(send, status, answer, (), request_id)
        except ClientGoneError:
            status = CLIENT_GONE_STATUS
        except Exception as error:  # noqa: BLE001 - the edge answers whatever happens
            refusal = _refusal(error, request_id)
            status, code = refusal.status, refusal.code
            answer = {"error": code, "error_description": refusal.description}
            await _send(send, status, answer, _headers(refusal), request_id)
        event(
            "request",
            method="POST" if scope["method"] == "POST" else "OTHER",
            path=self._path,
            status=status,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
            code=code,
            request_id=request_id,
        )

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> dict[str, Any]:
        async with asyncio.timeout(self._timeout):
            request = await read_request(scope, receive, request_id)  # 1
            client = await self._clients.authenticate(request)  # 2
            return await self._act(request, client)  # 3


def _refusal(error: Exception, request_id: str) -> OAuthError:
    """How a request that ended in `error` is answered."""
    match error:
        case OAuthError():
            return error
        case RequestRefused():
            return invalid_request("a header is there more than once")
        case UnavailableError() | TimeoutError():
            message = "a part that is needed does not answer: try again"
            return OAuthError(OAuthCode.TEMPORARILY_UNAVAILABLE, message, status=503, retry_after=1)
        case _:
            failure("request.failed", error, request_id=request_id)
            return OAuthError(OAuthCode.SERVER_ERROR, "something failed on our side", status=500)


def _headers(refusal: OAuthError) -> list[tuple[bytes, bytes]]:
    headers = []
    if refusal.code is OAuthCode.INVALID_CLIENT:
        headers.append((b"www-authenticate", f'Basic realm="{REALM}", charset="UTF-8"'.encode()))
    if refusal.retry_after is not None:
        headers.append((b"retry-after", str(refusal.retry_after).encode()))
    if refusal.status == 405:  # noqa: PLR2004 - RFC 9110, 15.5.6
        headers.append((b"allow", b"POST"))
    return headers


async def _send(send: Send, status: int, answer: dict[str, Any], extra: Any, request_id: str) -> None:
    body = orjson.dumps(answer)
    headers = [
        *HEADERS,
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        *extra,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
