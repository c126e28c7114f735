"""The plot of a run: for each workload a bar for each contestant, as a part of `limit` or of the fastest.

Pure: in come rounds, out comes SVG, as benchmarks.aggregates draws its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from statistics import median
from typing import Final

from benchmarks.contestants import Contestant
from benchmarks.figures import LIMIT, Round

WIDTH: Final = 760
LEFT: Final = 190
ROW: Final = 18
GAP: Final = 34
TOP: Final = 30
WIDEST: Final = WIDTH - LEFT - 150

OURS: Final = "#1f6f8b"
PEERS: Final = "#b0642d"
OTHERS: Final = "#8a8a8a"


def picture(rounds: Mapping[str, Mapping[str, Sequence[Round]]], contestants: Sequence[Contestant]) -> str:
    """One group of bars a workload."""
    peers = {one.name for one in contestants if one.peer}
    parts: list[str] = []
    y = TOP
    for workload, by_name in rounds.items():
        rates = {name: median(one.rate for one in ones) for name, ones in by_name.items() if ones}
        if not rates:
            continue
        parts.append(f'<text x="10" y="{y}" font-weight="bold">{escape(workload)}</text>')
        whole = rates.get(LIMIT) or max(rates.values())
        for name, rate in sorted(rates.items(), key=lambda item: -item[1]):
            y += ROW
            parts.append(_bar(name, rate, rate / whole, y, _colour(name, peers)))
        y += GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="sans-serif"'
        f' font-size="12"><rect width="{WIDTH}" height="{y}" fill="white"/>'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def _bar(name: str, rate: float, part: float, y: int, colour: str) -> str:
    wide = min(part, 1.0) * WIDEST
    return (
        f'<text x="{LEFT - 8}" y="{y}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{y - 11}" width="{wide:.1f}" height="13" fill="{colour}"/>'
        f'<text x="{LEFT + wide + 6:.1f}" y="{y}">{rate:,.0f}/s, {part:.2f}</text>'
    )


def _colour(name: str, peers: set[str]) -> str:
    if name.startswith("gateway"):
        return OURS
    return PEERS if name in peers else OTHERS
