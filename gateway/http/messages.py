"""What passes between the HTTP edge and the engine: a request that is well-formed, a response in bytes.

The edge knows HTTP and nothing of contracts; the engine knows contracts and nothing of HTTP. Both
speak of a request in these words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from weakref import WeakSet

from policies.principal import PartnerPrincipal, Principal
from resolvers.exchange import Exchange
from schema.errors import UnauthenticatedError

RESOURCE_METADATA: Final = "/.well-known/oauth-protected-resource"
"""Where the metadata of this resource is (RFC 9728): whoever is refused is told."""


@dataclass(slots=True)
class Credentials:
    """What a request says of who sends it. Read by `reading.credentials`, believed by nobody yet.

    `proof` is the header `DPoP` (RFC 9449), which is made for one `method` and one `path`: the path of the
    request as routed, never with a host, because `Host` is the caller's to write. `required`: a request
    without credentials is refused, instead of being a visitor's.

    Nobody changes one. Frozen it would cost each request a microsecond, and a `GraphQLRequest` two.
    """

    authorization: str | None = field(default=None, repr=False)
    proof: str | None = field(default=None, repr=False)
    method: str = "POST"
    path: str = "/graphql"
    required: bool = False


class CredentialRefusedError(UnauthenticatedError):
    """The credential does not count. `challenges` say how to get one that does (RFC 9110, 11.6.1)."""

    def __init__(self, message: str, challenges: Sequence[str]) -> None:
        super().__init__(message)
        self.challenges = tuple(challenges)


class Memory:
    """Goes with bytes that are remembered, and is handed out each time they arrive.

    Whoever keeps what was made of them keeps it by this, weakly, so that it goes when they are forgotten, and
    is counted in `keepers`: what is kept depends on nothing but the bytes and the keeper.
    """

    __slots__ = ("__weakref__", "keepers")

    def __init__(self) -> None:
        self.keepers: WeakSet[Any] = WeakSet()


@dataclass(slots=True)
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
    last_event: str | None = None
    """`Last-Event-ID`: where a stream that was cut off goes on."""
    memory: Memory | None = None
    """None if the bytes of this request are not remembered."""
    kept_as: str = ""
    """The name under which what is made of the document is kept; that of its digest if it is empty."""


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
    """Turns the credentials of a request into a principal."""

    def __call__(self, credentials: Credentials) -> Awaitable[Principal]:
        """The principal; a visitor if there are none and none are required.

        Raises:
            UnauthenticatedError: they are not valid now.
        """
        ...


class Meter(Protocol):
    """Counts what partners ask for (`gateway.quotas.Quotas`)."""

    def count(self, principal: PartnerPrincipal) -> Awaitable[None]:
        """Count one request.

        Raises:
            QuotaExceededError: there have been as many as there may be.
            UnavailableError: they cannot be counted.
        """
        ...

    def headers(self, principal: PartnerPrincipal) -> Sequence[tuple[bytes, bytes]]:
        """What the answer tells of what is left."""
        ...


class DocumentFinder(Protocol):
    """Where documents registered for a client are found."""

    def find(self, client_id: str, identifier: str) -> Awaitable[str | None]:
        """The text of the client's document of that id (or `sha256:` and its digest), or None."""
        ...
