"""GraphQL over HTTP, as a plain ASGI callable (specification of September 2026; docs/graphql-over-http.md).

Comes in: an HTTP request. Goes out: exactly one response, also when something fails, and one log line
without any value of the request. What may be asked and what leaves is the engine's; this module keeps
the protocol.

Steps of a request:
1. agree on the media type of the answer;
2. look at the method;
3. turn the credential into a principal, before the body is read; count a partner's request;
4. read the parameters, within the limits of size and time;
5. find the document, if it is named instead of sent;
6. let the engine execute, until it is done, the time is up, or the caller has left;
7. answer.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, assert_never

from gateway.http.documents import resolve_document
from gateway.http.errors import ILL_FORMED, Failure, refuse
from gateway.http.exchange import read_exchange, set_cookie_headers
from gateway.http.messages import (
    Authenticator,
    DocumentFinder,
    GraphQLRequest,
    GraphQLResponse,
    Handler,
    Meter,
)
from gateway.http.negotiation import MediaType, accepts_events, negotiate
from gateway.http.reading import (
    ClientGoneError,
    Headers,
    Receive,
    Scope,
    Send,
    credentials,
    read_body,
    read_query,
)
from gateway.http.remembered import Bodies, Said, kept_as
from gateway.http.streams import EVENT_STREAM, Following, Streams
from gateway.http.watch import Watch, Watches
from gateway.operations import digest_of
from gateway.refusals import Code, refused
from gateway.settings import DocumentPolicy
from gateway.telemetry import REQUESTS, new_request_id
from policies.principal import (
    Entrance,
    MemberPrincipal,
    OfficerPrincipal,
    PartnerPrincipal,
    Principal,
    RecipientPrincipal,
    Visitor,
)

CLIENT_GONE_STATUS: Final = 499
"""Only in the log: nobody was there to be answered."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_SECURITY: Final = (
    (b"cache-control", b"private, no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"vary", b"Accept, Authorization, Cookie, Origin"),
)


_CONTENT_TYPE: Final = {
    media: (b"content-type", f"{media.value}; charset=utf-8".encode()) for media in MediaType
}


@dataclass(slots=True)
class _Trace:
    """One request on its way: what it said first, and what the log line says, as far as it is known."""

    request_id: str
    headers: Headers
    audience: str | None = None
    partner: PartnerPrincipal | None = None
    operation: str | None = None
    code: str | None = None


class GraphQLEndpoint:
    """The ASGI application at `/graphql`, or at another path for officers. One of each for a process."""

    def __init__(
        self,
        *,
        handler: Handler,
        authenticate: Authenticator,
        meter: Meter,
        documents: DocumentFinder,
        document_policy: DocumentPolicy,
        max_body_bytes: int,
        request_timeout: float,
        origins: Collection[str] = (),
        streams: Streams | None = None,
        path: str = "/graphql",
    ) -> None:
        self._path = path
        self._streams = streams
        self._handler = handler
        self._authenticate = authenticate
        self._meter = meter
        self._documents = documents
        self._policy = document_policy
        self._bodies = Bodies()
        self._limit = max_body_bytes
        self._watches = Watches(request_timeout)
        self._origins = frozenset(origin.lower() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        trace = _Trace(new_request_id(), Headers(scope))
        media = MediaType.JSON
        gone = False
        answer: GraphQLResponse | Failure
        try:
            media = self._media(trace.headers)  # 1.
            answered = await self._answer(scope, receive, trace)
            if isinstance(answered, Following):
                await self._stream(answered, receive, send, trace)  # 7.
                _log(self._path, scope, trace, 200, started)
                return
            answer = answered
        except ClientGoneError:
            gone = True
        except Exception as error:  # noqa: BLE001 - the edge answers whatever happens
            answer = refuse(error, trace.request_id)
            trace.code = answer.code
        if gone:
            status = CLIENT_GONE_STATUS
        else:
            quotas = () if trace.partner is None else self._meter.headers(trace.partner)
            status = await _send(send, answer, media, trace.request_id, quotas)  # 7.
        _log(self._path, scope, trace, status, started)

    def _media(self, headers: Headers) -> MediaType:
        """The media type of the answer.

        Raises:
            RequestRefused: NOT_ACCEPTABLE.
        """
        accept = headers.joined(b"accept")
        media = negotiate(accept)
        if media is None and self._streams is not None and accepts_events(accept):
            return MediaType.GRAPHQL_RESPONSE  # of a refusal
        if media is None:
            offered = " or ".join(f"`{media.value}`" for media in reversed(MediaType))
            raise refused(
                Code.NOT_ACCEPTABLE, f"none of the media types in `Accept` is spoken here: accept {offered}"
            )
        return media

    async def _stream(self, following: Following, receive: Receive, send: Send, trace: _Trace) -> None:
        assert self._streams is not None  # noqa: S101 - nothing is followed without
        headers = [
            (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
            (b"x-request-id", trace.request_id.encode()),
            (b"x-accel-buffering", b"no"),
            *_SECURITY,
            *self._meter.headers(following.principal),
        ]
        await self._streams.run(following, receive, send, headers, trace.request_id)

    async def _answer(self, scope: Scope, receive: Receive, trace: _Trace) -> GraphQLResponse | Following:
        """The engine's response.

        Raises:
            GatewayError: the request is refused.
            ClientGoneError: the caller left.
        """
        method, headers = scope["method"], trace.headers  # 2.
        if method not in {"GET", "POST"}:
            raise refused(Code.METHOD_NOT_ALLOWED, "send a GraphQL request by POST, or a query by GET")
        principal = await self._authenticate(credentials(scope, headers))  # 3.
        trace.audience = principal.audience
        if isinstance(principal, PartnerPrincipal):
            trace.partner = principal
            await self._meter.count(principal)
        watch = self._watches.over(receive)
        try:
            with watch:
                request = await self._request(scope, receive, principal, trace)
                watch.body_is_read()
                if self._streams is not None and accepts_events(headers.joined(b"accept")):
                    following = await self._streams.follow(request, principal)  # 6.
                    if following is not None:
                        return following
                    if negotiate(headers.joined(b"accept")) is None:
                        message = "only a subscription is answered as a stream: accept `application/json`"
                        raise refused(Code.NOT_ACCEPTABLE, message)
                answer = await self._handler.execute(request, principal)  # 6.
                if request.exchange.to_set:
                    cookies = set_cookie_headers(request.exchange)
                    return replace(answer, headers=[*answer.headers, *cookies])
                return answer
        except TimeoutError:
            raise self._too_late(watch) from None

    async def _request(
        self, scope: Scope, receive: Receive, principal: Principal, trace: _Trace
    ) -> GraphQLRequest:
        """The request, its document in full."""
        read_only = scope["method"] == "GET"
        # 4.
        if read_only:
            said = Said(read_query(scope, self._limit), None)
        else:
            body = await read_body(trace.headers, receive, self._limit)
            said = self._bodies.read(body, _caller(principal))
        parameters = said.parameters
        document = await resolve_document(parameters, principal, self._documents, self._policy)  # 5.
        digest = said.digest or digest_of(document)
        name = said.kept_as or kept_as(document, digest, _caller(principal))
        # The digest of what may hold a secret would let somebody who reads the log try them all (R1).
        trace.operation = digest[:12] if name == digest else None
        return GraphQLRequest(
            document=document,
            digest=digest,
            operation_name=parameters.operation_name,
            variables=parameters.variables,
            extensions=parameters.extensions,
            read_only=read_only,
            request_id=trace.request_id,
            exchange=read_exchange(scope, self._origins, trace.headers),
            last_event=trace.headers.get(b"last-event-id") or None,
            memory=said.memory,
            kept_as=name,
        )

    def _too_late(self, watch: Watch) -> Exception:
        """What ended a request before its time."""
        if watch.caller_is_gone:
            return ClientGoneError()
        if watch.reading:
            return refused(Code.REQUEST_TIMEOUT, "the body did not arrive in time: send it again")
        limit = f"`request_timeout` allows, which is {self._watches.seconds:g} s"
        return refused(Code.TIMEOUT, f"the request took longer than {limit}: ask for less")


def _caller(principal: Principal) -> Hashable:
    """Whose variables a body holds."""
    match principal:
        case MemberPrincipal(member_id=member_id):
            return member_id
        case OfficerPrincipal(officer_id=officer_id):
            return officer_id
        case PartnerPrincipal(client_id=client_id) | RecipientPrincipal(client_id=client_id):
            return client_id
        case Visitor() | Entrance():
            return None
        case _:
            assert_never(principal)


async def _send(
    send: Send,
    answer: GraphQLResponse | Failure,
    media: MediaType,
    request_id: str,
    quotas: Sequence[tuple[bytes, bytes]],
) -> int:
    """Send the answer; its status."""
    status = _status(answer, media)
    body = answer.body
    headers = [
        _CONTENT_TYPE[media],
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        *_SECURITY,
        *quotas,
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    return status


def _status(answer: GraphQLResponse | Failure, media: MediaType) -> int:
    """The status for this media type.

    Callers of `application/json` cannot tell our 400 from a proxy's, and read the body of a 200 only.
    """
    well_formed = isinstance(answer, GraphQLResponse) or answer.code not in ILL_FORMED
    if media is MediaType.JSON and answer.status == HTTPStatus.BAD_REQUEST and well_formed:
        return HTTPStatus.OK
    return answer.status


def _log(path: str, scope: Scope, trace: _Trace, status: int, started: float) -> None:
    """The access line. Path and method are words of ours: neither is the caller's text."""
    REQUESTS.add(
        "request",
        {
            "method": scope["method"] if scope["method"] in _METHODS else "OTHER",
            "path": path,
            "status": status,
            "milliseconds": round((time.perf_counter() - started) * 1000, 1),
            "audience": trace.audience,
            "operation": trace.operation,
            "code": trace.code,
            "request_id": trace.request_id,
        },
    )
