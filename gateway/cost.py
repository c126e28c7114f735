"""How many leaf values a response may hold: a small program made once for each operation.

Comes in: a validated operation. Goes out: a `CostProgram`, evaluated for each request against the
variables. A leaf counts one; the elements of a list count as often as the page is long. The page is
the argument `first` of the field that holds the list (a connection) or is it; where `first` is absent
or null, the default page size counts. Lists without `first` count as one element: they are bounded by
the data model. Introspection counts nothing here: gateway/limits.py bounds it.

A fragment is computed once however often it is spread, so the program is no longer than the document.
The number is an upper bound: fields that two fragments both select may count twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from gateway.fragments import fragments_in_order

PAGE_ARGUMENT: Final = "first"

_CAP: Final = 10**12
"""Costs are compared with limits far below this; without it they could grow to thousands of digits."""


_DIGITS: Final = 12
"""A longer default is no page size; reading thousands of digits would raise."""


class _Page(NamedTuple):
    """How long a page is: a number of the document, or a variable with what holds in its absence."""

    size: int
    variable: str | None = None

    def length(self, variables: Mapping[str, Any]) -> int:
        """The page's length in this request. A value of a wrong type counts as absent: it fails later."""
        if self.variable is not None:
            value = variables.get(self.variable)
            if isinstance(value, int) and not isinstance(value, bool):
                return min(max(value, 0), _CAP)
        return self.size


class _Term(NamedTuple):
    """The selection set computed at `step`, and how it counts for the one that holds it.

    `page` multiplies what lies in lists directly below; with `is_list` it multiplies everything. The
    result counts among the listed values of the holder if `listed`; a spread passes both parts on.
    """

    step: int
    page: _Page = _Page(1)
    is_list: bool = False
    listed: bool = False
    spread: bool = False


class _Step(NamedTuple):
    """A selection set: its own leaves outside and inside lists, and the selection sets below it."""

    single: int
    listed: int
    terms: tuple[_Term, ...]


@dataclass(frozen=True, slots=True)
class CostProgram:
    """The cost of one operation as a function of its variables."""

    steps: tuple[_Step, ...]

    def evaluate(self, variables: Mapping[str, Any]) -> int:
        """The cost with these variables: a number from 0 up, exact below 10**12. Linear in the document."""
        totals: list[tuple[int, int]] = []
        for own_single, own_listed, terms in self.steps:
            single, listed = own_single, own_listed
            for term in terms:
                below_single, below_listed = totals[term.step]
                if term.spread:
                    single += below_single
                    listed += below_listed
                    continue
                length = term.page.length(variables)
                value = (
                    (below_single + below_listed) * length
                    if term.is_list
                    else below_single + below_listed * length
                )
                if term.listed:
                    listed += value
                else:
                    single += value
            totals.append((min(single, _CAP), min(listed, _CAP)))
        last_single, last_listed = totals[-1]
        return last_single + last_listed


def compile_cost(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, default_page_size: int
) -> CostProgram:
    """The cost program of a valid operation."""
    compiler = _Compiler(schema, operation, default_page_size)
    for fragment in fragments_in_order(document):
        condition = schema.get_type(fragment.type_condition.name.value)
        compiler.fragments[fragment.name.value] = compiler.add(fragment.selection_set, condition)
    compiler.add(operation.selection_set, schema.get_root_type(operation.operation))
    return CostProgram(tuple(compiler.steps))


class _Compiler:
    """Appends one step for each selection set, those below before those above."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, default: int) -> None:
        self.steps: list[_Step] = []
        self.fragments: dict[str, int] = {}
        self._schema = schema
        self._default = default
        self._variable_defaults = {
            definition.variable.name.value: int(definition.default_value.value)
            for definition in operation.variable_definitions or ()
            if isinstance(definition.default_value, IntValueNode)
            and len(definition.default_value.value) <= _DIGITS
        }

    def add(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> int:
        """Append the step of a selection set and all below it; its index."""
        single, listed = 0, 0
        terms: dict[Any, _Term] = {}
        for selection in selections.selections:
            match selection:
                case FragmentSpreadNode():
                    step = self.fragments.get(selection.name.value)
                    if step is not None:
                        terms[selection.name.value, "spread"] = _Term(step, spread=True)
                case InlineFragmentNode():
                    condition = selection.type_condition
                    inner = self._schema.get_type(condition.name.value) if condition else parent
                    terms[id(selection)] = _Term(self.add(selection.selection_set, inner), spread=True)
                case FieldNode():
                    leaf, term = self._field(selection, parent)
                    if term is None:
                        single += leaf
                    else:
                        terms[id(selection)] = term
        self.steps.append(_Step(single, listed, tuple(terms.values())))
        return len(self.steps) - 1

    def _field(self, field: FieldNode, parent: GraphQLNamedType | None) -> tuple[int, _Term | None]:
        """A leaf's count, or the term of a field with a selection set."""
        if field.selection_set is None:
            return 1, None
        definition = _definition(parent, field.name.value)
        if definition is None:
            return 0, None
        named = get_named_type(definition.type)
        if is_leaf_type(named):
            return 1, None
        step = self.add(field.selection_set, named)
        is_list = is_list_type(get_nullable_type(definition.type))
        if PAGE_ARGUMENT in definition.args:
            return 0, _Term(step, self._page(field), is_list=is_list)
        return 0, _Term(step, listed=is_list)

    def _page(self, field: FieldNode) -> _Page:
        """The page of a field that has the argument `first`."""
        for argument in field.arguments or ():
            if argument.name.value == PAGE_ARGUMENT:
                value = argument.value
                if isinstance(value, IntValueNode):
                    return _Page(min(max(int(value.value), 0), _CAP))
                if isinstance(value, VariableNode):
                    name = value.name.value
                    return _Page(max(self._variable_defaults.get(name, self._default), 0), name)
        return _Page(self._default)


def _definition(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    """The field of an object or interface; None for the meta fields, which have no cost here."""
    fields: Mapping[str, GraphQLField] = getattr(parent, "fields", {})
    return fields.get(name)
