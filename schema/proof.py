"""The proof, before anything is served, that a whole GraphQL schema tells of nothing that it may not.

In goes the schema, assembled from types whose fields say where they come from (`schema.catalogue`); out comes
a `Catalogue` in which every field, argument and input field has a source, or a `CatalogueError` that lists
everything that is wrong.

INVARIANT (proved-before-served): the program serves only a schema that passed `prove`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, get_named_type
from sqlalchemy import Column
from sqlalchemy import Table as SATable

from schema.catalogue import (
    Accepts,
    Catalogue,
    Computed,
    Derived,
    Filter,
    Related,
    Root,
    Source,
    Stored,
    Structural,
    category_of,
    source_of,
)
from schema.categories import SEALED, DataCategory
from schema.errors import CatalogueError
from schema.tables.base import CATEGORY_KEY, VAULT_SCHEMA, Table, VaultTable

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
