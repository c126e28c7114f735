"""From what was measured to what is told: medians, spread, ratios, targets. Pure.

In: the rounds of each contestant, interleaved, so that round 3 of one ran beside round 3 of all others.
Out: figures. A ratio is taken round by round, and the median of those is told: what the machine did besides
hit both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from statistics import median
from types import MappingProxyType
from typing import Any, Final

MICRO: Final = 1e6


@dataclass(frozen=True, slots=True)
class Round:
    """One contestant, one workload, a few seconds. Processor time in microseconds a request."""

    rate: float
    p50: float
    p99: float
    server: float
    database: float
    size: float


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the least and the most."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Figures:
    """One contestant in one workload."""

    rate: Spread
    p50: Spread
    p99: Spread
    server: Spread
    database: Spread
    size: float
    memory: float
    """Megabytes at the end of the workload."""

    @classmethod
    def of(cls, rounds: Sequence[Round], memory: float) -> Figures:
        """Of all rounds of a workload."""
        return cls(
            Spread.of([one.rate for one in rounds]),
            Spread.of([one.p50 for one in rounds]),
            Spread.of([one.p99 for one in rounds]),
            Spread.of([one.server for one in rounds]),
            Spread.of([one.database for one in rounds]),
            median(one.size for one in rounds),
            memory,
        )


@dataclass(frozen=True, slots=True)
class Ratio:
    """How a contestant stands to another: by throughput, and by the processor time of its server.

    Above 1 is better in both: `processor` is the time of the other by that of the one.
    """

    rate: Spread
    processor: Spread


def ratio(one: Sequence[Round], other: Sequence[Round]) -> Ratio:
    """Round by round. There are as many of both."""
    pairs = list(zip(one, other, strict=True))
    return Ratio(
        Spread.of([mine.rate / theirs.rate for mine, theirs in pairs]),
        # psql, and whatever was too short for the clock of processor time, has used none.
        Spread.of([theirs.server / mine.server if mine.server else 0.0 for mine, theirs in pairs]),
    )


def best(rounds: Mapping[str, Sequence[Round]], among: Sequence[str]) -> str | None:
    """Which of `among` has the highest median rate; None if none took part."""
    taking = [name for name in among if rounds.get(name)]
    return max(taking, key=lambda name: median(one.rate for one in rounds[name]), default=None)


class Verdict(StrEnum):
    """Of a target. CLOSE: the median misses it by a twentieth at most."""

    MET = "met"
    CLOSE = "close"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Target:
    """What `contestant` shall reach in `workload`, as a ratio to `against` (`peer`: the best of them)."""

    workload: str
    contestant: str
    against: str
    at_least: float


PEER: Final = "peer"
LIMIT: Final = "limit"
COPY: Final = "copy"

TARGETS: Final = (
    Target("profile", "gateway", LIMIT, 0.85),
    Target("profile", "gateway", PEER, 2.0),
    Target("page-50", "gateway-unlogged", LIMIT, 0.90),
    Target("page-50", "gateway-unlogged", PEER, 1.5),
    Target("page-50", "gateway", LIMIT, 0.75),
    Target("page-50", "gateway", PEER, 1.2),
    Target("page-500", "gateway", LIMIT, 0.90),
    Target("page-500", "gateway", PEER, 1.1),
    Target("correction", "gateway", LIMIT, 0.80),
    Target("correction", "gateway", PEER, 1.1),
    Target("bulk", "gateway", COPY, 0.5),
)

CLOSE: Final = 0.95
"""Of a target."""

TAIL: Final = 3.0
"""p99 is at most this many times p50, at 16 connections."""

MEMORY: Final = 100.0
"""Megabytes a process."""


def verdict(reached: Spread, at_least: float) -> Verdict:
    """Whether a ratio reaches its target."""
    if reached.middle >= at_least:
        return Verdict.MET
    return Verdict.CLOSE if reached.middle >= at_least * CLOSE else Verdict.MISSED


@dataclass(frozen=True, slots=True)
class Reached:
    """A target, and what came of it. `against` is the contestant that it came to be measured by."""

    target: Target
    against: str
    ratio: Ratio
    verdict: Verdict


def reached(
    rounds: Mapping[str, Mapping[str, Sequence[Round]]],
    peers: Sequence[str],
    targets: Sequence[Target] = TARGETS,
) -> Sequence[Reached]:
    """Each target whose contestants ran. `rounds` is by workload, then by contestant."""
    found = []
    for target in targets:
        ran = rounds.get(target.workload, MappingProxyType({}))
        against = best(ran, peers) if target.against == PEER else target.against
        if against is None or not ran.get(against) or not ran.get(target.contestant):
            continue
        stands = ratio(ran[target.contestant], ran[against])
        found.append(Reached(target, against, stands, verdict(stands.rate, target.at_least)))
    return found


def plain(value: Any) -> Any:
    """A frozen record as what JSON can hold."""
    return asdict(value)
