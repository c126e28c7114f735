from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from policies.privacy_budget import (
    PrivacyBudget,
    Thousandths,
    begins_at,
    epsilon_of,
    loss,
    month_after,
    period_of,
    thousandths,
)
from schema.errors import InputError


def test_losses_are_exact() -> None:
    assert sum(loss(0.1) for _ in range(10)) == 1_000
    assert [loss(epsilon) for epsilon in (0.01, 0.1, 0.3, 0.999, 1, 1.0)] == [10, 100, 300, 999, 1000, 1000]
    assert epsilon_of(123) == 0.123
    assert thousandths(12.5) == 12_500
    assert thousandths(0.0001) is None


@pytest.mark.parametrize("epsilon", [0, -0.1, 0.009, 1.001, 0.1234, math.nan, math.inf, 1e300])
def test_another_loss_is_refused(epsilon: float) -> None:
    with pytest.raises(InputError, match="`epsilon`"):
        loss(epsilon)


def test_a_period_is_a_month_of_utc() -> None:
    east = timezone(timedelta(hours=9))
    assert period_of(datetime(2027, 1, 1, 8, tzinfo=east)) == date(2026, 12, 1)
    assert month_after(date(2026, 12, 1)) == date(2027, 1, 1)
    assert month_after(date(2026, 2, 1), -14) == date(2024, 12, 1)
    assert begins_at(date(2026, 12, 1)) == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_budget_that_was_lowered_has_nothing_left() -> None:
    assert PrivacyBudget(Thousandths(100), Thousandths(300), begins_at(date(2026, 12, 1))).left == 0
