"""The arithmetic of quotas: windows, leases, and what a partner is told. Pure; the clock is passed in.

Windows are fixed and the same for everybody: minutes and days of UTC. Out of a window's count, which all
replicas share, each takes a *lease*: a block of permits that it spends by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schema.vocabulary import QuotaUnit

WINDOWS: Final[Mapping[QuotaUnit, timedelta]] = MappingProxyType(
    {QuotaUnit.REQUESTS: timedelta(minutes=1), QuotaUnit.MEMBERS: timedelta(days=1)}
)

LEASES_IN_A_LIMIT: Final = 100
"""No lease is larger than this part of the limit: what lies unused at one replica while another has to
refuse is at most a hundredth of the limit."""

LEASE_SECONDS: Final = 1.0
"""After this long what a replica has not used of a lease goes back."""


class QuotaHolder(StrEnum):
    """Whose count it is: that of the agreement, with all its clients, or that of one client."""

    AGREEMENT = "AGREEMENT"
    CLIENT = "CLIENT"


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of one quota. `remaining` is never negative; `resets_at` is when it is `limit` again."""

    unit: QuotaUnit
    holder: QuotaHolder
    limit: int
    remaining: int
    resets_at: datetime


def window_start(unit: QuotaUnit, now: datetime) -> datetime:
    """When the window began in which `now` is."""
    moment = now.astimezone(UTC)
    match unit:
        case QuotaUnit.REQUESTS:
            return moment.replace(second=0, microsecond=0)
        case QuotaUnit.MEMBERS:
            return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def largest_lease(limit: int) -> int:
    """The most permits that one replica takes at once; at a small limit, one."""
    return max(1, limit // LEASES_IN_A_LIMIT)


def next_lease(previous: int, needed: int, lasted: float, limit: int) -> int:
    """How many permits to take after a lease of `previous` that lasted so many seconds.

    Twice as many if it was used up within its time, half as many if not: so that a busy replica asks
    about once in `LEASE_SECONDS`, and an idle one holds little.
    """
    wanted = max(previous, needed) * 2 if lasted < LEASE_SECONDS else previous // 2
    return max(1, min(wanted, largest_lease(limit)))


def seconds_until(moment: float, now: float) -> int:
    """Whole seconds until `moment` (both in Unix seconds), at least one: waiting that long is enough."""
    return max(1, math.ceil(moment - now))
