"""From the bytes of an HTTP request to the parameters of a GraphQL request.

Comes in: the ASGI scope and body. Goes out: `Parameters`, each of the right type, or `RequestRefused`.
Nothing here knows what a document says. No parser's own exception leaves this module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeAlias
from urllib.parse import parse_qsl

from gateway.http.messages import Credentials
from gateway.http.negotiation import is_json
from gateway.refusals import Code, refused

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

MAX_PARAMETERS: Final = 50
"""Members of the query string that are looked at; there are five that mean something."""

_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""An escaped NUL, and not an escaped backslash before the letter u."""

_TEXTS: Final = ("query", "documentId", "operationName")
_OBJECTS: Final = ("variables", "extensions")


class ClientGoneError(Exception):
    """The caller closed the connection; nobody is left to answer."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the request says. At least one of `query`, `document_id` and `apollo_hash` is there."""

    query: str | None
    document_id: str | None
    operation_name: str | None
    variables: Mapping[str, Any]
    extensions: Mapping[str, Any]
    apollo_hash: str | None


class Headers:
    """The headers of one request, indexed once: a request is asked for a dozen of them."""

    __slots__ = ("_all", "_last")

    def __init__(self, scope: Scope) -> None:
        self._all: Sequence[tuple[bytes, bytes]] = scope["headers"]
        self._last: Mapping[bytes, bytes] = dict(self._all)

    def get(self, name: bytes) -> str | None:
        """The value of a header; None if it is absent.

        Raises:
            RequestRefused: it is there more than once, so that two readers could disagree.
        """
        value = self._last.get(name)
        if value is None:
            return None
        if len(self._last) != len(self._all) and sum(key == name for key, _ in self._all) > 1:
            message = f"the header `{name.decode()}` is there more than once: send it once"
            raise refused(Code.BAD_REQUEST, message)
        return value.decode("latin-1")

    def joined(self, name: bytes, separator: str = ",") -> str | None:
        """The value of `Accept`, or of a list like it, which may be spread over several lines."""
        if name not in self._last:
            return None
        return separator.join(value.decode("latin-1") for key, value in self._all if key == name)


def header(scope: Scope, name: bytes) -> str | None:
    """One header, for whoever needs no other: as `Headers.get`."""
    return Headers(scope).get(name)


def accept_header(scope: Scope, name: bytes = b"accept") -> str | None:
    """One list of headers, for whoever needs no other: as `Headers.joined`."""
    return Headers(scope).joined(name)


def credentials(scope: Scope, headers: Headers | None = None, *, required: bool = False) -> Credentials:
    """What the request says of who sends it.

    Raises:
        RequestRefused: a header is there more than once.
    """
    headers = headers or Headers(scope)
    return Credentials(
        authorization=headers.get(b"authorization"),
        proof=headers.get(b"dpop"),
        method=scope["method"],
        path=scope["path"],
        required=required,
    )


def read_query(scope: Scope, limit: int) -> Parameters:
    """The parameters of a GET request.

    Raises:
        RequestRefused: too long, not UTF-8, a parameter twice or of a wrong type.
    """
    raw: bytes = scope["query_string"]
    if len(raw) > limit:
        message = (
            f"the query string is longer than `max_body_bytes` allows, which is {limit}: send it by POST"
        )
        raise refused(Code.URI_TOO_LONG, message)
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        raise refused(
            Code.BAD_REQUEST, "the query string is not form-urlencoded UTF-8: encode it so"
        ) from None
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name not in _TEXTS and name not in _OBJECTS:
            continue
        if name in given:
            raise refused(Code.BAD_REQUEST, f"`{name}` is there more than once: send it once")
        # The empty string means absent, for all but the document itself.
        given[name] = (
            (_json(value.encode()) if name in _OBJECTS else value) if value or name == "query" else None
        )
    return _parameters(given)


async def read_body(headers: Headers, receive: Receive, limit: int) -> bytes:
    """The body of a POST request.

    Raises:
        RequestRefused: another media type, an encoded or too large body.
        ClientGoneError: the caller left.
    """
    if not is_json(headers.get(b"content-type")):
        message = "the body must be JSON in UTF-8: set `Content-Type: application/json`"
        raise refused(Code.UNSUPPORTED_MEDIA_TYPE, message)
    if (headers.get(b"content-encoding") or "identity").lower() != "identity":
        raise refused(Code.UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed: send it as it is")
    length = headers.get(b"content-length")
    if length is not None and length.isdecimal() and (len(length) > len(str(limit)) or int(length) > limit):
        raise _too_large(limit)
    return await _collect(receive, limit)


def parse_body(body: bytes) -> Parameters:
    """The parameters of a POST request, which depend on nothing but these bytes.

    Raises:
        RequestRefused: bad JSON, wrong types.
    """
    value = _json(body)
    if isinstance(value, list):
        raise refused(Code.BATCHING_UNSUPPORTED, "batches are not supported: send one request at a time")
    if not isinstance(value, dict):
        raise refused(Code.BAD_REQUEST, "the body must be a JSON object: see GraphQL over HTTP")
    return _parameters(value)


async def _collect(receive: Receive, limit: int) -> bytes:
    """The whole body, read no further than the limit."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join((*chunks, chunk)) if chunks else chunk
        chunks.append(chunk)


def _parameters(given: Mapping[str, Any]) -> Parameters:
    """The parameters, types checked. Other members are ignored, as the specification says."""
    for name in _TEXTS:
        if not isinstance(given.get(name), str | None):
            raise refused(Code.BAD_REQUEST, f"`{name}` must be a string")
    for name in _OBJECTS:
        if not isinstance(given.get(name), dict | None):
            raise refused(Code.BAD_REQUEST, f"`{name}` must be an object")
    extensions = given.get("extensions") or {}
    parameters = Parameters(
        query=given.get("query"),
        document_id=given.get("documentId"),
        operation_name=given.get("operationName") or None,
        variables=given.get("variables") or {},
        extensions=extensions,
        apollo_hash=_apollo_hash(extensions),
    )
    if parameters.query is not None and parameters.document_id is not None:
        raise refused(Code.BAD_REQUEST, "`query` and `documentId` exclude each other: send one of them")
    if parameters.query is None and parameters.document_id is None and parameters.apollo_hash is None:
        raise refused(Code.BAD_REQUEST, "`query` is missing: send a document, or a `documentId`")
    return parameters


def _apollo_hash(extensions: Mapping[str, Any]) -> str | None:
    """The hash that Apollo's clients send instead of a document."""
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return None
    digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(digest, str) or persisted.get("version") != 1:
        message = "`extensions.persistedQuery` must have `version` 1 and a string `sha256Hash`"
        raise refused(Code.BAD_REQUEST, message)
    return digest


def _json(body: bytes) -> Any:
    """A JSON text by RFC 8259, strictly: no name twice, no NaN, no lone surrogate, no NUL.

    The last two cannot be stored as text by PostgreSQL; a name twice is read differently by different
    parsers.
    """
    try:
        value = _STRICT.decode(body.decode())
        if b"\\u" in body:
            written = json.dumps(value, ensure_ascii=False).encode()  # raises on a lone surrogate
            if _NUL.search(written):
                raise ValueError  # noqa: TRY301 - one way out for all that is wrong with a text
    except (ValueError, RecursionError):
        message = "the JSON is malformed, too deep, has a name twice, a NUL or a lone surrogate: correct it"
        raise refused(Code.BAD_JSON, message) from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names are all different."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def _no_constant(_: str) -> NoReturn:
    """NaN and the infinities are not JSON."""
    raise ValueError


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def _too_large(limit: int) -> Exception:
    """The refusal of a body that is longer than the limit."""
    message = f"the body is longer than `max_body_bytes` allows, which is {limit}: send less in one request"
    return refused(Code.BODY_TOO_LARGE, message)
