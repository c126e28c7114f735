"""The compiled policy that a formula over versions stands for, with the rules that are in force by it (C16).

In come a `Formula` (`policies.versions`) and the compiled versions; out comes the `Matrix` that decides.
While something that was announced waits, more than one version has a say, and so which rules are shown is
worked out:

1. a rule of the version in force is in force, unless it permits what waits;
2. one that does waits itself, and is told apart (`Matrix.waiting`), unless an earlier version said the same;
3. what it permits and is open already is decided by the rules of the earlier version that permit it;
4. a prohibition of an earlier version that holds back what waits is in force.

So no rule that is shown as in force permits what is not shared yet. Of a prohibition that was changed, the
earlier one is shown while it holds something back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import reduce
from hashlib import sha256
from operator import and_, or_
from types import MappingProxyType
from typing import Final

from policies.engine import Action, Cell
from policies.matrix import Matrix
from policies.regions import OTHER_REGION
from policies.rules import Rule
from policies.versions import Formula
from schema.categories import SHARE_BITS, Basis, DataCategory, Purpose

EXPLAINED_REGIONS: Final = 4_096
"""Answers that a combined matrix remembers: more than there are regions times purposes in use."""


@dataclass(frozen=True, slots=True)
class CombinedMatrix(Matrix):
    """Several versions, combined by a formula. `base` is the version in force."""

    base: Matrix
    terms: tuple[tuple[Matrix, ...], ...]
    _presumed: dict[tuple[Basis, Purpose, str | None, bool], int] = field(
        default_factory=dict, compare=False, repr=False
    )

    def share_mask(self, basis: Basis, purpose: Purpose, *, protected: bool) -> int:
        """What may be shared at all. Closed, since what is combined is."""
        return reduce(
            or_,
            (
                reduce(and_, (m.share_mask(basis, purpose, protected=protected) for m in term))
                for term in self.terms
            ),
        )

    def presumed_mask(
        self, basis: Basis, purpose: Purpose, region: str | None, *, protected: bool = False
    ) -> int:
        """What is shared until the member opts out: each version judges a region by the names it knows."""
        key = (basis, purpose, region, protected)
        known = self._presumed.get(key)
        if known is None:
            known = reduce(
                or_,
                (
                    reduce(and_, (m.presumed_mask(basis, purpose, region, protected=protected) for m in term))
                    for term in self.terms
                ),
            )
            if len(self._presumed) >= EXPLAINED_REGIONS:
                self._presumed.clear()
            self._presumed[key] = known
        return known

    def rule_for(
        self,
        action: Action,
        basis: Basis,
        purpose: Purpose,
        category: DataCategory,
        *,
        protected: bool = False,
        region: str | None = None,
    ) -> tuple[str, ...]:
        """The ids of the rules in force that determine a cell; of one that waits, those that hold it back."""
        cell = Cell(action, basis, purpose, category, protected, region)
        ids = _spoken(self.base, cell)
        if not _is_open(self.base, cell):
            return tuple(each for each in ids if each in self.rules)
        if not _is_open(self, cell):
            return tuple(sorted(name for name in _holding(self, cell) if name in self.rules))
        kept = tuple(each for each in ids if self.rules.get(each) is self.base.rules[each])
        return kept or tuple(sorted(name for name in _earlier(self, cell) if name in self.rules))

    @property
    def others(self) -> Sequence[Matrix]:
        """The versions that have a say beside the one in force."""
        return [matrix for term in self.terms for matrix in term if matrix is not self.base]


def matrix_of(formula: Formula, versions: Mapping[int, Matrix]) -> Matrix:
    """The compiled policy that a formula stands for. `versions` has every number in it."""
    terms = tuple(tuple(versions[number] for number in sorted(term)) for term in sorted(map(sorted, formula)))
    if len(terms) == 1 and len(terms[0]) == 1:
        return terms[0][0]
    base = versions[in_force(formula)]
    named = {name for term in terms for matrix in term for name in matrix.regions} - {OTHER_REGION}
    written = "|".join("&".join(sorted(matrix.digest for matrix in term)) for term in terms)
    told = {known.name: getattr(base, known.name) for known in fields(Matrix)}
    told |= {"digest": sha256(written.encode()).hexdigest(), "regions": (*sorted(named), OTHER_REGION)}
    held = CombinedMatrix(**told, base=base, terms=terms)
    rules, waiting = _told_apart(held)
    return replace(held, rules=rules, waiting=waiting)


def in_force(formula: Formula) -> int:
    """The version whose rules decide; the others of the formula only hold something of it back."""
    shared = reduce(and_, formula)
    return max(shared) if shared else max(reduce(or_, formula))


def _told_apart(held: CombinedMatrix) -> tuple[Mapping[str, Rule], tuple[Rule, ...]]:
    """The rules in force, and those that wait: the numbers are those of the module's steps."""
    base, cells = held.base, list(_open_cells(held))
    closed = [cell for cell in cells if not _is_open(held, cell)]
    waits = {name for cell in closed for name in _spoken(base, cell)}
    apart = {
        name for name in waits if not any(_alike(base.rules[name], other, name) for other in held.others)
    }
    shown = {name: rule for name, rule in base.rules.items() if name not in apart}  # 1, 2
    for cell in cells:
        if _is_open(held, cell) and apart.issuperset(_spoken(base, cell)):
            shown = _earlier(held, cell) | shown  # 3
    barred = {name: rule for cell in closed for name, rule in _holding(held, cell).items()}
    changed = {name for name in barred if name in shown and shown[name].text != barred[name].text}
    waiting = tuple(rule for name, rule in base.rules.items() if name in apart | changed)
    return MappingProxyType(shown | barred), waiting  # 4


def _open_cells(held: CombinedMatrix) -> Iterator[Cell]:
    """The cells that the version in force has, in every region that any version names."""
    for basis in Basis:
        for purpose in Purpose:
            for protected in (False, True):
                mask = held.base.share_mask(basis, purpose, protected=protected)
                for category, bit in SHARE_BITS.items():
                    if mask & 1 << bit:
                        yield Cell(Action.SHARE, basis, purpose, category, protected)
                for region in held.regions:
                    mask = held.base.presumed_mask(basis, purpose, region, protected=protected)
                    for category, bit in SHARE_BITS.items():
                        if mask & 1 << bit:
                            yield Cell(Action.PRESUME, basis, purpose, category, protected, region)


def _is_open(matrix: Matrix, cell: Cell) -> bool:
    if cell.action is Action.SHARE:
        mask = matrix.share_mask(cell.basis, cell.purpose, protected=cell.protected)
    else:
        mask = matrix.presumed_mask(cell.basis, cell.purpose, cell.region, protected=cell.protected)
    return bool(mask & 1 << SHARE_BITS[cell.category])


def _spoken(matrix: Matrix, cell: Cell) -> tuple[str, ...]:
    return matrix.rule_for(
        cell.action, cell.basis, cell.purpose, cell.category, protected=cell.protected, region=cell.region
    )


def _earlier(held: CombinedMatrix, cell: Cell) -> dict[str, Rule]:
    """The rules by which an earlier version permits it."""
    return {
        name: other.rules[name]
        for other in held.others
        if _is_open(other, cell)
        for name in _spoken(other, cell)
    }


def _holding(held: CombinedMatrix, cell: Cell) -> dict[str, Rule]:
    """The prohibitions by which an earlier version holds it back."""
    return {
        name: other.rules[name]
        for other in held.others
        for name in _spoken(other, cell)
        if other.rules[name].effect == "forbid"
    }


def _alike(rule: Rule, other: Matrix, name: str) -> bool:
    """Whether another version has a rule that tells its readers the same."""
    theirs = other.rules.get(name)
    return theirs is not None and (theirs.effect, theirs.text, theirs.translations) == (
        rule.effect,
        rule.text,
        rule.translations,
    )
