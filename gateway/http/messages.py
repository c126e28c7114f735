"""What passes between the HTTP edge and the engine: a request that is well-formed, a response in bytes.

The edge knows HTTP and nothing of contracts; the engine knows contracts and nothing of HTTP. Both
speak of a request in these words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from policies.principal import Principal
from resolvers.exchange import Exchange


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A well-formed GraphQL-over-HTTP request. That its document is valid is not known yet.

    `digest` is the SHA-256 of the document's text in hex. `read_only` is true for GET: only a query
    may be executed (`PreparedOperation.check_method`). No text here holds a NUL or a lone surrogate.
    """

    document: str
    digest: str
    operation_name: str | None
    variables: Mapping[str, Any]
    extensions: Mapping[str, Any]
    read_only: bool
    request_id: str
    exchange: Exchange = field(default_factory=Exchange)


@dataclass(frozen=True, slots=True)
class GraphQLResponse:
    """A response whose body is a well-formed GraphQL response in JSON.

    `status` is that of `application/graphql-response+json`: 200 if the operation was executed. The
    edge adds the media type and its own headers; `headers` are further ones, names in lower case.
    """

    body: bytes
    status: int = 200
    headers: Sequence[tuple[bytes, bytes]] = field(default=())


class Handler(Protocol):
    """The engine: executes a request for a principal."""

    def execute(self, request: GraphQLRequest, principal: Principal) -> Awaitable[GraphQLResponse]:
        """Answer the request; whatever leaves the engine may be sent.

        Raises:
            GatewayError: the request is refused as a whole; the edge words the answer.
        """
        ...


class Authenticator(Protocol):
    """Turns the `Authorization` header into a principal."""

    def __call__(self, authorization: str | None) -> Awaitable[Principal]:
        """The principal; a visitor if there is no header.

        Raises:
            UnauthenticatedError: the header is not a credential that is valid now.
        """
        ...


class DocumentFinder(Protocol):
    """Where documents registered for a client are found."""

    def find(self, client_id: str, identifier: str) -> Awaitable[str | None]:
        """The text of the client's document of that id (or `sha256:` and its digest), or None."""
        ...
