from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.answers import encode
from resolvers.queries import full_schema
from schema.types.scalars import read_instant, write_instant

INSTANTS = {
    "2025-06-01T12:00:00Z": datetime(2025, 6, 1, 12, tzinfo=UTC),
    "2025-06-01T12:00:00+02:00": datetime(2025, 6, 1, 10, tzinfo=UTC),
    "2025-06-01T12:00:00": datetime(2025, 6, 1, 12, tzinfo=UTC),
    "2025-06-01": datetime(2025, 6, 1, tzinfo=UTC),
    "9999-12-31T23:59:59.999999Z": datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
}
NONE: list[Any] = [
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "10000-01-01T00:00:00Z",
    "-0044-03-15T00:00:00Z", "0000-01-01T00:00:00Z", "infinity", "-infinity", "now", "", "2025-02-30",
    "2025-06-01T12:00:00" + "0" * 100, 0, 1e308, True, None, [],
]  # fmt: skip


@pytest.mark.parametrize("text", INSTANTS)
def test_an_instant_is_read_in_utc(text: str) -> None:
    assert read_instant(text) == INSTANTS[text]
    assert read_instant(text).tzinfo is UTC


@pytest.mark.parametrize("value", NONE)
def test_what_the_database_could_not_hold_is_no_instant(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - graphql-core makes the error of it
        read_instant(value)


@given(st.text())
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert read_instant(text).tzinfo is UTC


def test_the_schema_reads_instants_so() -> None:
    scalar: Any = full_schema().type_map["DateTime"]

    with pytest.raises(ValueError, match="between"):
        scalar.parse_value("0001-01-01T00:00:00+14:00")


def test_an_instant_is_written_as_projections_write_it() -> None:
    for moment in (
        datetime(2026, 11, 24, 3, 4, 5, 678, tzinfo=UTC),
        datetime(2026, 11, 24, tzinfo=UTC),
        datetime(2026, 11, 24, 5, tzinfo=timezone(timedelta(hours=2))),
    ):
        assert f'"{write_instant(moment)}"'.encode() == encode(moment.astimezone(UTC))
