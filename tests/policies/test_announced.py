"""What is left of an announcement when another version comes between (C16)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from policies.announced import Announced, is_whole, still_coming
from policies.engine import Action
from policies.versions import CellGroup
from schema.categories import Basis, DataCategory, Purpose

NAME, EMAIL = DataCategory.NAME, DataCategory.EMAIL
OFFERS = (Basis.STRATEGIC, Purpose.PARTNER_OFFERS)


def group(*categories: DataCategory, regions: str | None = None, action: Action = Action.SHARE) -> CellGroup:
    return CellGroup(action, *OFFERS, frozenset(categories), _regions(regions))


def _regions(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(text.split())


@pytest.mark.clause("C16")
@pytest.mark.parametrize(
    ("regions", "to_open", "left", "whole"),
    [
        (None, [group(NAME, EMAIL)], [group(NAME, EMAIL)], True),
        (None, [group(NAME), group(EMAIL, action=Action.PRESUME)],
         [group(NAME), group(EMAIL, action=Action.PRESUME)], True),
        (None, [group(NAME)], [group(NAME)], False),
        (None, [], [], False),
        (None, [group(NAME, EMAIL, regions="US")], [group(NAME, EMAIL, regions="US")], False),
        ("US DE", [group(NAME, EMAIL)], [group(NAME, EMAIL, regions="US DE")], True),
        ("US DE", [group(NAME, EMAIL, regions="DE FR")], [group(NAME, EMAIL, regions="DE")], False),
        ("US", [group(NAME, EMAIL, regions="FR")], [], False),
        (None, [CellGroup(Action.SHARE, Basis.MARKETING, OFFERS[1], frozenset({NAME, EMAIL}))], [], False),
        (None, [group(DataCategory.USERNAME)], [], False),
    ],
)  # fmt: skip
def test_what_is_still_coming(
    regions: str | None, to_open: Sequence[CellGroup], left: Sequence[CellGroup], whole: bool
) -> None:
    announced = Announced(*OFFERS, frozenset({NAME, EMAIL}), _regions(regions))
    found = still_coming(announced, to_open)
    assert (found, is_whole(announced, found)) == (left, whole)
