from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.choices import (
    BASES_WITHOUT_CHOICE,
    CLOCK_TOLERANCE,
    NO_CHOICES,
    Choice,
    ChoiceMasks,
    Ledger,
    decisive,
    fold,
    may_change,
    validate_request_date,
)
from schema.categories import SHARE_BITS, SHAREABLE, Basis, DataCategory, Purpose, mask_of
from schema.errors import InputError
from schema.vocabulary import ChoiceSource, Direction
from tests.decisions.cases import NOW, OTHER_PARTNER, THIS_PARTNER

pytestmark = pytest.mark.clause("C11")

GENERAL_OUT = Choice(NOW, Direction.OUT, None, None, None, ChoiceSource.GPC)

# Few values for each part, so that dates collide and selectors overlap.
opt_ins_and_outs = st.builds(
    Choice,
    requested_at=st.integers(0, 4).map(lambda day: NOW - timedelta(days=day)),
    direction=st.sampled_from(Direction),
    partner_id=st.sampled_from([None, THIS_PARTNER, OTHER_PARTNER]),
    purpose=st.sampled_from([None, Purpose.PARTNER_OFFERS, Purpose.PARTNER_EMAIL]),
    categories=st.none() | st.frozensets(st.sampled_from(sorted(SHAREABLE)), max_size=3),
    source=st.sampled_from(ChoiceSource),
    basis=st.sampled_from([None, None, *Basis]),
)
member_requests = st.builds(
    Choice,
    requested_at=st.integers(0, 4).map(lambda day: NOW - timedelta(days=day)),
    direction=st.just(Direction.IN),
    partner_id=st.sampled_from([THIS_PARTNER, OTHER_PARTNER]),
    purpose=st.sampled_from([Purpose.PARTNER_OFFERS, Purpose.PARTNER_EMAIL, Purpose.MEMBER_ASKED]),
    categories=st.none() | st.frozensets(st.sampled_from(sorted(SHAREABLE)), max_size=3),
    source=st.just(ChoiceSource.PROFILE_PAGE),
    basis=st.just(Basis.MEMBER_REQUEST),
    ends_at=st.sampled_from([NOW - timedelta(hours=1), NOW, NOW + timedelta(hours=1), NOW + timedelta(9)]),
)
choices = opt_ins_and_outs | member_requests
ledgers = st.lists(choices, max_size=8)


def model(
    ledger: list[Choice], partner_id: UUID, purpose: Purpose, basis: Basis, category: DataCategory
) -> Direction | None:
    """C11 as the policy says it, one cell at a time: the covering request with the latest date, or None.

    A request to a company covers every category, asks for those that it names, and has asked for nothing once
    it has ended. Of several at one date, the one that ends first wins; then the one that asks for less.
    """
    if basis in BASES_WITHOUT_CHOICE:
        return None
    covering = [
        choice
        for choice in ledger
        if choice.partner_id in {None, partner_id}
        and choice.purpose in {None, purpose}
        and choice.basis in {None, basis}
        and (
            choice.categories is None
            or choice.ends_at is not None
            or any(key.covers(category) for key in choice.categories)
        )
        and not (basis is Basis.MEMBER_REQUEST and choice.direction is Direction.IN and not choice.ends_at)
    ]
    if not covering:
        return None
    latest = max(choice.requested_at for choice in covering)
    at_latest = [choice for choice in covering if choice.requested_at == latest]
    if any(choice.direction is Direction.OUT for choice in at_latest):
        return Direction.OUT
    if basis is Basis.MEMBER_REQUEST:
        winner = min(at_latest, key=lambda choice: (choice.ends_at, choice.named))
        lasts = winner.ends_at is not None and winner.ends_at > NOW
        asked = winner.categories is None or any(key.covers(category) for key in winner.categories)
        return Direction.IN if lasts and asked else None
    return Direction.IN


def folded_now(ledger: list[Choice], basis: Basis) -> ChoiceMasks:
    return fold(ledger, partner_id=THIS_PARTNER, purpose=Purpose.PARTNER_OFFERS, basis=basis, now=NOW)


@given(ledgers, st.sampled_from(Basis))
def test_folding_agrees_with_the_rule_cell_by_cell(ledger: list[Choice], basis: Basis) -> None:
    folded = folded_now(ledger, basis)
    for category, bit in SHARE_BITS.items():
        expected = model(ledger, THIS_PARTNER, Purpose.PARTNER_OFFERS, basis, category)
        assert bool(folded.refused >> bit & 1) == (expected is Direction.OUT), category
        assert bool(folded.requested >> bit & 1) == (expected is Direction.IN), category


@given(st.data(), st.sampled_from(Basis))
def test_the_order_of_arrival_is_irrelevant(data: st.DataObject, basis: Basis) -> None:
    ledger = data.draw(ledgers)
    arrived = data.draw(st.permutations(ledger))
    assert folded_now(arrived, basis) == folded_now(ledger, basis)


@given(ledgers, st.sampled_from(Basis))
def test_an_older_general_request_never_changes_a_cell_that_has_a_newer_one(
    ledger: list[Choice], basis: Basis
) -> None:
    before = folded_now(ledger, basis)
    old = replace(GENERAL_OUT, requested_at=NOW - timedelta(days=400))
    after = folded_now([*ledger, old], basis)
    assert after.requested == before.requested
    assert after.refused & before.refused == before.refused


@given(ledgers, st.sampled_from(Basis), st.data())
def test_the_decisive_choice_is_the_one_that_the_rule_names(
    ledger: list[Choice], basis: Basis, data: st.DataObject
) -> None:
    category = data.draw(st.sampled_from(sorted(SHARE_BITS)))
    expected = model(ledger, THIS_PARTNER, Purpose.PARTNER_OFFERS, basis, category)
    found = decisive(
        ledger, partner_id=THIS_PARTNER, purpose=Purpose.PARTNER_OFFERS, basis=basis, category=category
    )
    if found is not None and found.ends_at is not None:
        assert expected in {Direction.IN, None}, "the request that won, whatever it still asks for"
    else:
        assert (found and found.direction) == expected


@given(ledgers, choices)
def test_a_refusal_of_which_nothing_new_is_told_refuses_nothing_anywhere(
    ledger: list[Choice], choice: Choice
) -> None:
    refusal = replace(choice, direction=Direction.OUT, ends_at=None)
    after = Ledger([*ledger, refusal])
    if not may_change(Ledger(ledger), refusal):
        for partner, purpose, basis in product((THIS_PARTNER, OTHER_PARTNER), Purpose, Basis):
            cell = {"partner_id": partner, "purpose": purpose, "basis": basis, "now": NOW}
            assert fold(after, **cell) == fold(ledger, **cell)  # type: ignore[arg-type]
    assert not may_change(after, refusal), "said again, it is no news"


def test_a_refusal_of_what_is_shared_is_always_news() -> None:
    narrow = replace(GENERAL_OUT, partner_id=THIS_PARTNER, categories=frozenset({DataCategory.EMAIL}))
    earlier = replace(narrow, direction=Direction.IN, requested_at=NOW - timedelta(days=1))
    assert may_change(Ledger(()), GENERAL_OUT)
    assert may_change(Ledger([narrow]), GENERAL_OUT)
    assert may_change(Ledger([replace(GENERAL_OUT, basis=Basis.MARKETING)]), narrow)
    assert may_change(Ledger([replace(GENERAL_OUT, requested_at=NOW - timedelta(days=2)), earlier]), narrow)
    assert not may_change(Ledger([GENERAL_OUT, earlier]), narrow)


def test_no_choices_fold_to_no_choices() -> None:
    assert folded_now([], Basis.STRATEGIC) is NO_CHOICES


@pytest.mark.parametrize("basis", sorted(BASES_WITHOUT_CHOICE))
def test_choices_do_not_touch_the_law_or_an_insolvency(basis: Basis) -> None:
    assert folded_now([GENERAL_OUT], basis) is NO_CHOICES


def test_a_sealed_category_in_a_choice_covers_nothing() -> None:
    choice = replace(GENERAL_OUT, categories=frozenset({DataCategory.PHONE_NUMBER}))
    assert choice.mask == 0


def test_a_choice_without_selectors_covers_everything() -> None:
    assert GENERAL_OUT.mask == mask_of(SHAREABLE)


def test_a_request_date_comes_back_in_utc() -> None:
    past = (NOW - timedelta(days=1)).astimezone(timezone(timedelta(hours=5)))
    accepted = validate_request_date(past, NOW)
    assert accepted == past
    assert accepted.tzinfo is UTC


@pytest.mark.clause("C11")
def test_a_date_ahead_within_the_tolerance_counts_as_now_and_wins_over_nothing_later() -> None:
    assert validate_request_date(NOW + CLOCK_TOLERANCE, NOW) == NOW


def test_a_request_date_in_the_future_is_refused() -> None:
    with pytest.raises(InputError, match="future"):
        validate_request_date(NOW + CLOCK_TOLERANCE + timedelta(microseconds=1), NOW)


def test_a_date_without_a_time_zone_is_refused() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what the test is about
    with pytest.raises(InputError, match="time zone"):
        validate_request_date(naive, NOW)
    with pytest.raises(InputError, match="time zone"):
        replace(GENERAL_OUT, requested_at=naive)
