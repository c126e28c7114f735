"""Medians, ratios and targets."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.figures import PEER, Round, Spread, Target, Verdict, best, ratio, reached, verdict
from benchmarks.replicas import Compared, Turn
from benchmarks.replicas import told as told_replicas


def rounds(*rates: float, server: float = 100.0) -> Sequence[Round]:
    return [Round(rate, 1.0, 2.0, server, 50.0, 10.0) for rate in rates]


def test_a_ratio_is_taken_round_by_round() -> None:
    # The machine was slow in the second round for both: the medians alone would say 1.5.
    found = ratio(rounds(200, 20, 300), rounds(100, 10, 200))
    assert found.rate == Spread(2.0, 1.5, 2.0)


def test_processor_time_counts_the_other_way_round() -> None:
    assert ratio(rounds(1, server=50), rounds(1, server=100)).processor.middle == 2.0


def test_ratios_need_as_many_rounds_of_both() -> None:
    with pytest.raises(ValueError, match="longer"):
        ratio(rounds(1), rounds(1, 2))


@pytest.mark.parametrize(
    ("spread", "expected"),
    [
        (Spread(0.9, 0.8, 1.0), Verdict.MET),
        (Spread(0.84, 0.8, 0.9), Verdict.CLOSE),
        (Spread(0.8, 0.7, 3.0), Verdict.MISSED),
    ],
)
def test_a_target_is_met_by_the_median(spread: Spread, expected: Verdict) -> None:
    assert verdict(spread, 0.85) is expected


def test_the_best_peer_is_the_fastest_of_those_that_took_part() -> None:
    ran = {"slow": rounds(1, 9, 1), "fast": rounds(2, 2, 2), "gateway": rounds(9, 9, 9)}
    assert best(ran, ["slow", "fast", "absent"]) == "fast"
    assert best(ran, ["absent"]) is None


def test_targets_are_told_of_what_ran_only() -> None:
    targets = [
        Target("profile", "gateway", "limit", 0.85),
        Target("profile", "gateway", PEER, 2.0),
        Target("page-50", "gateway", "limit", 0.75),
    ]
    ran = {"profile": {"gateway": rounds(90), "limit": rounds(100), "other": rounds(40)}}
    found = reached(ran, ["other"], targets)
    assert [(one.against, one.ratio.rate.middle, one.verdict) for one in found] == [
        ("limit", 0.9, Verdict.MET),
        ("other", 2.25, Verdict.MET),
    ]
    assert len(reached(ran, [], targets)) == 1


def test_a_second_gateway_is_judged_by_what_a_request_costs_where_two_share_a_core() -> None:
    alone = [Turn(1_000, 100, 50), Turn(900, 120, 50)]
    both = [Turn(990, 100, 55), Turn(900, 150, 50)]
    compared = Compared(alone, both)
    assert compared.by_processor == Spread(1.8, 1.6, 2.0)
    assert compared.by_rate.most == 1.0
    table = told_replicas({"profile": compared})
    assert "| profile | 950, 110, 50 | 945, 125, 52 |" in table
    assert "1.80 (1.60 to 2.00) | met |" in table
