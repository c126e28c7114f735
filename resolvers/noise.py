"""The noise on counts, by OpenDP: the only module that draws any.

In: exact counts, how much one member can change them, and the loss that is paid. Out: counts with discrete
Laplace noise. The exact counts are not kept, logged or put into an error.

INVARIANT (noise-as-stated): what is drawn is a measurement whose privacy map, as OpenDP computes it, is at
most the loss that was paid. The map is asked before the counts are looked at.

OpenDP takes 12 MB and is loaded by the first count: a process that answers none does without.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from policies.audience_answer import NoisyCounts
from policies.privacy_budget import Thousandths, epsilon_of
from schema.errors import GatewayError

if TYPE_CHECKING:
    from opendp.mod import Measurement

MISSED: Final = 0.05
"""A count is farther from the true one than `bound` in one of twenty cases."""

_ROUNDINGS: Final = 4
"""By so many units in the last place a scale is raised at most, until OpenDP's map says what was meant."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A measurement over vectors of counts. `bound` is of one count, with 95 % confidence."""

    measurement: Measurement
    scale: float
    bound: int


@lru_cache(maxsize=256)
def mechanism(sensitivity: int, paid: Thousandths) -> Mechanism:
    """The discrete Laplace mechanism that loses at most `paid` where one member changes so much (L1).

    CLAUSE (C5): every count that leaves has discrete noise on it, so that no one person's presence can be
    told.

    Raises:
        GatewayError: by OpenDP's map it loses more: then nothing is drawn.
    """
    stated = epsilon_of(paid)
    scale = sensitivity / stated
    for _ in range(_ROUNDINGS):
        measurement = _laplace(scale)
        if measurement.check(sensitivity, stated):
            break
        scale = math.nextafter(scale, math.inf)  # the division was rounded down
    else:
        raise GatewayError("the mechanism loses more than is paid for")
    bound = math.ceil(_opendp().discrete_laplacian_scale_to_accuracy(scale, MISSED))
    return Mechanism(measurement, scale, bound)


def add_noise(
    groups: Sequence[int], members: int | None, *, sensitivity: int, paid: Thousandths
) -> NoisyCounts:
    """The counts with noise on, drawn together: one release. `members` is None where it is not counted."""
    drawn = mechanism(sensitivity, paid)
    apart = [] if members is None else [members]
    noisy = drawn.measurement([*groups, *apart])
    counted = noisy[len(groups)] if apart else None
    return NoisyCounts(tuple(noisy[: len(groups)]), counted, drawn.bound)


@cache
def _opendp() -> Any:
    """OpenDP's prelude, with what has not passed its own vetting in full, which is nearly all of it.

    `make_laplace` has a published proof; tests/resolvers/test_noise.py measures what it does.
    """
    import opendp.prelude as dp  # noqa: PLC0415 - few processes need it

    dp.enable_features("contrib")
    return dp


def _laplace(scale: float) -> Measurement:
    dp = _opendp()
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    measurement: Measurement = dp.m.make_laplace(*space, scale=scale)
    return measurement
