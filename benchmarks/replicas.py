"""What a second gateway adds: two processes on the same database, beside one of them alone.

In: a populated world. Out, by workload: processor time a request of one alone and of both at once, and the
rates of both. Where each has a core of its own the rates show what two of them do; where they share one they
cannot, and the processor time tells: what a request does not cost more, a second core would add.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.checking import Asking
from benchmarks.contestants import Contestant
from benchmarks.figures import MICRO, Spread
from benchmarks.harness import Pace
from benchmarks.population import World
from benchmarks.processes import Cores, Running, processor_seconds, started
from benchmarks.workloads import CONNECTIONS, Workload, workload
from benchmarks.wrk import load, script, write_requests

ASKED: Final = ("profile", "page-50", "correction")
WANTED: Final = 1.8
"""Of what one process does."""

ENOUGH: Final = 4
"""Cores, so that two gateways, PostgreSQL and the load hardly meet."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A few seconds of some gateways at once: answers a second, microseconds a request."""

    rate: float
    server: float
    database: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One workload: the rounds of one gateway alone, and those of both, in turn."""

    alone: Sequence[Turn]
    together: Sequence[Turn]

    @property
    def by_processor(self) -> Spread:
        """How many times one alone both could do, by what a request costs the servers."""
        pairs = zip(self.alone, self.together, strict=True)
        return Spread.of([2 * one.server / both.server for one, both in pairs])

    @property
    def by_rate(self) -> Spread:
        """How many times one alone both did."""
        return Spread.of([both.rate / one.rate for one, both in zip(self.alone, self.together, strict=True)])


async def measure_replicas(
    contestant: Contestant, world: World, cores: Cores, pace: Pace
) -> Mapping[str, Compared]:
    """Both are up all the time; the one that is not asked waits."""
    async with AsyncExitStack() as stack:
        pair = [
            await stack.enter_async_context(started(replace(contestant, name=name), world, place))
            for name, place in zip(("first", "second"), _places(cores), strict=True)
        ]
        return {name: await _compared(world, pair, workload(name), pace) for name in ASKED}


def _places(cores: Cores) -> tuple[Cores, Cores]:
    """A core for each, if there are enough."""
    if len(cores.server | cores.rest) < ENOUGH:
        return cores, cores
    return cores, Cores(frozenset({max(cores.rest)}), cores.rest)


async def _compared(world: World, pair: Sequence[Running], asked: Workload, pace: Pace) -> Compared:
    scripts = [_script(world, running, asked) for running in pair]
    await _turn(world, pair, scripts, pace.warm)
    alone, together = [], []
    for number in range(pace.rounds):
        alone.append(await _turn(world, pair[:1], scripts[:1], pace.seconds))
        together.append(await _turn(world, pair, scripts, pace.seconds))
        print(
            f"{asked.name:<12} {number + 1:>2} alone {alone[-1].rate:>9,.0f}/s {alone[-1].server:>7,.0f} us"
            f"  both {together[-1].rate:>9,.0f}/s {together[-1].server:>7,.0f} us",
            file=sys.stderr,
        )
    return Compared(alone, together)


def _script(world: World, running: Running, asked: Workload) -> Path:
    asking = Asking(running)
    requests = world.folder / f"replicas-{running.contestant.name}.lua"
    write_requests(requests, asked.ask(world, asking.cursors))
    asking.close()
    path = world.folder / f"replicas-{running.contestant.name}-script.lua"
    path.write_text(script(requests, fresh=asked.fresh, turn=0), encoding="utf-8")
    return path


async def _turn(world: World, asked: Sequence[Running], scripts: Sequence[Path], seconds: int) -> Turn:
    """Some of them at once, each with as many connections as one has alone."""
    watched = [*(running.process_id for running in asked), world.server.process_id]
    before = [processor_seconds(one) for one in watched]
    made = await asyncio.gather(
        *(
            load(running.port, path, connections=CONNECTIONS, seconds=seconds)
            for running, path in zip(asked, scripts, strict=True)
        )
    )
    *servers, database = (processor_seconds(one) - was for one, was in zip(watched, before, strict=True))
    requests = sum(one.requests for one in made)
    return Turn(sum(one.rate for one in made), sum(servers) / requests * MICRO, database / requests * MICRO)


def told(compared: Mapping[str, Compared]) -> str:
    """Markdown: what both did, and what a request cost."""
    lines = [
        "| workload | alone: requests/s, server us, database us | both | by rate | by processor time | |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name, one in compared.items():
        reached = one.by_processor
        cells = [
            name,
            _middle(one.alone),
            _middle(one.together),
            f"{one.by_rate.middle:.2f}",
            f"{reached.middle:.2f} ({reached.least:.2f} to {reached.most:.2f})",
            "met" if reached.middle >= WANTED else "**missed**",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Wanted: {WANTED:g} times one alone, where cores allow."]) + "\n"


def _middle(turns: Sequence[Turn]) -> str:
    parts = (
        Spread.of([getattr(one, name) for one in turns]).middle for name in ("rate", "server", "database")
    )
    return ", ".join(f"{part:,.0f}" for part in parts)
