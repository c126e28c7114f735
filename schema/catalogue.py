"""The catalogue: which GraphQL field reads which column, and of which data category it is.

In goes the full GraphQL schema, assembled from types whose fields say where they come from
(`stored`, `derived`, `related`, `structural`, `root`); out comes a `Catalogue` in which every field,
argument and input field has a source, or a `CatalogueError` that lists everything that is wrong.

INVARIANT (proved-before-served): the program serves only a schema that passed `prove`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias, cast

import strawberry
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)
from sqlalchemy import Column
from sqlalchemy import Table as SATable

from schema.categories import SEALED, Audience, DataCategory
from schema.errors import CatalogueError
from schema.tables.base import CATEGORY_KEY, VAULT_SCHEMA, Table, VaultTable

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


def prove(schema: GraphQLSchema) -> Catalogue:
    """The catalogue of `schema`, if all of this holds; otherwise one error with every finding.

    CLAUSE (R1): a field, filter, argument or order that reads a sealed column stops the program before it
    serves.

    1. every column of every table has a data category of the taxonomy, and sealed categories are
       found in the vault only;
    2. every field of every object type has a source with a data category;
    3. no field reads a column of the vault or of a sealed category;
    4. every argument is a known one, and every filter input narrows by what an output field shows;
    5. every ordering is by a column that the ordered type shows, or by its key.

    Raises:
        CatalogueError: naming each offending field and what to do about it.
    """
    fields: dict[tuple[str, str], Source] = {}
    filters: dict[tuple[str, str], Filter] = {}
    records: dict[str, SATable] = {}
    accepted: dict[tuple[str, str], DataCategory] = {}
    findings = [*_column_findings()]  # 1
    for type_name, type_ in schema.type_map.items():
        if type_name.startswith("__"):
            continue
        if isinstance(type_, GraphQLObjectType):
            findings += _collect_fields(type_name, type_, fields, records)  # 2, 3
        elif isinstance(type_, GraphQLInputObjectType):
            findings += _collect_filters(type_name, type_, filters, accepted)
    findings += _filter_findings(schema, fields, filters)  # 4
    findings += _argument_findings(schema)
    findings += _order_findings(schema, fields)  # 5
    if findings:
        raise CatalogueError("the catalogue does not hold: " + "; ".join(findings))
    return Catalogue(fields, filters, records, accepted)


def _column_findings() -> Iterator[str]:
    for base in (Table, VaultTable):
        for table in base.metadata.tables.values():
            for column in table.columns:
                name = f"`{table.fullname}.{column.name}`"
                category = column.info.get(CATEGORY_KEY)
                if category is None:
                    yield f"column {name} has no data category: declare it with `column(DataCategory...)`"
                elif not isinstance(category, DataCategory):
                    yield f"column {name} has a category outside the taxonomy: use a `DataCategory`"
                elif category in SEALED and table.schema != VAULT_SCHEMA:
                    yield f"column {name} is of the sealed category `{category}`: move it to the vault"


def _collect_fields(
    type_name: str,
    type_: GraphQLObjectType,
    fields: dict[tuple[str, str], Source],
    records: dict[str, SATable],
) -> Iterator[str]:
    for field_name, field in type_.fields.items():
        name = f"`{type_name}.{field_name}`"
        definition = field.extensions.get("strawberry-definition")
        source = None if definition is None else source_of(definition)
        if source is None or isinstance(source, Filter | Accepts):
            yield f"field {name} has no source: declare it by a function of `schema.catalogue`"
            continue
        category = category_of(source)
        if category is None or not isinstance(category, DataCategory):
            yield f"field {name} has no data category of the taxonomy: give its column one"
            continue
        if category in SEALED:
            yield f"field {name} is of the sealed category `{category}`: remove the field"
            continue
        sealed = [f"`{c.table.fullname}.{c.name}`" for c in _columns_of(source) if _is_sealed(c)]
        if sealed:
            yield f"field {name} maps to the vault column {', '.join(sealed)}: remove the field"
            continue
        fields[type_name, field_name] = source
        if isinstance(source, Stored):
            records.setdefault(type_name, source.column.table)


def _is_sealed(column: Column[Any]) -> bool:
    return column.table.schema == VAULT_SCHEMA or column.info.get(CATEGORY_KEY) in SEALED


def _columns_of(source: Source) -> tuple[Column[Any], ...]:
    match source:
        case Stored(column):
            return (column,)
        case Derived(columns=columns):
            return columns
        case Related(parent=parent, child=child, only=only, order=order, agreement=agreement):
            return (parent, child, *order, *(column for column in (only, agreement) if column is not None))
        case Structural() | Computed() | Root():
            return ()


def _collect_filters(
    type_name: str,
    type_: GraphQLInputObjectType,
    filters: dict[tuple[str, str], Filter],
    accepted: dict[tuple[str, str], DataCategory],
) -> Iterator[str]:
    for field_name, field in type_.fields.items():
        definition = field.extensions.get("strawberry-definition")
        source = None if definition is None else source_of(definition)
        if isinstance(source, Filter):
            filters[type_name, field_name] = source
        elif isinstance(source, Accepts):
            accepted[type_name, field_name] = source.category
        else:
            yield f"input `{type_name}.{field_name}` has no source: declare it with `narrows` or `accepts`"


def _filter_findings(
    schema: GraphQLSchema,
    fields: Mapping[tuple[str, str], Source],
    filters: Mapping[tuple[str, str], Filter],
) -> Iterator[str]:
    for (type_name, field_name), narrowing in filters.items():
        if narrowing.by is None:
            continue
        for shown_type in _types_narrowed_by(schema, type_name):
            shown = {source for (owner, _), source in fields.items() if owner == shown_type}
            if narrowing.by not in shown:
                yield (
                    f"input `{type_name}.{field_name}` narrows by what `{shown_type}` does not show: "
                    "remove the input or add the field"
                )


def _types_narrowed_by(schema: GraphQLSchema, input_name: str) -> Iterator[str]:
    """The record types of the connections whose fields take `input_name` as an argument."""
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType):
            continue
        for field in type_.fields.values():
            if any(get_named_type(a.type).name == input_name for a in field.args.values()):
                returned = get_named_type(field.type)
                yield _node_type(returned) if isinstance(returned, GraphQLObjectType) else str(returned)


def _node_type(type_: GraphQLObjectType) -> str:
    """The record type of a connection type; a type that is not a connection is its own record type."""
    edges = type_.fields.get("edges")
    if edges is None:
        return type_.name
    edge = cast("GraphQLObjectType", get_named_type(edges.type))
    return str(get_named_type(edge.fields["node"].type))


KNOWN_ARGUMENTS: Final = frozenset(
    {
        "first",
        "after",
        "where",
        "id",
        "agreement",
        "partner",
        "choice",
        "input",
        "confirmed",
        "language",
        "name",
        "number",
        "reason",
        "days",
        "groupBy",
        "epsilon",
    }
)
"""Arguments that name no data. A new one is added here on purpose, after thought on what it could tell."""


def _argument_findings(schema: GraphQLSchema) -> Iterator[str]:
    for type_name, type_ in schema.type_map.items():
        if not isinstance(type_, GraphQLObjectType) or type_name.startswith("__"):
            continue
        for field_name, field in type_.fields.items():
            for argument in field.args:
                if argument not in KNOWN_ARGUMENTS:
                    yield (
                        f"argument `{argument}` of `{type_name}.{field_name}` names no readable field: "
                        "remove it, or make it a filter input declared with `narrows`"
                    )


def _order_findings(schema: GraphQLSchema, fields: Mapping[tuple[str, str], Source]) -> Iterator[str]:
    for (type_name, field_name), source in fields.items():
        if not isinstance(source, Related) or not source.many:
            continue
        if not source.order:
            yield f"connection `{type_name}.{field_name}` has no order: give it one that ends in the key"
            continue
        connection = cast("GraphQLObjectType", get_named_type(_field_type(schema, type_name, field_name)))
        record = _node_type(connection)
        shown = {s.column for (owner, _), s in fields.items() if owner == record and isinstance(s, Stored)}
        for column in source.order:
            if column not in shown and not column.primary_key:
                yield (
                    f"connection `{type_name}.{field_name}` is ordered by "
                    f"`{column.table.name}.{column.name}`, which `{record}` does not show: "
                    "order by a shown column or add the field"
                )


def _field_type(schema: GraphQLSchema, type_name: str, field_name: str) -> Any:
    return cast("GraphQLObjectType", schema.type_map[type_name]).fields[field_name].type
