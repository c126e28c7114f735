from __future__ import annotations

import pytest

from policies.regions import GROUPS, OTHER_REGION, covering


@pytest.mark.parametrize(
    ("region", "named", "expected"),
    [
        ("DE-BY", ("DE", "DE-BY", "EEA", "EU", "US", "OTHER"), ("DE", "DE-BY", "EEA", "EU")),
        ("DE", ("DE-BY", "EU", "OTHER"), ("EU", "DE-BY")),
        ("NO", ("EEA", "EU", "OTHER"), ("EEA",)),
        ("EU", ("EEA", "EU", "OTHER"), ("EEA", "EU")),
        ("EEA", ("EEA", "EU", "OTHER"), ("EEA",)),
        ("US-CA", ("US", "OTHER"), ("US",)),
        ("US", ("US-CA", "OTHER"), ("OTHER", "US-CA")),
        ("GB", ("EU", "OTHER"), ("OTHER",)),
        ("", ("EU", "OTHER"), ("EU", "OTHER")),
        (None, ("EU", "OTHER"), ("EU", "OTHER")),
        ("OTHER", ("EU", "OTHER"), ("OTHER",)),
    ],
)
def test_a_region_is_covered_by_itself_its_country_and_its_groups(
    region: str | None, named: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert covering(region, named) == expected


def test_the_groups_have_their_members() -> None:
    assert len(GROUPS["EU"]) == 27
    assert len(GROUPS["EEA"]) == 30
    assert OTHER_REGION not in GROUPS
