"""Puts the answer of an operation together when every root field is a finished projection.

It follows the GraphQL specification (6.4.4, handling field errors) as graphql-core does: an error in a
nullable root field makes that field null, in a non-null one the whole of `data`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson
from graphql import (
    DirectiveNode,
    DocumentNode,
    GraphQLError,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)

from resolvers.selection import Selection
from schema.errors import GatewayError

DIRECTIVE: Final = "@"
"""No directive is written without it (GraphQL, 2.13)."""

Outcome: TypeAlias = Any
"""A finished value, or the GatewayError that stands in its place."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What may leave: the encoded `data` (`null` included) and located errors, not yet public."""

    data: bytes
    errors: tuple[GraphQLError, ...] = ()


def encode(value: Any) -> bytes:
    """JSON bytes: dates as ISO 8601, instants in UTC with `Z`."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def encode_lines(objects: Sequence[Mapping[str, Any]]) -> bytes:
    """Each object on a line of its own (JSON Lines), encoded together: one by one takes five times as long.

    Between two of them stands an empty string, and what that gives is replaced by the end of a line. Nothing
    else gives it: within a text a quotation mark has a backslash before it, two that follow each other are an
    empty text, and no list of GraphQL's holds objects and texts.
    """
    if not objects:
        return b""
    parted: list[Any] = [""] * (2 * len(objects) - 1)
    parted[::2] = objects
    return encode(parted)[1:-1].replace(b'},"",{', b"}\n{") + b"\n"


def assemble(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    selection: Selection,
    outcomes: Mapping[tuple[str, ...], Outcome],
) -> Answer:
    """The answer made of `outcomes`, in the order of the selection."""
    data: dict[str, Any] = {}
    errors: list[GraphQLError] = []
    for selected in selection.roots:
        if selected.name == "__typename":
            data[selected.key] = _root_type(schema, operation).name
            continue
        outcome = outcomes[selected.key,]
        if not isinstance(outcome, GatewayError):
            data[selected.key] = outcome
            continue
        errors.append(
            GraphQLError(str(outcome), list(selected.nodes), path=[selected.key], original_error=outcome)
        )
        if isinstance(_root_type(schema, operation).fields[selected.name].type, GraphQLNonNull):
            return Answer(b"null", tuple(errors))
        data[selected.key] = None
    return Answer(encode(data), tuple(errors))


def _root_type(schema: GraphQLSchema, operation: OperationDefinitionNode) -> GraphQLObjectType:
    found = schema.get_root_type(operation.operation)
    assert found is not None  # noqa: S101 - validation refuses operations without a root type
    return found


def switch_variables(document: DocumentNode) -> tuple[str, ...]:
    """The names of the variables that `@skip` and `@include` read, sorted: the selection depends on them."""
    if document.loc is not None and DIRECTIVE not in document.loc.source.body:
        return ()
    found = _Switches()
    visit(document, found)
    found.enter_leave_map.clear()  # it knows the visitor: a circle, which only the collector would find
    return tuple(sorted(found.names))


class _Switches(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.names.add(argument.value.name.value)
