"""From counts with noise on to the answer that is given: what is shown, and shares of it (C5). Pure.

INVARIANT (suppressed-after-noise): an `Audience` is made of `NoisyCounts` and settings alone, so that leaving
a group out tells no more than its noisy count would have.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoisyCounts:
    """Counts with their noise on: what differential privacy lets anybody see.

    One for each group of the question, in order; `members` is that of everybody in question, where it was
    counted apart.
    """

    groups: tuple[int, ...]
    members: int | None
    bound: int
    """Within so many of the true count, with 95 % confidence."""


@dataclass(frozen=True, slots=True)
class Audience:
    """An answer. A group that may be too small has no count. `total` is what shares are of."""

    groups: tuple[int | None, ...]
    total: int | None
    bound: int


def present(noisy: NoisyCounts, minimum_cohort: int) -> Audience:
    """The answer that is given: groups that have at least `minimum_cohort` members, as far as noise tells.

    CLAUSE (C5): a group that may be smaller than the cohort has no count.

    A group is shown when its noisy count is `bound` above the minimum: of forty groups that are smaller, at
    most one is shown by chance. Shares are of the members in the groups that are shown: from a total of all
    groups the one that is left out could be worked out.
    """
    least = minimum_cohort + noisy.bound
    groups = tuple(count if count >= least else None for count in noisy.groups)
    if noisy.members is not None:
        total = noisy.members if noisy.members >= least else None
    else:
        total = sum(count for count in groups if count is not None) or None
    return Audience(groups, total, noisy.bound)


def share(count: int | None, total: int | None) -> float | None:
    """The part of the total, to four places; None where either is not shown."""
    return None if count is None or not total else round(min(1.0, count / total), 4)
