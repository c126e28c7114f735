"""What was measured as JSON and as Markdown. Pure: in come figures, out come texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.figures import COPY, LIMIT, MICRO, TAIL, Figures, Reached, Round, Verdict, best, plain, ratio

_HEAD: Final = (
    "| contestant | requests/s (least to most) | p50 ms | p99 ms | server us | database us | MB"
    " | of `limit` | of the best peer |"
)

Rounds = Mapping[str, Mapping[str, Sequence[Round]]]


def table(
    title: str, figures: Mapping[str, Figures], rounds: Mapping[str, Sequence[Round]], peers: Sequence[str]
) -> str:
    """The contestants of one workload, the fastest first."""
    peer = best(rounds, peers)
    lines = [
        f"### {title}",
        "",
        _HEAD,
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in sorted(figures, key=lambda one: -figures[one].rate.middle):
        one = figures[name]
        cells = [
            f"`{name}`",
            f"{one.rate.middle:,.0f} ({one.rate.least:,.0f} to {one.rate.most:,.0f})",
            f"{one.p50.middle / 1_000:.2f}",
            f"{one.p99.middle / 1_000:.2f}",
            f"{one.server.middle:,.0f}",
            f"{one.database.middle:,.0f}",
            f"{one.memory:.0f}",
            stands(rounds, name, LIMIT),
            stands(rounds, name, peer),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def whole_table(title: str, figures: Mapping[str, Figures], rounds: Mapping[str, Sequence[Round]]) -> str:
    """The same of work that is done as a whole: rows, and how long all of them took."""
    lines = [
        f"### {title}",
        "",
        "| contestant | rows | rows/s (least to most) | seconds | server us | database us | of `copy` |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in figures.items():
        others = "-"
        if name != COPY and rounds.get(COPY):
            others = f"{ratio(rounds[name], rounds[COPY]).rate.middle:.2f}"
        cells = [
            f"`{name}`",
            f"{one.size:,.0f}",
            f"{one.rate.middle:,.0f} ({one.rate.least:,.0f} to {one.rate.most:,.0f})",
            f"{one.p50.middle / MICRO:.2f}",
            f"{one.server.middle:,.1f}",
            f"{one.database.middle:,.1f}",
            others,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def stands(rounds: Mapping[str, Sequence[Round]], name: str, other: str | None) -> str:
    """The ratio by requests a second, and by processor time of the server."""
    if other is None or other == name or not rounds.get(other):
        return "-"
    found = ratio(rounds[name], rounds[other])
    return f"{found.rate.middle:.2f} ({found.processor.middle:.2f} by processor)"


def targets(found: Sequence[Reached]) -> str:
    """Each target, what was reached, and whether that is enough."""
    lines = [
        "| workload | contestant | against | wanted | reached (least to most) | by processor | |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    for one in found:
        rate = one.ratio.rate
        lines.append(
            f"| {one.target.workload} | `{one.target.contestant}` | `{one.against}` |"
            f" {one.target.at_least:.2f} | {rate.middle:.2f} ({rate.least:.2f} to {rate.most:.2f}) |"
            f" {by_processor(one)} | {mark(one.verdict)} |"
        )
    return "\n".join(lines) + "\n"


def by_processor(one: Reached) -> str:
    """The ratio of processor time; none to psql, which is no server."""
    return f"{one.ratio.processor.middle:.2f}" if one.ratio.processor.middle else "-"


def mark(verdict: Verdict) -> str:
    """A verdict as it stands in a table."""
    return verdict.value if verdict is Verdict.MET else f"**{verdict.value}**"


def tails(figures: Mapping[str, Mapping[str, Figures]], contestant: str = "gateway") -> str:
    """p99 by p50 of one contestant, in each workload."""
    lines = [f"| workload | p50 ms | p99 ms | p99 / p50 (at most {TAIL:g}) | |", "|---|---:|---:|---:|---|"]
    for workload, by_name in figures.items():
        one = by_name.get(contestant)
        if one is None:
            continue
        tail = one.p99.middle / one.p50.middle
        verdict = Verdict.MET if tail <= TAIL else Verdict.MISSED
        lines.append(
            f"| {workload} | {one.p50.middle / 1_000:.2f} | {one.p99.middle / 1_000:.2f} | {tail:.2f} |"
            f" {mark(verdict)} |"
        )
    return "\n".join(lines) + "\n"


def as_json(
    rounds: Rounds,
    figures: Mapping[str, Mapping[str, Figures]],
    found: Sequence[Reached],
    facts: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Everything, for machines. Rates a second, times in microseconds, memory in millions of bytes."""
    return {
        **facts,
        "targets": [plain(one) for one in found],
        "figures": {
            workload: {name: plain(one) for name, one in by_name.items()}
            for workload, by_name in figures.items()
        },
        "rounds": {
            workload: {name: [plain(one) for one in ones] for name, ones in by_name.items()}
            for workload, by_name in rounds.items()
        },
    }
