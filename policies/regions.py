"""Which regions of the policy a member's region falls under.

A member's region is an ISO 3166 code: a country (`DE`) or a part of one (`US-CA`). A policy names
regions in the same way, or a group of countries (`EU`). What it does not name counts as `OTHER`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

OTHER_REGION: Final = "OTHER"
"""Stands for every region that no rule names."""

_EU: Final = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)

GROUPS: Final[Mapping[str, frozenset[str]]] = MappingProxyType({"EU": _EU, "EEA": _EU | {"IS", "LI", "NO"}})
"""Groups of countries that a rule may name as one region: the European Union, and the Economic Area."""


@lru_cache(maxsize=4096)
def covering(region: str | None, named: tuple[str, ...]) -> tuple[str, ...]:
    """The regions in `named` that a member of `region` may be in, `OTHER` where none contains it.

    `DE-BY` is covered by `DE-BY`, `DE`, `EU` and `EEA`. A member of `US` may be in `US-CA`, and one of
    unknown region anywhere. A rule on any of them may concern the member, so the caller must presume
    only what is presumed in *all* of them: what is not known fails closed.
    """
    if not region:
        return named if OTHER_REGION in named else (*named, OTHER_REGION)
    country = region.partition("-")[0]
    wider = {region, country} | {
        group
        for group, countries in GROUPS.items()
        if country in countries or GROUPS.get(region, _NOWHERE) <= countries
    }
    containing = tuple(name for name in named if name in wider)
    within = tuple(name for name in named if name.startswith(f"{region}-"))
    return (containing or (OTHER_REGION,)) + within


_NOWHERE: Final = frozenset({""})
"""Contained in no group."""
