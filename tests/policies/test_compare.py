"""What changes from one policy to another: every cell, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.compare import ComparedCell, Comparison, compare
from policies.engine import Action
from policies.matrix import Matrix, compile_matrix
from policies.rules import PolicySource
from policies.versions import CellGroup, sample_regions
from schema.categories import Basis, DataCategory, Purpose, categories_of
from tests.policies.commented import commented_rules

ADDED = {
    "username": """
        @id("username") @clause("C8") @text("x")
        permit (principal == Basis::"STRATEGIC", action, resource)
        when {
          context.purpose == Purpose::"JOINT_SERVICE" && resource in DataCategory::"user.account.username"
        };
    """,
    "in-california": """
        @id("in-california") @clause("C8") @text("x")
        forbid (principal, action == Action::"presume", resource)
        when { context.region == Region::"US-CA" && principal == Basis::"STRATEGIC" };
    """,
    "no-age": """
        @id("no-age") @clause("C8") @text("x")
        forbid (principal == Basis::"MARKETING", action, resource in DataCategory::"user.demographic");
    """,
}


@pytest.fixture(scope="module")
def variants(source: PolicySource) -> dict[frozenset[str], Matrix]:
    added = ADDED | commented_rules(source.rules)

    @cache
    def compiled(names: frozenset[str]) -> Matrix:
        rules = source.rules + "\n".join(added[name] for name in sorted(names))
        return compile_matrix(replace(source, rules=rules))

    sets = [frozenset(pair) for size in range(3) for pair in combinations(sorted(added), size)]
    return {names: compiled(names) for names in sets}


def open_cells(matrix: Matrix, regions: tuple[str | None, ...]) -> Iterator[tuple[object, ...]]:
    """Every open cell, asked one by one: the plain model."""
    for basis, purpose, protected in product(Basis, Purpose, (False, True)):
        for category in categories_of(matrix.share_mask(basis, purpose, protected=protected)):
            yield Action.SHARE, basis, purpose, category, None
        for region in regions:
            mask = matrix.presumed_mask(basis, purpose, region, protected=protected)
            for category in categories_of(mask):
                yield Action.PRESUME, basis, purpose, category, region


@given(st.data())
def test_every_cell_that_differs_is_told_and_no_other(
    variants: dict[frozenset[str], Matrix], data: st.DataObject
) -> None:
    before, after = (data.draw(st.sampled_from(list(variants.values()))) for _ in range(2))
    regions = tuple(region for region in sample_regions((before, after)) if region is not None)
    old, new = set(open_cells(before, regions)), set(open_cells(after, regions))
    for opens, changed in ((True, new - old), (False, old - new)):
        told = [cell for cell in compare(before, after).cells if cell.opens is opens]
        # A category that is shared newly as a whole is told once, and not that it is presumed as well.
        whole = {(c.basis, c.purpose, c.category) for c in told if c.action is Action.SHARE}
        shown = {(c.action, c.basis, c.purpose, c.category) for c in told}
        wanted = {
            (action, basis, purpose, category)
            for action, basis, purpose, category, _ in changed
            if action is Action.SHARE or (basis, purpose, category) not in whole
        }
        assert shown == wanted


def test_a_policy_is_like_itself(matrix: Matrix) -> None:
    assert compare(matrix, matrix).cells == []
    assert compare(matrix, matrix).touched == frozenset()


def test_countries_are_told_by_the_name_of_their_group(
    variants: dict[frozenset[str], Matrix], matrix: Matrix
) -> None:
    turned = variants[frozenset({"opt-in-in-the-eu"})]
    cells = compare(matrix, turned).cells
    assert cells
    assert {cell.regions for cell in cells} == {("EU",)}
    assert not any(cell.opens for cell in cells)
    assert ComparedCell(
        False, Action.PRESUME, Basis.MARKETING, Purpose.PARTNER_EMAIL, DataCategory.EMAIL, ("EU",)
    ) in cells  # fmt: skip


def test_a_category_is_told_once_with_all_of_its_regions(matrix: Matrix) -> None:
    both = CellGroup(
        Action.PRESUME,
        Basis.MARKETING,
        Purpose.PARTNER_EMAIL,
        frozenset({DataCategory.EMAIL, DataCategory.NAME}),
        frozenset({"US-CA"}),
    )
    email = replace(both, categories=frozenset({DataCategory.EMAIL}), regions=frozenset({"CH"}))
    cells = Comparison(matrix, matrix, (both, email), ()).cells
    assert {(cell.category, cell.regions) for cell in cells} == {
        (DataCategory.EMAIL, ("CH", "US-CA")),
        (DataCategory.NAME, ("US-CA",)),
    }
    assert len(cells) == 2
