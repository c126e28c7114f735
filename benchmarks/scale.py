"""The cost of a request by how many members and partners there are.

In: sizes. Out: processor time a request of the gateway and of PostgreSQL at each. Larger ones are copies of
the smallest (`benchmarks.growing`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.contestants import Contestant
from benchmarks.figures import Figures
from benchmarks.filling import Size
from benchmarks.harness import Harness, Pace
from benchmarks.population import keep, world
from benchmarks.processes import Cores, on_cores
from benchmarks.workloads import workload

_BASE: Final = 10_000
SIZES: Final = (
    Size(_BASE, 10),
    Size(_BASE, 10, members_times=10),
    Size(_BASE, 10, members_times=100),
    Size(_BASE, 10, partners_times=10),
    Size(_BASE, 10, partners_times=100),
)
ASKED: Final = ("profile", "page-50", "correction")

Costs = Mapping[Size, Mapping[str, Figures]]


async def measure_scale(
    contestant: Contestant, cores: Cores, pace: Pace, sizes: Sequence[Size] = SIZES
) -> Costs:
    """One size after the other."""
    found = {}
    for size in sizes:
        await keep(size)
        with on_cores(cores.rest):
            async with world(size) as running:
                print(f"{size.all_members:,} members, {size.all_partners:,} partners", file=sys.stderr)
                measured = await Harness(running, cores, pace).run(
                    [contestant], [workload(name) for name in ASKED], {}
                )
        found[size] = {name: figures[contestant.name] for name, figures in measured.figures.items()}
    return found


def told(costs: Costs) -> str:
    """Markdown: microseconds of server and database a request."""
    lines = [
        f"| members | partners | {' | '.join(f'{name}: server us, database us' for name in ASKED)} |",
        f"|---:|---:|{'---:|' * len(ASKED)}",
    ]
    for size, figures in costs.items():
        cells = [
            f"{figures[name].server.middle:,.0f}, {figures[name].database.middle:,.0f}" for name in ASKED
        ]
        lines.append(f"| {size.all_members:,} | {size.all_partners:,} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
