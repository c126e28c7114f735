from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.app import Product, load_product
from gateway.cli.main import app
from gateway.datamap import data_document, data_map
from gateway.retention import KEPT, kept
from gateway.settings import Settings
from policies.document import as_markdown
from policies.matrix import compile_matrix
from policies.rules import PolicySource
from policies.words import ENGLISH
from resolvers.commands.upkeep import KEEP_SESSIONS
from schema.categories import DataCategory
from schema.tables.base import CATEGORY_KEY, Table, VaultTable
from tests.policies.conftest import source

__all__ = ["source"]

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "data-map.md"


@cache
def current_map() -> str:
    product = load_product(Settings())
    return data_map(product.catalogue, product.contracts)


def row(table: str, column: str) -> str:
    section = current_map().partition(f"\n### {table}\n")[2].partition("\n### ")[0]
    return next(line for line in section.splitlines() if line.startswith(f"| `{column}` |"))


def test_the_document_is_current() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert written == current_map(), "run: make docs"


def test_the_command_prints_the_map() -> None:
    assert CliRunner().invoke(app, ["schema", "data-map"]).stdout == current_map()


def test_every_column_of_every_table_has_a_row() -> None:
    columns = [
        c for base in (Table, VaultTable) for t in base.metadata.tables.values() for c in t.columns.values()
    ]
    assert sum(line.startswith("| `") for line in current_map().splitlines()) == len(columns)


@pytest.mark.clause("R1", "C10", "C14")
def test_no_column_of_the_vault_is_read() -> None:
    vault = current_map().partition("\n### vault.")[2]
    rows = [line for line in vault.splitlines() if line.startswith("| `")]
    assert rows
    assert all(line.endswith("| sealed |") for line in rows)


@pytest.mark.clause("C8")
def test_a_field_is_listed_for_the_bases_whose_contract_has_it() -> None:
    birth_date = row("member", "birth_date")
    assert "`SharedMember.birthDate`: preview, LEGAL, INSOLVENCY" in birth_date
    assert "`SharedMember.ageBand` as `user.demographic.age_range`: preview, every basis" in birth_date
    assert "MARKETING" not in row("postal_address", "city")


@pytest.mark.clause("C3")
def test_no_partner_reads_technical_data() -> None:
    assert row("visit", "ip_address").endswith("| `Visit.ipAddress`: member |")


def personal(table: Any) -> bool:
    return any(column.info[CATEGORY_KEY] is not DataCategory.OPERATIONS for column in table.columns)


TABLES = [t for base in (Table, VaultTable) for t in base.metadata.tables.values()]


@pytest.mark.clause("C12")
def test_of_every_record_about_a_person_it_is_said_who_reads_it_and_how_long_it_is_kept() -> None:
    assert [t.fullname for t in TABLES if personal(t) and kept(t) is None] == []
    assert set(KEPT) <= {t.fullname for t in TABLES}
    overview = current_map().partition("## In words")[2].partition("## Column by column")[0]
    for table in TABLES:
        assert (f"| {ENGLISH.records.get(table.fullname)} |" in overview) == personal(table), table.fullname


def overview_row(record: str, data: str) -> str:
    name = ENGLISH.records[record]
    return next(
        line for line in current_map().splitlines() if line.startswith(f"| {name} | ") and data in line
    )


def test_the_overview_says_in_words_what_the_columns_say() -> None:
    assert "| you | as long as the account |" in overview_row("visit", "IP address")
    assert "| nobody: it is sealed |" in overview_row("vault.sealed_phone", "telephone number")
    assert "strategic partners, marketing partners and the company you asked, as age band" in overview_row(
        "member", "birth date"
    )
    assert f"| {KEEP_SESSIONS.days} days after it ended |" in overview_row("session", "IP address")


def test_the_map_follows_the_policy(product: Product, source: PolicySource) -> None:
    rule = '@id("x") @clause("C8") @text("x") forbid (principal == Basis::"MARKETING", action, resource);'
    closed = compile_matrix(replace(source, rules=source.rules + rule))
    written = as_markdown(
        data_document(product.catalogue, product.contracts.under(lambda: closed), ENGLISH).blocks
    )
    assert "marketing partners" in current_map()
    assert "marketing partners" not in written
