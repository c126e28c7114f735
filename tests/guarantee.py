"""Whether draws from two neighbouring worlds keep a stated epsilon, with a bounded chance of a false alarm.

For each event the probability in either world is bounded from its frequency (Chernoff's bound in its
Kullback-Leibler form, which holds for every number of draws). A mechanism that keeps its promise is found
guilty with a probability below `FALSE_ALARM`, whatever the number of events.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final

FALSE_ALARM: Final = 1e-9
_STEPS: Final = 60
"""Of bisection: to the last digit of a float."""

Event = Callable[[Any], bool]


def broken_promises(
    here: Sequence[Hashable], there: Sequence[Hashable], events: Mapping[str, Event], epsilon: float
) -> list[str]:
    """The events that are surely more than e^epsilon times as probable in one world as in the other."""
    doubt = math.log(4 * len(events) / FALSE_ALARM)
    found = []
    for name, event in events.items():
        counts = [sum(map(event, draws)) for draws in (here, there)]
        totals = [len(here), len(there)]
        lower = [_bound(count, total, doubt, up=False) for count, total in zip(counts, totals, strict=True)]
        upper = [_bound(count, total, doubt, up=True) for count, total in zip(counts, totals, strict=True)]
        if lower[0] > math.exp(epsilon) * upper[1] or lower[1] > math.exp(epsilon) * upper[0]:
            found.append(name)
    return found


def _bound(count: int, total: int, doubt: float, *, up: bool) -> float:
    """The farthest probability, up or down, from which so many would not be a surprise beyond `doubt`."""
    seen = count / total
    near, far = seen, 1.0 if up else 0.0
    for _ in range(_STEPS):
        middle = (near + far) / 2
        if total * _divergence(seen, middle) <= doubt:
            near = middle
        else:
            far = middle
    return far


def _divergence(seen: float, supposed: float) -> float:
    """Kullback and Leibler's, of two coins."""

    def part(left: float, right: float) -> float:
        if left == 0:
            return 0.0
        return math.inf if right <= 0 else left * math.log(left / right)

    return part(seen, supposed) + part(1 - seen, 1 - supposed)
