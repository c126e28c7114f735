"""A small engine with graphql-core behind the real edge, so that the protocol is tested by itself."""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from typing import Any
from uuid import UUID

import orjson
from graphql import ExecutionResult, build_schema, execute

from gateway.http.errors import execution_errors
from gateway.http.graphql import GraphQLEndpoint
from gateway.http.messages import Credentials, GraphQLRequest, GraphQLResponse
from gateway.limits import Limits
from gateway.operations import Preparer
from gateway.settings import DocumentPolicy
from gateway.variables import coerce_variables
from policies.principal import PartnerPrincipal, Principal, Visitor
from schema.categories import Basis, Purpose
from schema.errors import CursorError, UnauthenticatedError
from tests.asking import Uncounted

TOKEN = "good-token"

LIMITS = Limits(
    max_tokens=2_000,
    max_depth=12,
    max_aliases=50,
    max_root_fields=10,
    max_directives=100,
    max_cost=20_000,
    default_page_size=20,
)

SCHEMA = build_schema("""
enum Region { NORTH SOUTH }
input Where { region: Region!, ages: [Int!], inner: Where }
type PageInfo { hasNextPage: Boolean!, endCursor: String }
type Address { city: String }
type Order { id: ID! }
type OrderEdge { node: Order! }
type OrderConnection { edges: [OrderEdge!]!, totalCount: Int! }
type Member {
  id: ID!
  name: String
  friend: Member
  addresses: [Address!]!
  orders(first: Int, after: String): OrderConnection!
}
type MemberEdge { node: Member!, cursor: String! }
type MemberConnection { edges: [MemberEdge!]!, pageInfo: PageInfo!, totalCount: Int! }
type Query {
  hello(name: String): String
  members(first: Int, after: String, where: Where): MemberConnection!
  list(first: Int! = 3): [Member!]!
  me: Member
  node(id: ID!): Member
  broken: String
  refused: String
  slow: String
  surely: String!
}
type Mutation { rename(name: String!): Member }
""")

SECRET = "+1 555 123 4567"
"""What a driver quotes in its exception: it may appear in no answer and no log line."""


class Root:
    """The values of the root fields."""

    def __init__(self) -> None:
        self.cancelled = asyncio.Event()

    def hello(self, _: Any, name: str | None = None) -> str:
        return "hello" if name is None else "hello you"

    def broken(self, _: Any) -> str:
        raise RuntimeError(SECRET)

    def surely(self, _: Any) -> None:
        return None

    def refused(self, _: Any) -> str:
        raise CursorError("the cursor `after` is of another list: begin again without it")

    async def slow(self, _: Any) -> str:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return "slow"

    def members(self, _: Any, **_arguments: Any) -> dict[str, Any]:
        return {"totalCount": 0, "edges": [], "pageInfo": {"hasNextPage": False}}

    def list(self, _: Any, **_arguments: Any) -> tuple[()]:
        return ()

    def me(self, _: Any) -> dict[str, str]:
        return {"id": "1", "name": "Ada"}

    def node(self, _: Any, **arguments: str) -> dict[str, str]:
        return {"id": "1", "name": "Ada"} if arguments["id"] else {}

    def rename(self, _: Any, **arguments: str) -> dict[str, str]:
        return {"id": "1", "name": "Ada"} if "name" in arguments else {}


class ReferenceEngine:
    """Parses, validates, executes; keeps no data."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.root = Root()
        self.preparer = Preparer(limits, 100)
        self.requests: list[GraphQLRequest] = []

    async def execute(self, request: GraphQLRequest, principal: Principal) -> GraphQLResponse:
        self.requests.append(request)
        prepared = self.preparer.prepare(principal.audience, SCHEMA, request.document, request.digest)
        operation = prepared.operation(request.operation_name)
        operation.check_method(read_only=request.read_only)
        variables = coerce_variables(SCHEMA, operation.definition, request.variables)
        operation.check_cost(variables.coerced, self.preparer.limits)
        outcome = execute(
            SCHEMA,
            prepared.document,
            self.root,
            variable_values=dict(request.variables),
            operation_name=request.operation_name,
        )
        result: ExecutionResult = await outcome if isawaitable(outcome) else outcome
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = execution_errors(result.errors, request.request_id)
        return GraphQLResponse(orjson.dumps(body))


class Documents:
    """Registered documents in a dictionary."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], str] = {}

    async def find(self, client_id: str, identifier: str) -> str | None:
        return self.known.get((client_id, identifier))


async def authenticate(credentials: Credentials) -> Principal:
    """A visitor, a partner with the token, or nobody."""
    if credentials.authorization is None:
        return Visitor()
    if credentials.authorization != f"Bearer {TOKEN}":
        raise UnauthenticatedError("the credential is not valid: sign in again")
    return PartnerPrincipal(
        UUID(int=1), UUID(int=2), 1, "shop", "t1", Basis.STRATEGIC, Purpose.PARTNER_OFFERS, 0
    )


def endpoint(
    engine: ReferenceEngine | None = None,
    documents: Documents | None = None,
    policy: DocumentPolicy = DocumentPolicy.ANY,
    max_body_bytes: int = 10_000,
    request_timeout: float = 5.0,
) -> GraphQLEndpoint:
    """The edge before a reference engine."""
    return GraphQLEndpoint(
        handler=engine or ReferenceEngine(),
        authenticate=authenticate,
        meter=Uncounted(),
        documents=documents or Documents(),
        document_policy=policy,
        max_body_bytes=max_body_bytes,
        request_timeout=request_timeout,
    )
