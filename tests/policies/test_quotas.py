from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from policies.quotas import LEASE_SECONDS, largest_lease, next_lease, seconds_until, window_start
from schema.vocabulary import QuotaUnit


def test_windows_are_minutes_and_days_of_utc() -> None:
    now = datetime(2026, 3, 29, 1, 30, 15, 9, tzinfo=timezone(timedelta(hours=2)))
    assert window_start(QuotaUnit.REQUESTS, now) == datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    assert window_start(QuotaUnit.MEMBERS, now) == datetime(2026, 3, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("previous", "needed", "lasted", "limit", "lease"),
    [
        (1, 1, 0.1, 10_000, 2),
        (64, 1, 0.1, 10_000, 100),
        (64, 1, LEASE_SECONDS, 10_000, 32),
        (1, 1, 60.0, 10_000, 1),
        (1, 500, 0.1, 10_000_000, 1_000),
        (1, 1, 0.1, 199, 1),
        (1, 1, 0.1, 0, 1),
    ],
)
def test_a_lease_grows_while_it_is_used_up_and_shrinks_when_not(
    previous: int, needed: int, lasted: float, limit: int, lease: int
) -> None:
    assert next_lease(previous, needed, lasted, limit) == lease
    assert lease <= largest_lease(limit)


def test_who_waits_as_long_as_told_finds_a_new_window() -> None:
    assert seconds_until(60.0, 47.9) == 13
    assert seconds_until(60.0, 60.0) == 1
