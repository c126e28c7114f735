"""What changes from one policy to another: every cell that opens, and every cell that closes.

A cell is one basis, purpose and category, shared or presumed, in a region. In come two compiled policies, out
comes a `Comparison`. Nothing here knows a member: whom it touches is `resolvers.policy_effects`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from policies.engine import Action
from policies.matrix import Matrix
from policies.regions import GROUPS
from policies.versions import CellGroup, opened
from schema.categories import Basis, DataCategory, Purpose, mask_of


@dataclass(frozen=True, slots=True)
class ComparedCell:
    """One category that opens or closes. `regions` says where it does; empty: everywhere."""

    opens: bool
    action: Action
    basis: Basis
    purpose: Purpose
    category: DataCategory
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `after` opens that `before` has not, and what it closes."""

    before: Matrix
    after: Matrix
    opened: tuple[CellGroup, ...]
    closed: tuple[CellGroup, ...]

    @property
    def cells(self) -> Sequence[ComparedCell]:
        """One by one, in the order of the vocabularies: what opens first."""
        return [*_cells(self.opened, opens=True), *_cells(self.closed, opens=False)]

    @property
    def touched(self) -> frozenset[tuple[Basis, Purpose]]:
        """The bases and purposes that are not as before."""
        return frozenset((group.basis, group.purpose) for group in (*self.opened, *self.closed))

    def mask(self, basis: Basis, purpose: Purpose) -> int:
        """The bits of every category of this basis and purpose that opens or closes."""
        groups = (g for g in (*self.opened, *self.closed) if (g.basis, g.purpose) == (basis, purpose))
        return reduce(or_, (mask_of(group.categories) for group in groups), 0)


def compare(before: Matrix, after: Matrix) -> Comparison:
    """Every difference in what two policies decide of members. Of two that decide alike there is none."""
    return Comparison(before, after, opened((before,), after), opened((after,), before))


def _cells(groups: Iterable[CellGroup], *, opens: bool) -> Iterator[ComparedCell]:
    """Each category once, with all of its regions, though they may be in several groups."""
    places: dict[tuple[Action, Basis, Purpose, DataCategory], frozenset[str]] = {}
    for group in groups:
        for category in sorted(group.categories):
            cell = (group.action, group.basis, group.purpose, category)
            places[cell] = places.get(cell, frozenset()) | (group.regions or frozenset())
    for cell, regions in places.items():
        yield ComparedCell(opens, *cell, _in_words(regions))


def _in_words(regions: frozenset[str]) -> tuple[str, ...]:
    """The regions, with the name of a group in place of its countries, the wider group first."""
    for group, countries in sorted(GROUPS.items(), key=lambda entry: -len(entry[1])):
        if countries <= regions:
            regions = regions - countries | {group}
    return tuple(sorted(regions))
