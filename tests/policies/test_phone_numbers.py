from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.phone_numbers import read_phone_number


@pytest.mark.parametrize(
    ("written", "country", "read"),
    [
        ("(415) 555-2671", "US", "+14155552671"),
        ("+1 415 555 2671", None, "+14155552671"),
        ("030 901820", "DE", "+4930901820"),
        ("+39 06 6982", "US", "+39066982"),
    ],
)
def test_a_number_is_read_as_its_country_writes_it(written: str, country: str | None, read: str) -> None:
    assert read_phone_number(written, country) == read


@pytest.mark.parametrize(
    ("written", "country"),
    [("(415) 555-2671", None), ("555-2671", "US"), ("+1 999 555 2671", "US"), ("", "US"), ("call me", "US")],
)
def test_what_no_plan_has_is_no_number(written: str, country: str | None) -> None:
    assert read_phone_number(written, country) is None


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    read_phone_number(text, "US")
