"""Every column of every table is in an archive, or there is a reason why not (C12)."""

from __future__ import annotations

import pytest

from schema.archive import SECTIONS
from schema.archive_left_out import COLUMNS_LEFT_OUT, TABLES_LEFT_OUT, VAULT_LEFT_OUT
from schema.categories import DataCategory
from schema.tables import Table, VaultTable
from schema.tables.base import CATEGORY_KEY

SECTION_TABLES = [section.table.name for section in SECTIONS]
PARTS = {part.table.name: (part, section.table) for section in SECTIONS for part in section.parts}


@pytest.mark.clause("C12")
def test_every_table_is_in_an_archive_or_there_is_a_reason_why_not() -> None:
    """A new table: add a section to `schema/archive.py`, or the reason why no row of it is a member's."""
    held = {*SECTION_TABLES, *PARTS}
    assert held | set(TABLES_LEFT_OUT) == set(Table.metadata.tables)
    assert not held & set(TABLES_LEFT_OUT)
    assert len(SECTION_TABLES) == len(set(SECTION_TABLES))
    assert set(VAULT_LEFT_OUT) == set(VaultTable.metadata.tables)


@pytest.mark.clause("C12")
def test_every_column_of_those_tables_is_in_it_or_there_is_a_reason_why_not() -> None:
    for section in SECTIONS:
        shown = {entry.column.name for entry in section.entries}
        left_out = {name for table, name in COLUMNS_LEFT_OUT if table == section.table.name}
        assert shown | left_out | {"member_id"} == {*section.table.columns.keys(), "member_id"}
        assert not shown & left_out
    for part, table in PARTS.values():
        shown = {entry.column.name for entry in part.entries}
        assert shown | {part.parent} == set(part.table.columns.keys())
        (reference,) = part.table.columns[part.parent].foreign_keys
        assert reference.column.table is table
    columns = {
        (table.name, name)
        for table in Table.metadata.tables.values()
        for name in table.columns.keys()  # noqa: SIM118 - names, not columns
    }
    assert set(COLUMNS_LEFT_OUT) <= columns


def test_a_table_that_hangs_on_a_member_is_left_out_only_if_it_holds_no_personal_datum() -> None:
    for name in TABLES_LEFT_OUT:
        table = Table.metadata.tables[name]
        if any(key.column.table.name == "member" for key in table.foreign_keys):
            assert {column.info[CATEGORY_KEY] for column in table.columns} == {DataCategory.OPERATIONS}, name


def test_names_and_reasons_are_there_and_nothing_is_called_like_another() -> None:
    assert len({section.name for section in SECTIONS}) == len(SECTIONS)
    for section in SECTIONS:
        assert section.title
        assert section.says.endswith(".")
        assert section.order in section.table.columns
        names = [entry.name for entry in section.entries] + [part.name for part in section.parts]
        assert len(set(names)) == len(names)
        assert all(entry.label for entry in section.entries)
    assert all((*COLUMNS_LEFT_OUT.values(), *TABLES_LEFT_OUT.values(), *VAULT_LEFT_OUT.values()))
