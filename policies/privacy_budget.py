"""The arithmetic of privacy budgets: losses, budgets, and the periods that they are of. Pure; exact.

A loss is the epsilon of pure differential privacy, counted in whole thousandths: sums do not drift, and what
is spent of a budget is exactly the sum of what was released. Under basic composition the losses of all
answers, to whomever they went, add up; nothing here assumes that it is less.

A period is a calendar month of UTC, named by its first day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, NewType

from schema.errors import InputError

Thousandths = NewType("Thousandths", int)
"""Thousandths of epsilon."""

UNIT: Final = 1_000
SMALLEST: Final = Thousandths(10)
"""0.01: below it the noise of one count exceeds every group that there is."""
LARGEST: Final = Thousandths(1_000)
"""1: the most that one answer may tell of anybody."""

MOST_BUDGET: Final = Thousandths(10_000)
"""10, in a month: a larger sum of losses promises nothing worth the name."""

_EXACT: Final = 1e-9
"""A decimal with three places, as a float, is that near to its thousandths."""


@dataclass(frozen=True, slots=True)
class PrivacyBudget:
    """What one recipient may learn in a period, and what it has. `resets_at` is when the next one begins."""

    allowed: Thousandths
    spent: Thousandths
    resets_at: datetime

    @property
    def left(self) -> Thousandths:
        """Never negative: a budget may have been lowered below what was spent."""
        return Thousandths(max(0, self.allowed - self.spent))


def loss(epsilon: float) -> Thousandths:
    """The loss that a caller asks for.

    Raises:
        InputError: it is not between 0.01 and 1 in steps of 0.001.
    """
    found = thousandths(epsilon)
    if found is not None and SMALLEST <= found <= LARGEST:
        return found
    raise InputError("`epsilon`: between 0.01 and 1, with at most three decimal places")


def thousandths(epsilon: float) -> Thousandths | None:
    """A number in thousandths; None if it is none of at most three decimal places."""
    scaled = epsilon * UNIT
    if not math.isfinite(scaled) or abs(scaled - round(scaled)) > _EXACT * UNIT:
        return None
    return Thousandths(round(scaled))


def epsilon_of(spent: int) -> float:
    """The number that people read."""
    return spent / UNIT


def period_of(now: datetime) -> date:
    """The period in which `now` is."""
    return now.astimezone(UTC).date().replace(day=1)


def month_after(month: date, months: int = 1) -> date:
    """The first day of the month so many months later; earlier, if negative."""
    years, index = divmod(month.month - 1 + months, 12)
    return date(month.year + years, index + 1, 1)


def begins_at(month: date) -> datetime:
    """The first moment of the month."""
    return datetime(month.year, month.month, 1, tzinfo=UTC)
