"""Which published policy decides at a moment: what is new waits until it was announced (C16).

In come publications with their dates; out comes, for each moment, a `Formula` over the numbers of versions.
What it decides is in `policies.combined`. No I/O; every date is given.

A *cell* is one thing that a policy opens: a category, shared or presumed, on a basis, for a purpose, in a
region.

1. A version takes effect at its own date. Whatever it closes is closed from then on.
2. What was open when it was published, and is in it, stays open.
3. What is new in it opens when the notice period is over, never before its own date, and not before what
   was announced earlier.
4. What an earlier version announced, and is in it as well, keeps the date that was announced.
5. What an earlier version announced, and is not in it, never opens.
6. A version that has not taken effect when the next one is published never does.

INVARIANT (announced-before-opened): a cell is open at a moment only if it was open at the first version, or
was announced a whole notice period before, and has been in every version that was published since.

CLAUSE (C16): a new practice is applied to nobody before its notice period is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Final, Self, TypeAlias

from policies.engine import Action
from policies.matrix import Matrix
from policies.regions import GROUPS, OTHER_REGION
from schema.categories import Basis, DataCategory, Purpose, categories_of

Formula: TypeAlias = frozenset[frozenset[int]]
"""A cell is open if every version of one of the sets has it. No set contains another: the same formula is
always written in the same way."""


def only(number: int) -> Formula:
    """What this version has."""
    return frozenset({frozenset({number})})


def both(one: Formula, other: Formula) -> Formula:
    """What one and the other have."""
    return _least(mine | its for mine in one for its in other)


def either(one: Formula, other: Formula) -> Formula:
    """What one or the other has."""
    return _least((*one, *other))


def _least(terms: Iterable[frozenset[int]]) -> Formula:
    found = set(terms)
    return frozenset(term for term in found if not any(other < term for other in found))


@dataclass(frozen=True, slots=True)
class Step:
    """What decides from a moment on, until the next step."""

    since: datetime
    decides: Formula


@dataclass(frozen=True, slots=True)
class Timeline:
    """What decides from a publication on, as long as nothing else is published.

    Made by `begun` and `published`. `steps` are in the order of their dates; from `effective_at` on, the
    version that was published is in force. `otherwise` is what decides if another is published before that:
    the version is then left out, but for what it has taken back.
    """

    steps: tuple[Step, ...]
    effective_at: datetime
    otherwise: tuple[Step, ...] = ()

    @classmethod
    def begun(cls, number: int, at: datetime) -> Self:
        """The first version: nothing is new in it, because nothing was before it."""
        return cls((Step(at, only(number)),), at)

    def at(self, moment: datetime) -> Formula:
        """What decides at a moment; before the first step, what that one says."""
        return self._step(moment).decides

    def since(self, moment: datetime) -> datetime:
        """When what decides at a moment began to."""
        return self._step(moment).since

    def next_after(self, moment: datetime) -> datetime | None:
        """When something else will decide; None if nothing more is to come."""
        return next((step.since for step in self.steps if step.since > moment), None)

    @property
    def finally_decides(self) -> Formula:
        """What decides when every notice period is over."""
        return self.steps[-1].decides

    def published(self, number: int, *, at: datetime, effective_at: datetime, opens_at: datetime) -> Timeline:
        """The timeline after another publication `at` a moment; `opens_at` is when its notice period is over.

        The period is over for all of it at once, and so not before the last that was announced earlier.
        """
        effective_at = max(effective_at, at)
        opens_at = max(opens_at, effective_at, self.steps[-1].since)
        new, now_open = only(number), self.at(at)
        kept = either(now_open, new)
        until = self._unreplaced(at)
        waiting = [  # until it takes effect: what decides already, without what it does not go on announcing
            Step(moment, both(until.at(moment), kept))
            for moment in (at, *(step.since for step in until.steps if step.since > at))
        ]
        steps = [step for step in waiting if step.since < effective_at]
        steps += [  # from then on: what is in it and was open, or was announced before for that moment
            Step(moment, both(new, either(now_open, self.at(moment))))
            for moment in (effective_at, *_between(self, effective_at, opens_at))
            if moment < opens_at
        ]
        steps.append(Step(opens_at, new))
        return Timeline(tuple(_shortened(steps)), effective_at, tuple(_shortened(waiting)))

    def _unreplaced(self, at: datetime) -> Timeline:
        """The same for whoever publishes `at` a moment: without a version that has not taken effect."""
        return self if self.effective_at <= at else Timeline(self.otherwise, self.effective_at)

    def _step(self, moment: datetime) -> Step:
        found = self.steps[0]
        for step in self.steps:
            if step.since <= moment:
                found = step
        return found


def _between(timeline: Timeline, after: datetime, before: datetime) -> Iterator[datetime]:
    return (step.since for step in timeline.steps if after < step.since < before)


def _shortened(steps: Sequence[Step]) -> Iterator[Step]:
    """Without steps that change nothing."""
    last: Formula | None = None
    for step in steps:
        if step.decides != last:
            yield step
        last = step.decides


@dataclass(frozen=True, slots=True)
class CellGroup:
    """Categories of one action, basis and purpose. `regions` says where; None: everywhere."""

    action: Action
    basis: Basis
    purpose: Purpose
    categories: frozenset[DataCategory]
    regions: frozenset[str] | None = None


def opened(before: Sequence[Matrix], after: Matrix) -> tuple[CellGroup, ...]:
    """The cells that `after` opens and none of `before` has, in the order of the vocabularies.

    Of a category that is new as a whole, only that it may be shared is told, and not that it is presumed too.
    """
    found: list[CellGroup] = []
    for basis in Basis:
        for purpose in Purpose:
            shared = _new_share(before, after, basis, purpose)
            if shared:
                found.append(CellGroup(Action.SHARE, basis, purpose, categories_of(shared)))
            found += _new_presumptions(before, after, basis, purpose, shared)
    return tuple(found)


def _new_share(before: Sequence[Matrix], after: Matrix, basis: Basis, purpose: Purpose) -> int:
    new = 0
    for protected in (False, True):
        has = reduce(or_, (m.share_mask(basis, purpose, protected=protected) for m in before), 0)
        new |= after.share_mask(basis, purpose, protected=protected) & ~has
    return new


def _new_presumptions(
    before: Sequence[Matrix], after: Matrix, basis: Basis, purpose: Purpose, told: int
) -> Iterator[CellGroup]:
    """By region: what is newly presumed there."""
    places = sample_regions((*before, after))
    new: dict[str | None, int] = {}
    for region in places:
        mask = 0
        for protected in (False, True):
            has = reduce(
                or_, (m.presumed_mask(basis, purpose, region, protected=protected) for m in before), 0
            )
            mask |= after.presumed_mask(basis, purpose, region, protected=protected) & ~has
        if mask & ~told:
            new[region] = mask & ~told
    everywhere = reduce(and_, (new.get(region, 0) for region in places))
    if everywhere:
        yield CellGroup(Action.PRESUME, basis, purpose, categories_of(everywhere))
    by_mask: dict[int, set[str]] = {}
    for region, mask in new.items():
        if mask & ~everywhere and region is not None:
            by_mask.setdefault(mask & ~everywhere, set()).add(_place(region))
    for mask, regions in sorted(by_mask.items()):
        yield CellGroup(Action.PRESUME, basis, purpose, categories_of(mask), frozenset(regions))


def _place(region: str) -> str:
    """A sample of a region, as the region that it stands for."""
    if region == _ELSEWHERE:
        return OTHER_REGION
    return region.removesuffix(_PART)


def fingerprint(matrix: Matrix, basis: Basis, purpose: Purpose) -> tuple[object, ...]:
    """What a policy says about one basis and purpose: equal only if every member is decided alike.

    Two policies that name other regions may differ in it and decide alike, never the other way round.
    """
    said: list[object] = []
    for protected in (False, True):
        elsewhere = matrix.presumed_mask(basis, purpose, _ELSEWHERE, protected=protected)
        exceptions = frozenset(
            (region, mask)
            for region in sample_regions((matrix,))
            if (mask := matrix.presumed_mask(basis, purpose, region, protected=protected)) != elsewhere
        )
        said += (matrix.share_mask(basis, purpose, protected=protected), elsewhere, exceptions)
    return tuple(said)


def touched(before: Matrix, after: Matrix) -> frozenset[tuple[Basis, Purpose]]:
    """The bases and purposes that the two may decide otherwise about."""
    return frozenset(
        (basis, purpose)
        for basis in Basis
        for purpose in Purpose
        if fingerprint(before, basis, purpose) != fingerprint(after, basis, purpose)
    )


def sample_regions(matrices: Iterable[Matrix]) -> tuple[str | None, ...]:
    """A member's region of each kind that these policies can tell apart (`policies.regions.covering`)."""
    named = {name for matrix in matrices for name in matrix.regions} - {OTHER_REGION}
    countries = {name.partition("-")[0] for name in named} - GROUPS.keys()
    grouped = {country for group in GROUPS.values() for country in group} if named & GROUPS.keys() else set()
    parts = {f"{country}{_PART}" for country in countries}
    return (None, _ELSEWHERE, *sorted((named - GROUPS.keys()) | countries | grouped | parts))


_ELSEWHERE: Final = "ZZ"
"""A region that no policy names (ISO 3166 leaves it to its users)."""

_PART: Final = "-ZZZ"
"""Makes a part of a country that no policy names."""
