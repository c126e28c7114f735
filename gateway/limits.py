"""The limits of a document's shape, measured on its syntax tree before anything validates it.

Comes in: a parsed document. Goes out: nothing, or `DocumentRefused` with every limit exceeded.
Fragments are measured once each, in an order in which none spreads one not yet measured, so the work
is linear in the document although the numbers are those of the document with all fragments expanded.

Steps:
1. refuse fragments that spread themselves;
2. measure each fragment once;
3. measure each operation and compare with the limits.

Introspection is counted apart: stock queries nest deeper than data ever needs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gateway.fragments import fragments_in_order
from gateway.refusals import Code, DocumentRefused, Place, RefusedError
from gateway.settings import Settings

INTROSPECTION_FIELDS: Final = frozenset({"__schema", "__type"})

MAX_INTROSPECTION_DEPTH: Final = 16
"""Stock introspection queries reach 15: `types.fields.args.type`, nine `ofType` and a name."""

MAX_INTROSPECTION_FIELDS: Final = 500
"""Fields inside introspection with fragments expanded. The largest stock query has about 250."""

_COUNT_CAP: Final = 1_000_000_000
"""Expanded counts can double with each fragment; past this they are only "too many"."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document and one operation may ask for. The names are those of the settings."""

    max_tokens: int
    max_depth: int
    max_aliases: int
    max_root_fields: int
    max_directives: int
    max_cost: int
    default_page_size: int
    introspection: bool = True

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that the settings give."""
        return cls(
            max_tokens=settings.max_tokens,
            max_depth=settings.max_depth,
            max_aliases=settings.max_aliases,
            max_root_fields=settings.max_root_fields,
            max_directives=settings.max_directives,
            max_cost=settings.max_cost,
            default_page_size=settings.default_page_size,
            introspection=settings.introspection,
        )


class _Shape(NamedTuple):
    """What a selection set amounts to with its fragments expanded."""

    depth: int = 0
    roots: int = 0
    aliases: int = 0
    directives: int = 0
    all_depth: int = 0
    all_fields: int = 0
    introspection_depth: int = 0
    introspection_fields: int = 0

    def beside(self, other: _Shape) -> _Shape:
        """The shape of two selections next to each other."""
        return _Shape(
            max(self.depth, other.depth),
            min(self.roots + other.roots, _COUNT_CAP),
            min(self.aliases + other.aliases, _COUNT_CAP),
            min(self.directives + other.directives, _COUNT_CAP),
            max(self.all_depth, other.all_depth),
            min(self.all_fields + other.all_fields, _COUNT_CAP),
            max(self.introspection_depth, other.introspection_depth),
            min(self.introspection_fields + other.introspection_fields, _COUNT_CAP),
        )


def check_structure(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document whose shape exceeds a limit.

    Raises:
        DocumentRefused: with one error for each limit exceeded by each operation.
    """
    # 1. and 2.
    shapes: dict[str, _Shape] = {}
    for fragment in fragments_in_order(document):
        inner = _shape_of(fragment.selection_set, shapes)
        directives = inner.directives + len(fragment.directives or ())
        shapes[fragment.name.value] = inner._replace(directives=directives)
    # 3.
    errors: list[RefusedError] = []
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            shape = _shape_of(definition.selection_set, shapes)
            own = len(definition.directives or ()) + sum(
                len(variable.directives or ()) for variable in definition.variable_definitions or ()
            )
            shape = shape._replace(directives=shape.directives + own)
            errors += _exceeded(shape, limits, place_of(definition))
    if errors:
        raise DocumentRefused(errors)


def place_of(node: OperationDefinitionNode) -> tuple[Place, ...]:
    """Where a node of the caller's document begins."""
    if node.loc is None:
        return ()
    return (Place(node.loc.start_token.line, node.loc.start_token.column),)


def _shape_of(selections: SelectionSetNode | None, fragments: Mapping[str, _Shape]) -> _Shape:
    """The shape of a selection set; fragments that are not defined count for nothing here."""
    total = _Shape()
    if selections is None:
        return total
    for selection in selections.selections:
        own = len(selection.directives or ())
        match selection:
            case FieldNode():
                shape = _field_shape(selection, _shape_of(selection.selection_set, fragments))
            case InlineFragmentNode():
                shape = _shape_of(selection.selection_set, fragments)
            case FragmentSpreadNode():
                shape = fragments.get(selection.name.value, _Shape())
            case _:
                shape = _Shape()
        total = total.beside(shape._replace(directives=shape.directives + own))
    return total


def _field_shape(field: FieldNode, inner: _Shape) -> _Shape:
    """The shape of a field around the shape of its selection set."""
    into_introspection = field.name.value in INTROSPECTION_FIELDS
    return _Shape(
        depth=1 if into_introspection else 1 + inner.depth,
        roots=1,
        aliases=inner.aliases + (field.alias is not None),
        directives=inner.directives,
        all_depth=1 + inner.all_depth,
        all_fields=1 + inner.all_fields,
        introspection_depth=1 + inner.all_depth if into_introspection else inner.introspection_depth,
        introspection_fields=1 + inner.all_fields if into_introspection else inner.introspection_fields,
    )


def _exceeded(shape: _Shape, limits: Limits, place: tuple[Place, ...]) -> list[RefusedError]:
    """One error for each limit that the shape exceeds."""
    measured = (
        (shape.depth, limits.max_depth, Code.TOO_DEEP, "max_depth", "nests fields deeper"),
        (shape.aliases, limits.max_aliases, Code.TOO_MANY_ALIASES, "max_aliases", "has more aliases"),
        (
            shape.roots,
            limits.max_root_fields,
            Code.TOO_MANY_ROOT_FIELDS,
            "max_root_fields",
            "has more root fields",
        ),
        (
            shape.directives,
            limits.max_directives,
            Code.TOO_MANY_DIRECTIVES,
            "max_directives",
            "has more directives",
        ),
    )
    errors = [
        RefusedError(
            code,
            f"the operation {what} than `{name}` allows, which is {limit}: send less in one request",
            place,
        )
        for value, limit, code, name, what in measured
        if value > limit
    ]
    return errors + _introspection(shape, limits, place)


def _introspection(shape: _Shape, limits: Limits, place: tuple[Place, ...]) -> list[RefusedError]:
    """The errors of what the operation asks of the schema itself."""
    if not limits.introspection and shape.introspection_fields:
        message = "introspection is turned off here: ask the operator for the contract's SDL"
        return [RefusedError(Code.INTROSPECTION_DISABLED, message, place)]
    if (
        shape.introspection_depth <= MAX_INTROSPECTION_DEPTH
        and shape.introspection_fields <= MAX_INTROSPECTION_FIELDS
    ):
        return []
    message = (
        f"introspection is limited to {MAX_INTROSPECTION_FIELDS} fields, {MAX_INTROSPECTION_DEPTH} deep, "
        "fragments expanded: send the stock introspection query alone"
    )
    return [RefusedError(Code.TOO_MUCH_INTROSPECTION, message, place)]
