"""The one place where errors become GraphQL errors and HTTP statuses.

Comes in: our own errors (schema/errors.py, gateway/refusals.py), what graphql-core's executor
reports, and anything else. Goes out: `Failure`, a status and GraphQL errors with `extensions.code`.

    our errors                 their own code and message; both are public by contract
    executor, caused by ours   the same, at the path where it happened
    executor, bad argument     BAD_INPUT, named by the field
    everything else            INTERNAL and a request id; the cause is logged without its message

INVARIANT (no-echo): no message holds a value of the request or of the data. Ours are made that way;
those of graphql-core and of drivers are never passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson
from graphql import FieldNode, GraphQLError

from gateway.http.messages import CredentialRefusedError
from gateway.refusals import Code, RequestRefused
from gateway.telemetry import failure
from gateway.wording import echoed
from schema.errors import GatewayError, QuotaExceededError

_INTERNAL: Final = "INTERNAL"
_ARGUMENT_PREFIX: Final = "Argument '"

STATUS: Final[Mapping[str, int]] = MappingProxyType(
    {
        Code.BODY_TOO_LARGE: 413,
        Code.URI_TOO_LONG: 414,
        Code.METHOD_NOT_ALLOWED: 405,
        Code.MUTATION_OVER_GET: 405,
        Code.NOT_ACCEPTABLE: 406,
        Code.TOO_MANY_STREAMS: 429,
        Code.REQUEST_TIMEOUT: 408,
        Code.UNSUPPORTED_MEDIA_TYPE: 415,
        Code.TIMEOUT: 503,
        "UNAUTHENTICATED": 401,
        "FORBIDDEN": 403,
        "THROTTLED": 429,
        "QUOTA_EXCEEDED": 429,
        "PRIVACY_BUDGET_SPENT": 429,
        "UNAVAILABLE": 503,
        "DISCLOSURE_UNRECORDED": 503,
        "POLICY_CHANGED": 503,
        "CATALOGUE_INVALID": 500,
        "POLICY_INVALID": 500,
        "SETTINGS_INVALID": 500,
        _INTERNAL: 500,
    }
)
"""The HTTP status of a request that is refused with a code. A code that is not listed has 400."""

ILL_FORMED: Final = frozenset({Code.BAD_REQUEST, Code.BAD_JSON, Code.BATCHING_UNSUPPORTED})
"""What is not a GraphQL-over-HTTP request at all. Its status is 400 whatever the caller accepts."""

_NO_HEADERS: Final[Sequence[tuple[bytes, bytes]]] = ()
HEADERS: Final[Mapping[str, Sequence[tuple[bytes, bytes]]]] = MappingProxyType(
    {
        Code.METHOD_NOT_ALLOWED: ((b"allow", b"GET, POST"),),
        Code.MUTATION_OVER_GET: ((b"allow", b"POST"),),
        Code.UNSUPPORTED_MEDIA_TYPE: ((b"accept-post", b"application/json"),),
        "UNAUTHENTICATED": ((b"www-authenticate", b'Bearer realm="graphql", error="invalid_token"'),),
        "UNAVAILABLE": ((b"retry-after", b"1"),),
        "DISCLOSURE_UNRECORDED": ((b"retry-after", b"1"),),
        "POLICY_CHANGED": ((b"retry-after", b"1"),),
        Code.TIMEOUT: ((b"retry-after", b"1"),),
    }
)
"""The headers that HTTP wants beside a status (RFC 9110, RFC 6750)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that was not executed, as it is answered."""

    status: int
    errors: tuple[Mapping[str, Any], ...]
    headers: Sequence[tuple[bytes, bytes]]

    @property
    def body(self) -> bytes:
        """The GraphQL response: errors and no `data`."""
        return orjson.dumps({"errors": self.errors})

    @property
    def code(self) -> str:
        """The code of the first error."""
        return str(self.errors[0]["extensions"]["code"])


def refuse(error: BaseException, request_id: str) -> Failure:
    """How a request that ended in `error` is answered."""
    if isinstance(error, RequestRefused):
        errors = tuple(
            _formatted(
                refused.message,
                refused.code,
                [{"line": place.line, "column": place.column} for place in refused.locations],
            )
            for refused in error.errors
        )
        code: str = error.errors[0].code
    elif isinstance(error, GatewayError) and type(error) is not GatewayError:
        code = error.code
        errors = (_formatted(str(error), code),)
    else:
        failure("request.failed", error, request_id=request_id)
        code = _INTERNAL
        errors = (_internal(request_id),)
    return Failure(STATUS.get(code, 400), errors, _headers(error, code))


def _headers(error: BaseException, code: str) -> Sequence[tuple[bytes, bytes]]:
    if isinstance(error, CredentialRefusedError):
        return tuple((b"www-authenticate", challenge.encode("ascii")) for challenge in error.challenges)
    if isinstance(error, QuotaExceededError):
        return ((b"retry-after", str(error.retry_after).encode()),)
    return HEADERS.get(code, _NO_HEADERS)


def execution_errors(errors: Iterable[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """The `errors` of an executed operation, each with its path and location."""
    return [_execution_error(error, request_id) for error in errors]


def _execution_error(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """One error of the executor, worded anew."""
    cause = _root_cause(error)
    locations = [{"line": location.line, "column": location.column} for location in error.locations or ()]
    if isinstance(cause, GatewayError) and type(cause) is not GatewayError:
        formatted = _formatted(str(cause), cause.code, locations)
    elif cause is None and error.message.startswith(_ARGUMENT_PREFIX):
        node = error.nodes[0] if error.nodes else None
        field = f" of field {echoed(node.name.value)}" if isinstance(node, FieldNode) else ""
        message = f"an argument{field} has a wrong value: check its type in the contract"
        formatted = _formatted(message, "BAD_INPUT", locations)
    else:
        failure("field.failed", cause or error, request_id=request_id)
        formatted = _internal(request_id) | ({"locations": locations} if locations else {})
    if error.path is not None:
        formatted["path"] = list(error.path)
    return formatted


def _root_cause(error: GraphQLError) -> BaseException | None:
    """What was raised inside, below any number of graphql-core's wrappers."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _internal(request_id: str) -> dict[str, Any]:
    """The error that stands for all that callers need not know."""
    formatted = _formatted("something failed on our side: name the request id when you report it", _INTERNAL)
    formatted["extensions"]["requestId"] = request_id
    return formatted


def _formatted(message: str, code: str, locations: Sequence[Mapping[str, int]] = ()) -> dict[str, Any]:
    """A GraphQL error."""
    formatted: dict[str, Any] = {"message": message, "extensions": {"code": str(code)}}
    if locations:
        formatted["locations"] = list(locations)
    return formatted
