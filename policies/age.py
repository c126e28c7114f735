"""Ages and age bands, from a birth date and the day on which the question is asked.

Nothing here reads a clock: `today` is `age_date` of the caller's `now`. A birth date never leaves
this module except as a yes, a no or a band of ten years.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from schema.vocabulary import AgeBand

ADULT_AGE: Final = 18
"""C17: below it a member is shared on the LEGAL basis only. Not a setting."""

EARLIEST_BIRTH: Final = date(1895, 1, 1)
"""Nobody alive was born before."""

AGE_BANDS: Final[tuple[tuple[int, AgeBand], ...]] = (
    (ADULT_AGE, AgeBand.AGE_18_24),
    (25, AgeBand.AGE_25_34),
    (35, AgeBand.AGE_35_44),
    (45, AgeBand.AGE_45_54),
    (55, AgeBand.AGE_55_64),
    (65, AgeBand.AGE_65_PLUS),
)
"""The first age, in completed years, of each band; ascending. A band ends where the next begins."""


DAY_BEGINS: Final = timedelta(hours=12)
"""After midnight UTC a day has begun everywhere on Earth: UTC-12 is last."""


def age_on(birth_date: date, today: date) -> int:
    """Count the completed years on `today`; negative for a birth date in the future.

    Who was born on 29 February completes a year on 1 March of a year without that day: the later of
    the two customs, so that nobody counts as adult a day early.
    """
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    return today.year - birth_date.year - (not had_birthday)


def is_plausible(birth_date: date, today: date) -> bool:
    """Whether a living person may have been born on that day."""
    return EARLIEST_BIRTH <= birth_date <= today


def age_date(now: datetime) -> date:
    """The date by which ages are counted: it has begun everywhere on Earth.

    Nobody counts as adult while it is still the day before the birthday where they live (C17).
    """
    return (now.astimezone(UTC) - DAY_BEGINS).date()


def is_protected(birth_date: date | None, today: date) -> bool:
    """Tell whether C17 protects this member: under 18, or of unknown age, which fails closed.

    CLAUSE (C17): under 18 and unknown age are one answer, and it is a constant of the program.
    """
    return birth_date is None or age_on(birth_date, today) < ADULT_AGE


def band(birth_date: date | None, today: date) -> AgeBand | None:
    """Return the band that a partner may see, or None for whoever is protected."""
    if birth_date is None:
        return None
    age = age_on(birth_date, today)
    return next((name for first, name in reversed(AGE_BANDS) if age >= first), None)
