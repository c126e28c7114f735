"""From a validated document to a tree of selected fields. Nothing here knows of tables or of SQL.

In: the contract's schema, the document, the values of the variables. Out: `Selection`, in which
fragments, `@skip`, `@include` and merged fields are resolved as the GraphQL specification says
(section 6.3.2), by graphql-core's own code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues, get_argument_values


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a field's arguments are coerced, once for each request."""

    field: GraphQLField
    node: FieldNode

    def arguments(self, variables: VariableValues) -> dict[str, Any]:
        """The coerced arguments; absent ones are absent."""
        return get_argument_values(self.field, self.node, variables)


@dataclass(frozen=True, slots=True)
class Selected:
    """One response key: the field it shows, and what is selected below it."""

    key: str
    name: str
    parent: str
    returns: str
    slot: int | None
    children: tuple[Selected, ...]
    nodes: tuple[FieldNode, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected root fields in response order, and the slots of all arguments below them."""

    roots: tuple[Selected, ...]
    slots: tuple[Slot, ...]


def select(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: VariableValues,
) -> Selection:
    """The selection of `operation`. The document must have been validated against `schema`."""
    return _Selecting(schema, document, operation, variables).run()


class _Selecting:
    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> None:
        self.schema = schema
        self.operation = operation
        self.variables = variables
        self.fragments = {
            definition.name.value: FragmentDetails(definition)
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.slots: list[Slot] = []

    def run(self) -> Selection:
        root_type = self.schema.get_root_type(self.operation.operation)
        assert root_type is not None  # noqa: S101 - validation refuses operations without a root type
        grouped = collect_fields(
            self.schema, self.fragments, self.variables, root_type, self.operation
        ).grouped_field_set
        return Selection(self._fields(root_type, grouped), tuple(self.slots))

    def _fields(
        self, parent: GraphQLObjectType, grouped: Mapping[str, FieldDetailsList]
    ) -> tuple[Selected, ...]:
        return tuple(self._field(parent, key, details) for key, details in grouped.items())

    def _field(self, parent: GraphQLObjectType, key: str, details: FieldDetailsList) -> Selected:
        node = details[0].node
        nodes = tuple(detail.node for detail in details)
        name = node.name.value
        field = parent.fields.get(name)
        if field is None:  # __typename, __schema, __type: graphql-core's own
            return Selected(key, name, parent.name, name, None, (), nodes)
        returned = get_named_type(field.type)
        slot = None
        if field.args:
            slot = len(self.slots)
            self.slots.append(Slot(field, node))
        children: tuple[Selected, ...] = ()
        if isinstance(returned, GraphQLObjectType):
            below = collect_subfields(
                self.schema, self.fragments, self.variables, self.operation, returned, details
            )
            children = self._fields(returned, below.grouped_field_set)
        return Selected(key, name, parent.name, returned.name, slot, children, nodes)
