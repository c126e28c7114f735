from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.app import load_product
from gateway.cli.main import app
from gateway.datamap import data_map
from gateway.settings import Settings
from schema.tables.base import Table, VaultTable

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
