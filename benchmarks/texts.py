"""The documents that are asked. Whoever answers them may import this: it brings nothing of the gateway's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Final

_DOCUMENTS: Final = Path(__file__).parent / "documents"

PROFILE: Final = (_DOCUMENTS / "profile.graphql").read_text(encoding="utf-8")
PAGE: Final = (_DOCUMENTS / "page.graphql").read_text(encoding="utf-8")
CORRECTION: Final = (_DOCUMENTS / "correction.graphql").read_text(encoding="utf-8")

NUMBER: Final = "000000000000"
"""Stands in a fresh request where a number of as many digits is put in."""

FRESH: Final = PROFILE.replace("query Profile", f"query Profile{NUMBER}")

PROFILE_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "number": "number",
        "givenName": "given_name",
        "familyName": "family_name",
        "email": "email",
        "birthDate": "birth_date",
        "region": "region",
        "interests": "interests",
        "addresses": "",
    }
)
"""The fields of the profile, and where they are stored."""

ADDRESSES: Final = "addresses { edges { node { line1 city country } } }"

ROTATION: Final = 1_000


def rotation() -> Sequence[tuple[str, Sequence[str]]]:
    """A thousand documents with their fields: each subset of those of the profile, by several names."""
    names = tuple(PROFILE_COLUMNS)
    subsets = [chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size)]
    found = []
    for index in range(ROTATION):
        fields = subsets[index % len(subsets)]
        text = " ".join(ADDRESSES if field == "addresses" else field for field in fields)
        found.append((f"query Rotation{index} {{ me {{ {text} }} }}", fields))
    return found
