"""The data map: what is stored about people, each column with its data category, and who may read it.

In: the proved catalogue, the contracts that are cut from it, and the words of a language. Out: a `Document`.
Nothing is written by hand: a field counts as readable by somebody only where it stands in the contract that
this somebody would be served.

docs/data-map.md is this page for the shipped policy, held current by `tests/gateway/test_datamap.py`.
`/policy/data` serves it for the policy in force.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias
from uuid import UUID

from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema
from sqlalchemy import Column

from gateway.contracts import Contracts
from gateway.officers_contract import officers_contracts
from gateway.retention import kept
from policies.document import Block, Document, Grid, Heading, Items, Paragraph, document_markdown
from policies.officers import Channel, Officer, Role
from policies.principal import MemberPrincipal, OfficerPrincipal, PartnerPrincipal, Principal, Visitor
from policies.sharing import EVERYTHING
from policies.words import ENGLISH, Words
from schema.catalogue import Catalogue, Derived, Filter, Related, Source, Stored, category_of
from schema.categories import SEALED, Basis, DataCategory, Purpose
from schema.tables.base import CATEGORY_KEY, VAULT_SCHEMA, Table, VaultTable

_NOBODY: Final = UUID(int=0)

_Coordinate: TypeAlias = tuple[str, str]
_Reading: TypeAlias = tuple[_Coordinate, DataCategory]
"""A field, and the category of what it tells."""
_Told: TypeAlias = tuple[_Reading, Sequence[str]]
"""A reading, and by whom."""


def data_map(catalogue: Catalogue, contracts: Contracts) -> str:
    """The whole map, as Markdown that ends with a line break."""
    document = data_document(catalogue, contracts, ENGLISH)
    return document_markdown(replace(document, blocks=(Paragraph(_WRITTEN), *document.blocks)))


_WRITTEN: Final = (
    "Written by `gateway schema data-map` for the shipped policy. Do not edit it: a test holds that it is"
    " current, and `make docs` writes it anew."
)


def data_document(catalogue: Catalogue, contracts: Contracts, words: Words) -> Document:
    """The page: first each kind of record that holds something about a person, then every column there is."""
    officers_catalogue, officers = officers_contracts(contracts.policy)
    readers = _readers(contracts, officers)
    fields = _fields_by_column(catalogue, officers_catalogue)
    tables = sorted(_tables(), key=lambda t: (t.schema or "", t.name))
    told = {
        column: [(reading, readers[reading[0]]) for reading in sorted(found) if reading[0] in readers]
        for column, found in fields.items()
    }
    columns: list[Block] = []
    for table in tables:
        columns.append(Heading(table.fullname, 3))
        rows = tuple(_row(column, fields.get(column, ()), readers) for column in table.columns)
        columns.append(Grid(table.fullname, words.data_column_head, rows, headed=True))
    about, *legend = words.data_legend
    return Document(
        words.data_title,
        (
            Paragraph(words.data_intro),
            Heading(words.data_overview),
            Grid(words.data_caption, words.data_head, tuple(_overview(tables, told, words))),
            Heading(words.data_columns),
            Paragraph(about),
            Items(tuple(legend)),
            *columns,
        ),
    )


def _overview(
    tables: Sequence[Any], told: Mapping[Column[Any], Sequence[_Told]], words: Words
) -> Iterator[tuple[str, ...]]:
    """Of each table that holds something about a person, a row for the data that the same people read."""
    for table in tables:
        by_readers: dict[str, list[DataCategory]] = {}
        for category in dict.fromkeys(column.info[CATEGORY_KEY] for column in table.columns):
            if category is not DataCategory.OPERATIONS:
                columns = [column for column in table.columns if column.info[CATEGORY_KEY] is category]
                readings = [reading for column in columns for reading in told.get(column, ())]
                sealed = _is_sealed(table, category)
                who = words.data_sealed if sealed else _who_reads(category, readings, words)
                by_readers.setdefault(who, []).append(category)
        stay = kept(table)
        for who, categories in by_readers.items():
            yield (
                words.records.get(table.fullname, f"`{table.fullname}`"),
                ", ".join(words.categories[category] for category in categories),
                who,
                "-" if stay is None else stay.words(words),
            )


def _who_reads(category: DataCategory, readings: Sequence[_Told], words: Words) -> str:
    """Who reads it as it is, then who reads less of it, and as what."""
    by_category: dict[DataCategory, set[str]] = defaultdict(set)
    for (_, own), readers in readings:
        by_category[category if own is DataCategory.OPERATIONS else own].update(readers)
    whole = by_category.pop(category, set())
    parts = [_people(whole, words)]
    for own, some in sorted(by_category.items()):
        others = _people(some - whole, words)
        if others:
            parts.append(words.data_as.format(who=others, category=words.categories[own]))
    return "; ".join(part for part in parts if part) or words.data_nobody


def _people(readers: Collection[str], words: Words) -> str:
    """Those of these readers who are somebody else than a preview, in words."""
    if "visitor" in readers:
        return words.data_everybody
    bases = [basis for basis in Basis if basis in readers]
    named = [words.data_everyone] if len(bases) == len(Basis) else [words.basis[basis] for basis in bases]
    people = [words.data_you, *named] if "member" in readers else named
    people += [words.data_staff] if "officer" in readers else []
    return words.enumerated(people) if people else ""


def _is_sealed(table: Any, category: DataCategory) -> bool:
    return category in SEALED or table.schema == VAULT_SCHEMA


def _tables() -> Iterator[Any]:
    for base in (Table, VaultTable):
        yield from base.metadata.tables.values()


def _row(
    column: Column[Any],
    fields: Sequence[_Reading],
    readers: Mapping[_Coordinate, Sequence[str]],
) -> tuple[str, ...]:
    category: DataCategory = column.info[CATEGORY_KEY]
    sealed = _is_sealed(column.table, category)
    read = "sealed" if sealed else "; ".join(_readings(category, sorted(fields), readers))
    return (f"`{column.name}`", f"`{category}`", read or "-")


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


def _fields_by_column(catalogue: Catalogue, officers: Catalogue) -> Mapping[Column[Any], list[_Reading]]:
    found: dict[Column[Any], list[_Reading]] = defaultdict(list)
    for coordinate, source in {**officers.fields, **catalogue.fields}.items():
        for column in _shown_columns(source):
            category = (catalogue if coordinate in catalogue.fields else officers).category(*coordinate)
            found[column].append((coordinate, category))
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


def _readers(contracts: Contracts, officers: Contracts) -> Mapping[_Coordinate, list[str]]:
    """Of each field, in whose contract it stands, in a fixed order."""
    found: dict[_Coordinate, list[str]] = defaultdict(list)
    for reader, principal in _callers():
        for coordinate in _coordinates(contracts.of(principal).schema):
            name = "preview" if reader == "member" and coordinate[0].startswith("Shared") else reader
            if name not in found[coordinate]:
                found[coordinate].append(name)
    everything = Officer("", frozenset(Role), Channel.CONTRACT)
    principal = OfficerPrincipal(everything, _NOBODY, _NOBODY, "", "")
    for coordinate in _coordinates(officers.of(principal).schema):
        found[coordinate].append("officer")
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
