"""Why a request is refused before or instead of being executed: the codes of the HTTP edge.

    GatewayError
    └── RequestRefused             one or more `RefusedError`s, each with its own code
        ├── DocumentRefused        the document itself: syntax, rules of GraphQL, limits
        └── MutationOverGetError   the operation is a mutation and the method is GET

Codes are stable: clients may depend on them. docs/errors.md describes each one, held by
`tests/gateway/http/test_errors.py`. Messages are public (schema/errors.py): names of the contract and
of settings only, never a value from the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple

from schema.errors import GatewayError


class Code(StrEnum):
    """What `extensions.code` says of a request that was refused. Grammar: upper-case words joined by `_`."""

    # The HTTP request
    BAD_REQUEST = "BAD_REQUEST"
    BAD_JSON = "BAD_JSON"
    BATCHING_UNSUPPORTED = "BATCHING_UNSUPPORTED"
    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    URI_TOO_LONG = "URI_TOO_LONG"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    TOO_MANY_STREAMS = "TOO_MANY_STREAMS"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    TIMEOUT = "TIMEOUT"
    # Persisted documents
    PERSISTED_DOCUMENT_NOT_FOUND = "PERSISTED_DOCUMENT_NOT_FOUND"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_DOCUMENT_MISMATCH = "PERSISTED_DOCUMENT_MISMATCH"
    DOCUMENT_NOT_REGISTERED = "DOCUMENT_NOT_REGISTERED"
    # The document
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    INTROSPECTION_DISABLED = "INTROSPECTION_DISABLED"
    TOO_MANY_TOKENS = "TOO_MANY_TOKENS"
    TOO_DEEP = "TOO_DEEP"
    TOO_MANY_ALIASES = "TOO_MANY_ALIASES"
    TOO_MANY_ROOT_FIELDS = "TOO_MANY_ROOT_FIELDS"
    TOO_MANY_DIRECTIVES = "TOO_MANY_DIRECTIVES"
    TOO_MUCH_INTROSPECTION = "TOO_MUCH_INTROSPECTION"
    # The operation
    OPERATION_NOT_FOUND = "OPERATION_NOT_FOUND"
    OPERATION_NAME_REQUIRED = "OPERATION_NAME_REQUIRED"
    MUTATION_OVER_GET = "MUTATION_OVER_GET"
    BAD_VARIABLES = "BAD_VARIABLES"
    TOO_COSTLY = "TOO_COSTLY"


class Place(NamedTuple):
    """A position in the caller's document, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class RefusedError:
    """One reason, as the caller will read it."""

    code: Code
    message: str
    locations: tuple[Place, ...] = ()


class RequestRefused(GatewayError):  # noqa: N818 - the request is refused; the errors are its reasons
    """The request is not executed. `errors` holds at least one reason."""

    code: ClassVar[str] = Code.BAD_REQUEST

    def __init__(self, errors: Sequence[RefusedError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)


class DocumentRefused(RequestRefused):
    """The document will be refused again for this contract, whoever sends it: the refusal may be cached."""

    code: ClassVar[str] = Code.GRAPHQL_VALIDATION_FAILED


class MutationOverGetError(RequestRefused):
    """A mutation came by GET, which must be safe (RFC 9110 9.2.1)."""

    code: ClassVar[str] = Code.MUTATION_OVER_GET

    def __init__(self) -> None:
        message = "mutations are not executed over GET: send the request by POST"
        super().__init__((RefusedError(Code.MUTATION_OVER_GET, message),))


def refused(code: Code, message: str) -> RequestRefused:
    """A refusal for one reason that has no place in the document."""
    return RequestRefused((RefusedError(code, message),))
