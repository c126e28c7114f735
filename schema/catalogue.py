"""The catalogue: which GraphQL field reads which column, and of which data category it is.

Types declare it: each field says where it comes from (`stored`, `derived`, `related`, `structural`, `root`),
each input what it narrows by or takes in. `schema.proof` makes the `Catalogue` of a whole schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias, cast

import strawberry
from sqlalchemy import Column
from sqlalchemy import Table as SATable

from schema.categories import Audience, DataCategory
from schema.errors import CatalogueError
from schema.tables.base import CATEGORY_KEY

SOURCE: Final = "source"
"""The metadata key under which a field's source stands."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A column, read as it stands."""

    column: Column[Any]


@dataclass(frozen=True, slots=True)
class Derived:
    """A value computed from columns by the expression `name` of `resolvers.derivations`."""

    name: str
    category: DataCategory
    columns: tuple[Column[Any], ...]


@dataclass(frozen=True, slots=True)
class Related:
    """The rows of another table that belong to this one: an object (`many` false) or a connection.

    `child` equals `parent`, or contains it when `child` is an array. `only` narrows to rows in which
    that boolean column is true. Connections are ordered by `order`, which must end in a unique column.
    `finder` names database functions that find the children of a parent where no index can: `FINDER_of` gives
    their keys, newest first, and `FINDER_count` how many there are; both are told the time. `agreement` is
    the child's column of the agreement that it is under: left out while that agreement's case is deferred.
    """

    category: DataCategory
    parent: Column[Any]
    child: Column[Any]
    many: bool = False
    only: Column[Any] | None = None
    order: tuple[Column[Any], ...] = ()
    newest_first: bool = True
    finder: str | None = None
    agreement: Column[Any] | None = None


@dataclass(frozen=True, slots=True)
class Structural:
    """Edges, pages and public texts: no personal data."""


@dataclass(frozen=True, slots=True)
class Computed:
    """What a resolver worked out about the caller, told to nobody else."""

    category: DataCategory


@dataclass(frozen=True, slots=True)
class Accepts:
    """An input of a command, or of a question about the audience: a value on its way in.

    Sealed categories may come in; none comes out.
    """

    category: DataCategory


class RootKind(StrEnum):
    """How a root field finds its rows."""

    PLAIN = "PLAIN"
    """An ordinary resolver: nothing stored about anybody."""
    COMMAND = "COMMAND"
    """A mutation: one transaction, and a payload that may hold projections."""
    SELF = "SELF"
    """The member who asks."""
    NAMED = "NAMED"
    """The member whom an officer names, with a reason that is written down before anything is read."""
    SHARED_PAGE = "SHARED_PAGE"
    """The members that the asking partner may see, by page."""
    SHARED_CHANGES = "SHARED_CHANGES"
    """What changed of them, by page, in the order in which it happened."""
    SHARED_ONE = "SHARED_ONE"
    """One of them, by pairwise id."""
    PREVIEW = "PREVIEW"
    """The member who asks, as one agreement would see them."""


@dataclass(frozen=True, slots=True)
class Root:
    """A root field: who may use it, and how its rows are found."""

    kind: RootKind
    audiences: frozenset[Audience]
    mailers_only: bool = False
    """Of partners, only for those who may mail people (`policies.suppression.mails`)."""
    act: str | None = None
    """Of officers, only for those whose roles may do this (`policies.officers.Act`)."""
    counts: bool = False
    """Of recipients of aggregates, only for those who may ask by some dimension."""


Source: TypeAlias = Stored | Derived | Related | Structural | Computed | Root


class FilterOperator(StrEnum):
    """What a filter input does with its source."""

    ANY_OF = "ANY_OF"
    OVERLAPS = "OVERLAPS"
    CHANGED_SINCE = "CHANGED_SINCE"


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter input: it narrows by a value that the same caller can read in every row returned."""

    operator: FilterOperator
    by: Stored | Derived | None


def stored(model_column: Any, description: str, **options: Any) -> Any:
    """A GraphQL field that reads a column. Its data category is the column's."""
    column = cast("Column[Any]", model_column.property.columns[0])
    return _field(Stored(column), description, **options)


def derived(name: str, category: DataCategory, description: str, *columns: Any) -> Any:
    """A GraphQL field computed from columns."""
    return _field(Derived(name, category, tuple(c.property.columns[0] for c in columns)), description)


def related(
    category: DataCategory,
    description: str,
    *,
    parent: Any,
    child: Any,
    only: Any = None,
    order: Iterable[Any] = (),
    many: bool = False,
    newest_first: bool = True,
    finder: str | None = None,
    agreement: Any = None,
    resolver: Any = None,
) -> Any:
    """A GraphQL field that denotes rows of another table."""
    source = Related(
        category=category,
        parent=parent.property.columns[0],
        child=child.property.columns[0],
        many=many,
        only=None if only is None else only.property.columns[0],
        order=tuple(c.property.columns[0] for c in order),
        newest_first=newest_first,
        finder=finder,
        agreement=None if agreement is None else agreement.property.columns[0],
    )
    options = {} if resolver is None else {"resolver": resolver}
    return _field(source, description, **options)


def structural(description: str, **options: Any) -> Any:
    """A GraphQL field without personal data."""
    return _field(Structural(), description, **options)


def computed(category: DataCategory, description: str) -> Any:
    """A GraphQL field that a resolver fills with what it worked out about the caller."""
    return _field(Computed(category), description)


def root(
    kind: RootKind,
    *audiences: Audience,
    description: str,
    resolver: Any,
    mailers_only: bool = False,
    act: str | None = None,
    counts: bool = False,
) -> Any:
    """A root field for exactly these audiences."""
    return strawberry.field(
        resolver=resolver,
        description=description,
        metadata={SOURCE: Root(kind, frozenset(audiences), mailers_only, act, counts)},
    )


def followed(kind: RootKind, *audiences: Audience, description: str, resolver: Any) -> Any:
    """A root field that is followed (a subscription), for exactly these audiences."""
    return strawberry.subscription(
        resolver=resolver,
        description=description,
        metadata={SOURCE: Root(kind, frozenset(audiences))},
    )


def narrows(operator: FilterOperator, description: str, by: Stored | Derived | None = None) -> Any:
    """An optional filter input."""
    return strawberry.field(
        default=strawberry.UNSET, description=description, metadata={SOURCE: Filter(operator, by)}
    )


def accepts(category: DataCategory, description: str, *, optional: bool = False) -> Any:
    """An input field of a command."""
    options = {"default": strawberry.UNSET} if optional else {}
    return strawberry.field(description=description, metadata={SOURCE: Accepts(category)}, **options)


def source_of(field: Any) -> Source | Filter | Accepts | None:
    """The source declared by a field made with this module; None when it declares none."""
    return cast("Source | Filter | Accepts | None", field.metadata.get(SOURCE))


def category_of(source: Source | Filter) -> DataCategory | None:
    """The data category of a source; None for a column that declares none (the proof refuses it)."""
    match source:
        case Stored(column):
            return cast("DataCategory | None", column.info.get(CATEGORY_KEY))
        case Derived(category=category) | Related(category=category) | Computed(category=category):
            return category
        case Filter(by=by):
            return DataCategory.OPERATIONS if by is None else category_of(by)
        case Structural() | Root():
            return DataCategory.OPERATIONS


def _field(source: Source, description: str, **options: Any) -> Any:
    category = category_of(source)
    shown = "" if category in (None, DataCategory.OPERATIONS) else f"\n\nData category: `{category}`."
    return strawberry.field(description=description + shown, metadata={SOURCE: source}, **options)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The proved mapping from `(type, field)` to source, and from type to the table of its rows."""

    fields: Mapping[tuple[str, str], Source]
    filters: Mapping[tuple[str, str], Filter]
    records: Mapping[str, SATable]
    accepted: Mapping[tuple[str, str], DataCategory]
    """Inputs of commands, and of questions about the audience."""

    def source(self, type_name: str, field_name: str) -> Source:
        """The source of a field. Total over the proved schema; a miss is a bug and fails closed."""
        try:
            return self.fields[type_name, field_name]
        except KeyError as error:
            raise CatalogueError(f"`{type_name}.{field_name}` has no source: it cannot be read") from error

    def category(self, type_name: str, field_name: str) -> DataCategory:
        """The data category of a field."""
        category = category_of(self.source(type_name, field_name))
        if category is None:
            raise CatalogueError(f"`{type_name}.{field_name}` has no data category")
        return category
