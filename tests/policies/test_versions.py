"""Versions of a policy and time: compared with a model that follows each cell by itself (C16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, reduce
from operator import and_, or_

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.policy_source import load_shipped_directory
from policies.combined import in_force, matrix_of
from policies.engine import Action
from policies.matrix import Matrix, compile_matrix
from policies.versions import (
    Formula,
    Timeline,
    both,
    either,
    fingerprint,
    only,
    opened,
    touched,
)
from schema.categories import Basis, DataCategory, Purpose, mask_of

START = datetime(2026, 1, 1, tzinfo=UTC)
PURCHASES = """
@id("purchases") @clause("C8") @text("x")
permit (principal == Basis::"MARKETING", action, resource == DataCategory::"user.behavior.purchase_history")
when { context.purpose == Purpose::"PARTNER_EMAIL" && !context.protected };
"""
EU_ASKED = """
@id("eu") @clause("C8") @text("x")
forbid (principal == Basis::"MARKETING", action == Action::"presume", resource)
when { context.region == Region::"EU" };
"""
MARKETING = (Basis.MARKETING, Purpose.PARTNER_EMAIL)
EMAIL = mask_of([DataCategory.EMAIL])


def day(number: int) -> datetime:
    return START + timedelta(days=number)


@cache
def policy(*added: str) -> Matrix:
    source = load_shipped_directory().source
    return compile_matrix(replace(source, rules=source.rules + "".join(added)))


# -- the model: each cell has a date on which it opens

Cells = frozenset[int]


@dataclass(frozen=True)
class Publication:
    """`cells` are what the version opens; days count from the publication before."""

    cells: Cells
    later: int
    effective_after: int
    notice: int


@dataclass
class Model:
    """What was open at the last publication, and when what was announced opens: until its date, and after."""

    cells: Cells
    open_then: Cells
    effective: int = 0
    period_over: int = 0
    until: Mapping[int, int] = field(default_factory=dict)
    after: Mapping[int, int] = field(default_factory=dict)

    def open_at(self, now: int) -> Cells:
        if now < self.effective:
            return self.open_then | {cell for cell, date in self.until.items() if date <= now}
        dated = {cell for cell, date in self.after.items() if date <= now}
        return (self.open_then & self.cells) | dated

    def publish(self, cells: Cells, now: int, effective: int, notice: int) -> Cells:
        """Publish; the cells that have to be announced."""
        open_now = self.open_at(now)
        in_effect = now >= self.effective
        dates = self.after if in_effect else self.until
        until = {cell: date for cell, date in dates.items() if cell in cells - open_now}
        replaced = {cell: date for cell, date in self.after.items() if not in_effect and cell in cells}
        over = max(now + notice, effective, self.period_over)
        after: dict[int, int] = {}
        new = set()
        for cell in cells - open_now:
            promised = [date for known in (until, replaced) if (date := known.get(cell)) is not None]
            if not promised:
                new.add(cell)
            after[cell] = max(effective, min(promised, default=over))
        self.cells, self.open_then, self.effective, self.period_over = cells, open_now, effective, over
        self.until, self.after = until, after
        return frozenset(new)


def cells_of(formula: Formula, versions: Mapping[int, Cells]) -> Cells:
    return reduce(or_, (reduce(and_, (versions[number] for number in term)) for term in formula))


CELLS = st.frozensets(st.integers(0, 3))
PUBLICATIONS = st.lists(
    st.builds(
        Publication, cells=CELLS, later=st.integers(0, 12), effective_after=st.integers(0, 15),
        notice=st.integers(1, 10),
    ),
    max_size=6,
)  # fmt: skip


_LEFT_OUT = [Publication(frozenset({0}), 0, days, 1) for days in (0, 1, 2)]
"""The second never takes effect: what the first announced keeps its day all the same."""


@pytest.mark.clause("C16")
@example(first=frozenset(), publications=_LEFT_OUT)
@given(first=CELLS, publications=PUBLICATIONS)
def test_what_is_open_at_each_moment_is_what_the_model_says(
    first: Cells, publications: list[Publication]
) -> None:
    versions: dict[int, Cells] = {1: first}
    timeline, model, now = Timeline.begun(1, START), Model(first, first), 0
    announced = dict.fromkeys(first, -1000)
    for number, each in enumerate(publications, start=2):
        now += each.later
        effective = now + each.effective_after
        known = cells_of(timeline.at(day(now)), versions) | cells_of(timeline.finally_decides, versions)
        versions[number] = each.cells
        new = model.publish(each.cells, now, effective, each.notice)
        assert new == each.cells - known  # what `opened` is asked
        announced |= dict.fromkeys(new, now + each.notice)
        timeline = timeline.published(
            number, at=day(now), effective_at=day(effective), opens_at=day(now + each.notice)
        )
        assert in_force(timeline.at(day(effective))) == number
        for moment in range(now, now + 60):
            is_open = cells_of(timeline.at(day(moment)), versions)
            assert is_open == model.open_at(moment), (number, moment)
            assert all(announced[cell] <= moment for cell in is_open)
        assert cells_of(timeline.finally_decides, versions) == each.cells


@given(st.data())
def test_formulas_are_combined_as_sets_are(data: st.DataObject) -> None:
    versions = {number: data.draw(CELLS) for number in range(1, 5)}
    leaf = st.sampled_from(sorted(versions)).map(only)
    formulas = st.recursive(
        leaf, lambda f: st.tuples(st.sampled_from([both, either]), f, f).map(lambda t: t[0](t[1], t[2]))
    )
    one, other = data.draw(formulas), data.draw(formulas)
    assert cells_of(both(one, other), versions) == cells_of(one, versions) & cells_of(other, versions)
    assert cells_of(either(one, other), versions) == cells_of(one, versions) | cells_of(other, versions)
    for formula in (both(one, other), either(one, other)):
        assert not any(term < wider for term in formula for wider in formula)


# -- matrices


def test_what_is_held_back_is_closed_and_all_else_is_as_it_was() -> None:
    old, new = policy(), policy(PURCHASES)
    held = matrix_of(both(only(1), only(2)), {1: old, 2: new})
    assert touched(old, held) == frozenset()
    assert touched(held, new) == {MARKETING}
    assert held.digest not in {old.digest, new.digest}
    assert matrix_of(only(2), {2: new}) is new


def test_a_category_that_is_new_is_told_once_and_not_for_each_region() -> None:
    (group,) = opened((policy(),), policy(PURCHASES))
    assert (group.action, group.basis, group.purpose, group.regions) == (Action.SHARE, *MARKETING, None)
    assert group.categories == {DataCategory.PURCHASE_HISTORY}
    assert opened((policy(), policy(PURCHASES)), policy(PURCHASES)) == ()


def test_from_opt_in_to_opt_out_in_a_region_is_new_there() -> None:
    groups = [g for g in opened((policy(EU_ASKED),), policy()) if (g.basis, g.purpose) == MARKETING]
    assert {group.action for group in groups} == {Action.PRESUME}
    regions = frozenset().union(*(group.regions or () for group in groups))
    assert {"DE", "FR", "SE"} <= regions
    assert not {"US", "ZZ", "OTHER"} & regions


@pytest.mark.parametrize("region", ["DE", "DE-BY", "FR", "US", "US-CA", "ZZ", None])
def test_a_region_is_judged_by_the_names_that_each_version_knows(region: str | None) -> None:
    asked, free = policy(EU_ASKED), policy()
    held = matrix_of(both(only(1), only(2)), {1: asked, 2: free})
    either_way = matrix_of(either(only(1), only(2)), {1: asked, 2: free})
    for matrix, expected in ((held, asked), (either_way, free)):
        assert matrix.presumed_mask(*MARKETING, region) == expected.presumed_mask(*MARKETING, region)
    assert bool(held.presumed_mask(*MARKETING, region) & EMAIL) == (region in {"US", "US-CA", "ZZ"})


def test_a_fingerprint_tells_apart_what_one_region_tells_apart() -> None:
    assert fingerprint(policy(EU_ASKED), *MARKETING) != fingerprint(policy(), *MARKETING)
    strategic = (Basis.STRATEGIC, Purpose.PARTNER_OFFERS)
    assert fingerprint(policy(EU_ASKED), *strategic) == fingerprint(policy(), *strategic)
