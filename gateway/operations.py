"""Documents made ready once for a contract, and the operation that a request asks for.

Comes in: a contract's schema, the document's text. Goes out: a `PreparedDocument`, which is parsed,
within the limits and valid for that contract, or `DocumentRefused`. Nothing of a request is kept:
both outcomes depend on the contract and the text alone, so both are cached, within bounds.

Steps of `prepare`:
1. parse, within the limit of tokens and comments;
2. measure the shape against the limits, before anything that could be expensive;
3. validate by all rules of the specification;
4. compile the cost of each operation.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    parse,
)

from gateway.cache import BoundedCache
from gateway.cost import CostProgram, compile_cost
from gateway.limits import Limits, check_structure
from gateway.refusals import Code, DocumentRefused, MutationOverGetError, RefusedError, refused
from gateway.validation import validation_refusals
from gateway.wording import syntax_refusal

AVERAGE_TOKENS: Final = 250
"""A large everyday document. The cache holds as many tokens as its number of documents of this size;
a token kept costs about half a kilobyte."""

REFUSALS_KEPT: Final = 256

_NUL: Final = re.compile(r"\\u(?:0000|\{0+\})")
"""PostgreSQL stores no NUL in text, so no literal may hold one."""


@dataclass(frozen=True, slots=True)
class PreparedOperation:
    """One operation of a valid document."""

    definition: OperationDefinitionNode
    cost_program: CostProgram

    @property
    def is_query(self) -> bool:
        """Whether the operation changes nothing, so that GET may execute it."""
        return self.definition.operation is OperationType.QUERY

    @property
    def is_subscription(self) -> bool:
        """Whether the operation is followed."""
        return self.definition.operation is OperationType.SUBSCRIPTION

    def cost(self, variables: Mapping[str, Any]) -> int:
        """How many leaf values the response may hold with these (coerced) variables."""
        return self.cost_program.evaluate(variables)

    def check_cost(self, variables: Mapping[str, Any], limits: Limits) -> int:
        """The cost, if it is within `max_cost`.

        Raises:
            RequestRefused: TOO_COSTLY.
        """
        cost = self.cost(variables)
        if cost > limits.max_cost:
            message = (
                f"the response could hold more values than `max_cost` allows, which is {limits.max_cost}: "
                "lower `first` or select fewer fields"
            )
            raise refused(Code.TOO_COSTLY, message)
        return cost

    def check_method(self, *, read_only: bool) -> None:
        """Let a request by GET execute queries only.

        Raises:
            MutationOverGetError: the operation is not a query and the request is read-only.
            RequestRefused: NOT_ACCEPTABLE, it is a subscription and no stream was asked for.
        """
        if self.definition.operation is OperationType.SUBSCRIPTION:
            message = "a subscription is answered as a stream: send `Accept: text/event-stream`"
            raise refused(Code.NOT_ACCEPTABLE, message)
        if read_only and not self.is_query:
            raise MutationOverGetError


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document that is valid for one contract. `digest` is the SHA-256 of its text, in hex."""

    digest: str
    document: DocumentNode
    operations: Mapping[str | None, PreparedOperation]
    tokens: int

    def operation(self, name: str | None) -> PreparedOperation:
        """The operation of that name, or the only one if no name is given (the specification's GetOperation).

        Raises:
            RequestRefused: OPERATION_NOT_FOUND or OPERATION_NAME_REQUIRED.
        """
        if name is None:
            if len(self.operations) == 1:
                return next(iter(self.operations.values()))
            if self.operations:
                message = "the document has several operations: say which one in `operationName`"
                raise refused(Code.OPERATION_NAME_REQUIRED, message)
            raise refused(
                Code.OPERATION_NOT_FOUND, "the document has no operation: send a query or a mutation"
            )
        found = self.operations.get(name)
        if found is None:
            message = (
                "the document has no operation of the name given in `operationName`: correct one or the other"
            )
            raise refused(Code.OPERATION_NOT_FOUND, message)
        return found


def prepare(contract_schema: GraphQLSchema, source: str, limits: Limits) -> PreparedDocument:
    """The document, ready to be executed under the contract.

    Raises:
        DocumentRefused: it does not parse, exceeds a limit, or is not valid under the contract.
    """
    document = _parse(source, limits)  # 1.
    check_structure(document, limits)  # 2.
    errors = validation_refusals(contract_schema, document)  # 3.
    if errors:
        raise DocumentRefused(errors)
    operations: dict[str | None, PreparedOperation] = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            name = definition.name.value if definition.name else None
            program = compile_cost(contract_schema, document, definition, limits.default_page_size)  # 4.
            operations[name] = PreparedOperation(definition, program)
    return PreparedDocument(
        digest_of(source), document, operations, getattr(document, "token_count", AVERAGE_TOKENS)
    )


def digest_of(source: str) -> str:
    """The name of a document by its text: SHA-256 over UTF-8, lower-case hex."""
    return hashlib.sha256(source.encode()).hexdigest()


def _parse(source: str, limits: Limits) -> DocumentNode:
    """The syntax tree.

    Raises:
        DocumentRefused: syntax, or too many tokens or comments.
    """
    if _NUL.search(source):
        message = "the document holds a NUL character: remove it"
        raise DocumentRefused((RefusedError(Code.GRAPHQL_PARSE_FAILED, message),))
    try:
        document = parse(
            source,
            allow_empty_selection_sets=False,
            max_lexical_tokens=limits.max_tokens,
            max_comments=limits.max_tokens,
        )
    except GraphQLSyntaxError as error:
        refusal = syntax_refusal(error, limits.max_tokens)
    else:
        _unlink(document)
        return document
    raise DocumentRefused((refusal,))


def _unlink(document: DocumentNode) -> None:
    """Part the document's tokens from each other.

    Each knows the one before and after, which only the parser needs: a circle, so that a document that is
    forgotten would stay until the collector finds it.
    """
    token = None if document.loc is None else document.loc.start_token
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token = following


class Preparer:
    """`prepare` with a memory: each (contract, document) is worked on once while it is remembered.

    What is kept has two bounds, documents and tokens, so that memory is bounded whatever is sent.
    Refusals are kept apart: a caller who sends nonsense does not displace documents in use.
    """

    def __init__(self, limits: Limits, documents: int) -> None:
        self.limits = limits
        self._ready: BoundedCache[tuple[Hashable, str], PreparedDocument] = BoundedCache(
            documents, documents * AVERAGE_TOKENS
        )
        self._refused: BoundedCache[tuple[Hashable, str], tuple[RefusedError, ...]] = BoundedCache(
            REFUSALS_KEPT
        )

    def prepare(
        self, contract_key: Hashable, contract_schema: GraphQLSchema, source: str, digest: str | None = None
    ) -> PreparedDocument:
        """As `prepare`. `contract_key` must change whenever the schema does; `digest` saves hashing again.

        Raises:
            DocumentRefused: as `prepare`.
        """
        key = (contract_key, digest or digest_of(source))
        ready = self._ready.get(key)
        if ready is not None:
            return ready
        known = self._refused.get(key)
        if known is not None:
            raise DocumentRefused(known)
        try:
            ready = prepare(contract_schema, source, self.limits)
        except DocumentRefused as refusal:
            self._refused.put(key, refusal.errors)
            raise
        self._ready.put(key, ready, ready.tokens)
        return ready
