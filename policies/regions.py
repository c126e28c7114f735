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
"""Stands for every region that no rule names, and for a member whose region is unknown."""

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
    """The regions in `named` that contain `region`, or `OTHER` alone where there is none.

    `DE-BY` is covered by `DE-BY`, `DE`, `EU` and `EEA`. A rule on any of them concerns the member, so
    the caller must presume only what is presumed in *all* of them.
    """
    if region is None:
        return (OTHER_REGION,)
    country = region.partition("-")[0]
    wider = {region, country} | {
        group
        for group, countries in GROUPS.items()
        if country in countries or GROUPS.get(region, _NOWHERE) <= countries
    }
    return tuple(name for name in named if name in wider) or (OTHER_REGION,)


_NOWHERE: Final = frozenset({""})
"""Contained in no group."""
