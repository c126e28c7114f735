from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.card_numbers import has_card_number


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424242",
        "4242-4242-4242-4242",
        "5555 5555 5555 4444",
        "378282246310005",
        "x6011111111111117y",
    ],
)
def test_full_card_numbers_are_seen(text: str) -> None:
    assert has_card_number(text)


@pytest.mark.parametrize(
    "text", ["4242", "4242424242424241", "7890123456001", "+442079460958", "1111111111111111"]
)
def test_other_figures_are_no_card_numbers(text: str) -> None:
    assert not has_card_number(text)


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    has_card_number(text)
