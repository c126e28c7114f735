"""From turns of work to a table: processor time, medians, ratios. It knows nothing of what is measured.

In: alternatives, each of which does its work so many times. Out: a table in Markdown. Turns are interleaved,
in another order each round, and a ratio is taken round by round: what the machine did besides hit all alike.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from benchmarks.figures import Spread


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of processor time for one use: of the process at work, and of PostgreSQL, if any."""

    own: float
    database: float | None = None


Turn: TypeAlias = Callable[[], Awaitable[Cost]]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to do it. `used` is what the gateway does."""

    name: str
    turn: Turn
    used: bool = False


@dataclass(slots=True)
class Measured:
    """One choice: a title, what one use is, what was left out and why, and each round of each alternative."""

    title: str
    use: str
    left_out: Sequence[str] = ()
    used: str | None = None
    rounds: dict[str, list[Cost]] = field(default_factory=dict)


async def measure(
    title: str, use: str, alternatives: Sequence[Alternative], rounds: int, left_out: Sequence[str] = ()
) -> Measured:
    """So many rounds, after one that does not count."""
    measured = Measured(title, use, left_out)
    measured.rounds = {one.name: [] for one in alternatives}
    measured.used = next((one.name for one in alternatives if one.used), None)
    for number in range(rounds + 1):
        first = number % len(alternatives)
        for one in (*alternatives[first:], *alternatives[:first]):
            cost = await one.turn()
            if number:
                measured.rounds[one.name].append(cost)
    return measured


def table(measured: Measured) -> str:
    """The alternatives, the cheapest first; what the gateway uses is bold."""
    with_database = any(cost.database for costs in measured.rounds.values() for cost in costs)
    head = ["", "us (least to most)", *(["PostgreSQL us"] if with_database else []), "of what is used"]
    lines = [
        f"### {measured.title}",
        "",
        f"Processor time of {measured.use}.",
        "",
        f"| {' | '.join(head)} |",
        "|---" + "|---:" * (len(head) - 1) + "|",
    ]
    spreads = {name: Spread.of([cost.own for cost in costs]) for name, costs in measured.rounds.items()}
    for name in sorted(spreads, key=lambda one: spreads[one].middle):
        cells = [f"**{name}**" if name == measured.used else name, _told(spreads[name])]
        if with_database:
            cells.append(_told(Spread.of([cost.database or 0.0 for cost in measured.rounds[name]])))
        lines.append(f"| {' | '.join([*cells, _ratio(measured, name)])} |")
    lines += ["", *(f"Left out: {what}" for what in measured.left_out)]
    return "\n".join(lines).rstrip() + "\n"


def _ratio(measured: Measured, name: str) -> str:
    if measured.used is None or measured.used == name:
        return "1" if measured.used == name else "-"
    pairs = zip(measured.rounds[name], measured.rounds[measured.used], strict=True)
    ratio = Spread.of([theirs.own / ours.own if ours.own else 0.0 for theirs, ours in pairs])
    return f"{ratio.middle:.2f} ({ratio.least:.2f} to {ratio.most:.2f})"


def _told(spread: Spread) -> str:
    places = 0 if spread.middle >= 100 else 1 if spread.middle >= 10 else 2  # noqa: PLR2004 - three digits
    return f"{spread.middle:,.{places}f} ({spread.least:,.{places}f} to {spread.most:,.{places}f})"
