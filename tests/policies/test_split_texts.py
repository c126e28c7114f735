from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import free_text
from policies.split_texts import find_split_number

SPLIT = [
    (["415 555", "0132"], "US"),
    (["Jane 415-555", "0132 Doe"], "US"),
    (["415", "555", "0132"], "US"),
    (["+1 415", "555 0132"], None),
    (["(415)", None, "5550132"], "US"),
    (["call 415 555", "", "0132"], "US"),
    (["chess", "415555", "0132", "go"], "US"),
    (["020 7946", "0958"], "GB"),
    (["030 2312", "5000"], "DE"),
    (["4l5 555", "O132"], "US"),
    (["４１５", "５５５０１３２"], "US"),
]
TOGETHER = [
    (["Ada", "Lovelace"], "US"),
    (["Hauptstraße 30", "10115 Berlin"], "DE"),
    (["12 rue de Rivoli", "75008"], "FR"),
    (["12345 Main St", "90210-1234"], "US"),
    (["350 5th Ave Fl 21", "10118-2100"], "US"),
    (["Flat 4", "221B Baker Street", "SW1A 1AA"], "GB"),
    (["1980s music", "12 string guitar", "4x4"], "US"),
    (["PO Box 1234567", "12345"], "US"),
    (["Unit 12", "2000"], "AU"),
    (["3 Main St 100", "20001"], "US"),
    ([None, None], "US"),
    ([], None),
]


@pytest.mark.clause("R1")
@pytest.mark.parametrize(("texts", "region"), SPLIT)
def test_finds_a_number_that_goes_on_in_the_next_text(texts: list[str | None], region: str | None) -> None:
    assert find_split_number(texts, region=region)


@pytest.mark.parametrize(("texts", "region"), TOGETHER)
def test_leaves_believable_neighbours_alone(texts: list[str | None], region: str | None) -> None:
    assert not find_split_number(texts, region=region)


@given(
    house=st.integers(1, 999),
    code=st.integers(1_000, 99_999),
    region=st.sampled_from(("US", "DE", "FR", "SE")),
)
def test_a_house_number_before_a_postal_code_is_no_number(house: int, code: int, region: str) -> None:
    assert not find_split_number([f"Main {house}", f"{code:05d} Town"], region=region)


@given(st.lists(st.one_of(st.none(), st.text()), max_size=5))
def test_reads_any_texts_without_an_error(texts: list[str | None]) -> None:
    assert find_split_number(texts, region="US") in {True, False}


@pytest.mark.parametrize(
    "texts",
    [
        ["1"] * 2_000,
        ["a 1 b"] * 800,
        ["12 a", "b 3"] * 400,
        ["1" * 3_999 + "a", "2" * 4_000],
        list("17" * 999),
    ],
)
def test_long_texts_of_figures_cost_few_judgements(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor may send them, and everybody else waits: judgements are counted, not seconds."""
    judged = 0

    def counting(*arguments: Any) -> bool:
        nonlocal judged
        judged += 1
        return is_number(*arguments)

    is_number = free_text._is_number
    monkeypatch.setattr(free_text, "_is_number", counting)
    find_split_number(texts, region="US")
    assert judged <= free_text.MOST_CANDIDATES


def test_a_page_of_figures_counts_as_a_number() -> None:
    """What is too long to be judged whole is not let through."""
    figures = [f"{number:08}" for number in range(1_000, 90_000_000, 300_007)]
    assert find_split_number(figures, region="DE")
    assert free_text.find_phone_number("x ".join(figures), region="DE")


def test_a_number_behind_many_groups_of_digits_is_found() -> None:
    assert free_text.find_phone_number(f"{'1 ' * 100}, call 415-555-2671", region="US")
    assert free_text.find_phone_number(f"{'1 ' * 100}415-555-2671", region="US")
