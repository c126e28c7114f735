from __future__ import annotations

from dataclasses import replace

import pytest

from policies.matrix import Matrix, compile_matrix
from policies.render import cell_words
from policies.rules import PolicySource
from policies.table import Column, Mark, Table, TableCell, sharing_table
from policies.words import ENGLISH
from schema.categories import SEALED, SHAREABLE, Basis, DataCategory, Purpose
from tests.policies.commented import commented_rules


def cell(table: Table, category: DataCategory, basis: Basis, purpose: Purpose) -> TableCell:
    row = next(row for row in table.rows if row.category is category)
    return row.cells[table.columns.index(Column(basis, purpose))]


@pytest.mark.clause("C8")
def test_each_mark_is_what_the_policy_says(matrix: Matrix) -> None:
    table = sharing_table(matrix)
    email = DataCategory.EMAIL
    assert cell(table, email, Basis.MARKETING, Purpose.PARTNER_EMAIL).mark is Mark.UNTIL_OPT_OUT
    assert cell(table, email, Basis.MEMBER_REQUEST, Purpose.MEMBER_ASKED).mark is Mark.ON_REQUEST
    assert cell(table, email, Basis.LEGAL, Purpose.LEGAL_OBLIGATION).mark is Mark.ALWAYS
    assert cell(table, DataCategory.STREET, Basis.MARKETING, Purpose.PARTNER_EMAIL).mark is Mark.NEVER


def test_a_region_with_a_rule_of_its_own_is_an_exception_in_the_cell(source: PolicySource) -> None:
    rule = commented_rules(source.rules)["opt-in-in-the-eu"]
    table = sharing_table(compile_matrix(replace(source, rules=source.rules + rule)))
    found = cell(table, DataCategory.EMAIL, Basis.MARKETING, Purpose.PARTNER_EMAIL)
    assert found.exceptions == (("EU", Mark.ON_REQUEST),)
    assert cell_words(found, ENGLISH) == "until opt-out (EU: on request)"
    noted = [table.notes[number - 1] for number in found.notes]
    cited = {note.name for note in noted if note is not None}
    assert cited == {"marketing-partners", "opt-in-in-the-eu"}


def test_what_the_law_may_not_presume_is_never_shared(source: PolicySource) -> None:
    rule = '@id("a") forbid (principal == Basis::"LEGAL", action == Action::"presume", resource);'
    table = sharing_table(compile_matrix(replace(source, rules=source.rules + rule)))
    found = cell(table, DataCategory.EMAIL, Basis.LEGAL, Purpose.LEGAL_OBLIGATION)
    assert found.mark is Mark.NEVER


def test_every_category_that_could_be_asked_for_has_a_row(matrix: Matrix) -> None:
    assert {row.category for row in sharing_table(matrix).rows} == SHAREABLE | SEALED


@pytest.mark.clause("C10", "C14")
def test_sealed_categories_are_never_shared_in_any_column(matrix: Matrix) -> None:
    table = sharing_table(matrix)
    for row in table.rows:
        if row.category in SEALED:
            assert {cell.mark for cell in row.cells} == {Mark.NEVER}
            assert table.notes[row.cells[0].notes[0] - 1] is None, "the program, and no rule"
