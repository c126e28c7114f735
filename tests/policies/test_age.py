from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.age import AGE_BANDS, age_on, band, is_protected
from schema.vocabulary import AgeBand

pytestmark = pytest.mark.clause("C17")


@pytest.mark.parametrize(
    ("birth_date", "today", "protected"),
    [
        (date(2008, 6, 2), date(2026, 6, 1), True),
        (date(2008, 6, 1), date(2026, 6, 1), False),
        (date(2008, 2, 29), date(2026, 2, 28), True),
        (date(2008, 2, 29), date(2026, 3, 1), False),
        (date(2006, 2, 28), date(2024, 2, 28), False),
        (date(2030, 1, 1), date(2026, 6, 1), True),
    ],
)
def test_a_member_is_protected_until_the_eighteenth_birthday(
    birth_date: date, today: date, protected: bool
) -> None:
    assert is_protected(birth_date, today) is protected


def test_an_unknown_birth_date_is_protected() -> None:
    assert is_protected(None, date(2026, 6, 1))
    assert band(None, date(2026, 6, 1)) is None


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, None),
        (17, None),
        (18, AgeBand.AGE_18_24),
        (24, AgeBand.AGE_18_24),
        (25, AgeBand.AGE_25_34),
        (34, AgeBand.AGE_25_34),
        (35, AgeBand.AGE_35_44),
        (45, AgeBand.AGE_45_54),
        (55, AgeBand.AGE_55_64),
        (64, AgeBand.AGE_55_64),
        (65, AgeBand.AGE_65_PLUS),
        (120, AgeBand.AGE_65_PLUS),
    ],
)
def test_bands_begin_and_end_where_their_names_say(age: int, expected: AgeBand | None) -> None:
    assert band(date(2026 - age, 6, 1), date(2026, 6, 1)) is expected


@given(st.dates(), st.dates())
def test_a_member_has_a_band_exactly_when_not_protected(birth_date: date, today: date) -> None:
    assert (band(birth_date, today) is None) == is_protected(birth_date, today)


@given(st.dates(max_value=date(9000, 1, 1)), st.integers(0, 365_000))
def test_ages_never_fall_as_days_pass(birth_date: date, days: int) -> None:
    today = birth_date + timedelta(days=days)
    assert 0 <= age_on(birth_date, today) <= age_on(birth_date, today + timedelta(days=1))


def test_every_band_has_one_boundary_and_none_is_under_age() -> None:
    assert [name for _, name in AGE_BANDS] == list(AgeBand)
    assert [first for first, _ in AGE_BANDS] == sorted({first for first, _ in AGE_BANDS})
    assert AGE_BANDS[0][0] == 18
