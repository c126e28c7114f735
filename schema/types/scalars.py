"""What instants are read from, wherever a caller gives one.

Only values that every later step can carry come through: PostgreSQL and Python disagree about the years 0
and 10,000, and about texts without a zone. The text itself is in no error (gateway/wording.py).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import strawberry

LONGEST_INSTANT: Final = 40
"""Characters: `2025-06-01T12:00:00.000000+14:00` has 32."""


def read_instant(value: Any) -> datetime:
    """The instant in an ISO 8601 text, in UTC; a text without a zone is UTC already.

    Raises:
        ValueError: it is none, or in UTC it lies outside of the years 1 to 9999.
    """
    if not isinstance(value, str) or len(value) > LONGEST_INSTANT:
        raise ValueError("not an instant in ISO 8601")
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        return parsed.replace(tzinfo=UTC)
    try:
        return parsed.astimezone(UTC)
    except OverflowError:
        raise ValueError("not an instant between the years 1 and 9999") from None


def write_instant(value: datetime) -> str:
    """The instant in ISO 8601, in UTC with `Z`: as projections write it (`gateway.answers.encode`)."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


INSTANT: Final = strawberry.scalar(
    name="DateTime",
    description="An instant: ISO 8601 with its zone; without one it is in UTC.",
    serialize=write_instant,
    parse_value=read_instant,
)
