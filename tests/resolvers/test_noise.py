"""The stated guarantee, measured: neighbouring databases through everything that is done to counts."""

from __future__ import annotations

from collections.abc import Sequence

import opendp.prelude as dp
import pytest

import resolvers.noise
from policies.audience_answer import present
from policies.privacy_budget import LARGEST, SMALLEST, Thousandths, epsilon_of
from resolvers.noise import add_noise, mechanism
from schema.errors import GatewayError
from tests.guarantee import Event, broken_promises

HALF = Thousandths(500)
MINIMUM = 50
CELLS = 2_000
"""Groups of one release, all alike: as many draws at once."""
ROUNDS = 12


def shown(count: int, *, paid: Thousandths = HALF) -> list[int | None]:
    """What is shown of a group of that size, drawn anew each time."""
    found: list[int | None] = []
    for _ in range(ROUNDS):
        noisy = add_noise([count] * CELLS, None, sensitivity=1, paid=paid)
        found += present(noisy, MINIMUM).groups
    return found


def events(around: int) -> dict[str, Event]:
    """Every count near that one, everything above each, and that nothing is shown."""

    def equals(wanted: int | None) -> Event:
        return lambda drawn: drawn == wanted

    def above(least: int) -> Event:
        return lambda drawn: drawn is not None and drawn >= least

    near = range(around - 4, around + 8)
    return {
        "hidden": equals(None),
        **{f"is {count}": equals(count) for count in near},
        **{f"from {count}": above(count) for count in near},
    }


EDGE = MINIMUM + mechanism(1, HALF).bound
"""The noisy count from which a group is shown."""


@pytest.mark.clause("C5")
@pytest.mark.parametrize("size", [EDGE - 1, EDGE, 1_000])
def test_one_member_more_changes_no_answer_by_more_than_the_stated_epsilon(size: int) -> None:
    assert broken_promises(shown(size), shown(size + 1), events(size), epsilon_of(HALF)) == []


def test_half_the_noise_is_found_out() -> None:
    """The same test of what loses twice as much as it says."""
    twice = Thousandths(2 * HALF)
    here, there = shown(1_000, paid=twice), shown(1_001, paid=twice)
    assert broken_promises(here, there, events(1_000), epsilon_of(HALF)) != []


def triples(counts: Sequence[int], *, sensitivity: int) -> list[tuple[int, ...]]:
    """Two interests and the number of members, as one member changes all three."""
    found: list[tuple[int, ...]] = []
    for _ in range(ROUNDS // 3):
        drawn = add_noise([*counts] * CELLS, None, sensitivity=sensitivity, paid=HALF).groups
        found += zip(drawn[::3], drawn[1::3], drawn[2::3], strict=True)
    return found


def together(least: Sequence[int]) -> dict[str, Event]:
    def reached(shift: int) -> Event:
        return lambda drawn: all(one >= two + shift for one, two in zip(drawn, least, strict=True))

    return {f"all from {shift}": reached(shift) for shift in range(-3, 8)}


@pytest.mark.clause("C5")
def test_a_member_in_several_groups_is_protected_in_all_of_them_together() -> None:
    before, after = (80, 90, 200), (81, 91, 201)
    here, there = triples(before, sensitivity=3), triples(after, sensitivity=3)
    assert broken_promises(here, there, together(after), epsilon_of(HALF)) == []
    here, there = triples(before, sensitivity=1), triples(after, sensitivity=1)
    assert broken_promises(here, there, together(after), epsilon_of(HALF)) != []


@pytest.mark.parametrize("sensitivity", [1, 3, 4, 11])
def test_opendp_s_own_map_is_never_above_what_is_paid(sensitivity: int) -> None:
    for paid in {SMALLEST, LARGEST, *range(SMALLEST, LARGEST, 97)}:
        stated = epsilon_of(paid)
        drawn = mechanism(sensitivity, Thousandths(paid))
        assert drawn.measurement.check(sensitivity, stated)
        assert not drawn.measurement.check(sensitivity, stated * 0.999)  # and no noise is wasted


def test_the_ledger_s_sum_is_what_opendp_s_composition_says() -> None:
    paid = [Thousandths(one) for one in (100, 100, 50, 300, 10, 440)]
    composed = dp.c.make_composition([mechanism(1, one).measurement for one in paid])
    assert composed.check(1, epsilon_of(sum(paid)) + 1e-9)
    assert not composed.check(1, epsilon_of(sum(paid)) - 1e-9)


def test_what_loses_more_than_is_paid_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = resolvers.noise._laplace
    monkeypatch.setattr(resolvers.noise, "_laplace", lambda scale: honest(scale / 2))
    with pytest.raises(GatewayError):
        add_noise([100], None, sensitivity=1, paid=Thousandths(123))


def test_counts_are_within_the_bound_19_times_of_20() -> None:
    noisy = add_noise([1_000] * 4_000, 7, sensitivity=1, paid=Thousandths(100))
    assert noisy.bound == 31
    missed = sum(abs(count - 1_000) > noisy.bound for count in noisy.groups)
    assert missed < 4_000 * 0.05 * 1.5
    assert noisy.members is not None
    assert abs(noisy.members - 7) < 400
    assert len(set(noisy.groups)) > 50
