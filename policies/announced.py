"""What is left of an announcement when another version is published before its day (C16). Pure.

In come what was announced and what is to open by now; out comes the part of the one that the other still has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from policies.versions import CellGroup
from schema.categories import Basis, DataCategory, Purpose


@dataclass(frozen=True, slots=True)
class Announced:
    """What one notice says that will be shared. `regions` None: of everybody."""

    basis: Basis
    purpose: Purpose
    categories: frozenset[DataCategory]
    regions: frozenset[str] | None


def still_coming(announced: Announced, to_open: Iterable[CellGroup]) -> Sequence[CellGroup]:
    """What of it is to open still, in the order of `to_open`; empty: nothing."""
    left = []
    for group in to_open:
        if (group.basis, group.purpose) == (announced.basis, announced.purpose):
            categories = group.categories & announced.categories
            regions = _in_both(group.regions, announced.regions)
            if categories and regions != frozenset():
                left.append(replace(group, categories=categories, regions=regions))
    return left


def is_whole(announced: Announced, left: Iterable[CellGroup]) -> bool:
    """Whether all that was announced is still coming, everywhere where it was."""
    everywhere = (group.categories for group in left if group.regions == announced.regions)
    return frozenset[DataCategory]().union(*everywhere) == announced.categories


def _in_both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
