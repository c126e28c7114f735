from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from policies.check import check
from policies.choices import Choice, fold
from policies.rules import PolicySource
from schema.categories import SHARE_BITS, Basis, DataCategory, Purpose
from schema.vocabulary import ChoiceSource, Direction
from tests.decisions.cases import OTHER_PARTNER, THIS_PARTNER
from tests.policies.commented import commented_rules

DOC = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")


def test_the_rules_in_the_document_are_those_in_the_file_and_may_be_used(source: PolicySource) -> None:
    blocks = re.findall(r"```cedar\n(.*?)\n```", DOC, re.DOTALL)
    assert blocks == list(commented_rules(source.rules).values())
    assert check(replace(source, rules="\n".join([source.rules, *blocks]))) == ()


@pytest.mark.clause("C11")
@pytest.mark.parametrize(
    ("partner_id", "shared", "withheld"),
    [
        (THIS_PARTNER, DataCategory.NAME, DataCategory.EMAIL),
        (OTHER_PARTNER, DataCategory.NAME, DataCategory.EMAIL),
    ],
)
def test_the_example_in_the_document_holds(
    partner_id: UUID, shared: DataCategory, withheld: DataCategory
) -> None:
    def choice(
        day: int, direction: Direction, partner: UUID | None = None, key: DataCategory | None = None
    ) -> Choice:
        date = datetime(2026, 3, day, tzinfo=UTC)
        keys = frozenset({key}) if key else None
        return Choice(date, direction, partner, None, keys, ChoiceSource.PROFILE_PAGE)

    arrived = [
        choice(1, Direction.OUT),
        choice(5, Direction.IN, THIS_PARTNER),
        choice(9, Direction.OUT, key=DataCategory.CONTACT),
        choice(2, Direction.IN),
    ]
    now = datetime(2026, 4, 1, tzinfo=UTC)
    cell = (Purpose.PARTNER_OFFERS, Basis.STRATEGIC)
    folded = fold(arrived, partner_id=partner_id, purpose=cell[0], basis=cell[1], now=now)
    assert folded.requested >> SHARE_BITS[shared] & 1
    assert folded.refused >> SHARE_BITS[withheld] & 1
