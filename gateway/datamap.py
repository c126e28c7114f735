"""The data map: each stored column, its data category, the GraphQL fields that read it, and who may.

In: the proved catalogue and the contracts that are cut from it. Out: Markdown, a table for each database
table. Nothing is written by hand: a field counts as readable by somebody only where it stands in the
contract that this somebody would be served.

docs/data-map.md is this text for the shipped policy, held current by `tests/gateway/test_datamap.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema
from sqlalchemy import Column

from gateway.contracts import Contracts
from policies.principal import MemberPrincipal, PartnerPrincipal, Principal, Visitor
from policies.sharing import EVERYTHING
from schema.catalogue import Catalogue, Derived, Filter, Related, Source, Stored, category_of
from schema.categories import SEALED, Basis, DataCategory, Purpose
from schema.tables.base import CATEGORY_KEY, VAULT_SCHEMA, Table, VaultTable

_NOBODY: Final = UUID(int=0)

_INTRODUCTION: Final = """\
# Data map

Written by `gateway schema data-map` from the tables, the catalogue and the contracts. Do not edit it: a test
holds that it is current.

*Category* is a key of the Fides data taxonomy. *Read by* names each GraphQL field whose value comes from the
column, and in whose contract it stands; where the field tells less than the column, it has a category of its
own. A `MemberFilter` entry narrows a list by the value.

- *visitor*, *member*: that audience. *preview*: the member, as one agreement would see them.
- *STRATEGIC* and the other bases: partners with an agreement on that basis, scopes that name the category,
  and members who do not withhold it. *every basis* is all five.
- *sealed*: no contract can name it (R1, C10, C14). A dash: no field reads it.
"""

_Coordinate: TypeAlias = tuple[str, str]
_Reading: TypeAlias = tuple[_Coordinate, DataCategory]
"""A field, and the category of what it tells."""


def data_map(catalogue: Catalogue, contracts: Contracts) -> str:
    """The whole map, as Markdown that ends with a line break."""
    readers = _readers(contracts)
    fields = _fields_by_column(catalogue)
    parts = [_INTRODUCTION]
    for table in sorted(_tables(), key=lambda t: (t.schema or "", t.name)):
        parts.append(f"## {table.fullname}\n")
        parts.append("| column | category | read by |\n|---|---|---|")
        parts += [_row(column, fields.get(column, ()), readers) for column in table.columns]
        parts.append("")
    return "\n".join(parts)


def _tables() -> Iterator[Any]:
    for base in (Table, VaultTable):
        yield from base.metadata.tables.values()


def _row(
    column: Column[Any],
    fields: Sequence[_Reading],
    readers: Mapping[_Coordinate, Sequence[str]],
) -> str:
    category: DataCategory = column.info[CATEGORY_KEY]
    sealed = category in SEALED or column.table.schema == VAULT_SCHEMA
    read = "*sealed*" if sealed else "; ".join(_readings(category, sorted(fields), readers))
    return f"| `{column.name}` | `{category}` | {read or '-'} |"


def _readings(
    category: DataCategory, fields: Sequence[_Reading], readers: Mapping[_Coordinate, Sequence[str]]
) -> Iterator[str]:
    """Fields that the same callers read under the same category share an entry."""
    entries: dict[tuple[str, str], list[str]] = defaultdict(list)
    for coordinate, own in fields:
        if coordinate in readers:
            told = "" if own in (category, DataCategory.OPERATIONS) else f" as `{own}`"
            entries[told, _who(readers[coordinate])].append("`" + ".".join(coordinate) + "`")
    for (told, who), names in entries.items():
        yield f"{', '.join(names)}{told}: {who}"


def _who(readers: Sequence[str]) -> str:
    bases = [basis.value for basis in Basis]
    if all(basis in readers for basis in bases):
        readers = [*(reader for reader in readers if reader not in bases), "every basis"]
    return ", ".join(readers)


def _fields_by_column(catalogue: Catalogue) -> Mapping[Column[Any], list[_Reading]]:
    found: dict[Column[Any], list[_Reading]] = defaultdict(list)
    for coordinate, source in catalogue.fields.items():
        for column in _shown_columns(source):
            found[column].append((coordinate, catalogue.category(*coordinate)))
    for coordinate, narrowing in catalogue.filters.items():
        for column in () if narrowing.by is None else _shown_columns(narrowing.by):
            found[column].append((coordinate, category_of(narrowing) or DataCategory.OPERATIONS))
    return found


def _shown_columns(source: Source | Filter) -> tuple[Column[Any], ...]:
    """The columns whose content a field tells: a reference to another row tells which row it is."""
    match source:
        case Stored(column):
            return (column,)
        case Derived(columns=columns):
            return columns
        case Related(parent=parent) if not parent.primary_key:
            return (parent,)
        case _:
            return ()


def _readers(contracts: Contracts) -> Mapping[_Coordinate, list[str]]:
    """Of each field, in whose contract it stands, in a fixed order."""
    found: dict[_Coordinate, list[str]] = defaultdict(list)
    for reader, principal in _callers():
        for coordinate in _coordinates(contracts.of(principal).schema):
            name = "preview" if reader == "member" and coordinate[0].startswith("Shared") else reader
            if name not in found[coordinate]:
                found[coordinate].append(name)
    return found


def _callers() -> Iterator[tuple[str, Principal]]:
    """Every kind of caller with the most that the policy could ever open to it."""
    yield "visitor", Visitor()
    yield "member", MemberPrincipal(_NOBODY, "", "")
    for basis in Basis:
        for purpose in Purpose:
            yield (
                basis.value,
                PartnerPrincipal(
                    partner_id=_NOBODY,
                    agreement_id=_NOBODY,
                    agreement_version=0,
                    client_id="",
                    token_id="",
                    basis=basis,
                    purpose=purpose,
                    mask=EVERYTHING,
                ),
            )


def _coordinates(schema: GraphQLSchema) -> Iterator[_Coordinate]:
    for name, type_ in schema.type_map.items():
        if isinstance(type_, GraphQLObjectType | GraphQLInputObjectType) and not name.startswith("__"):
            for field in type_.fields:
                yield name, field
