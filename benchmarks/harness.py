"""Runs the workloads: all contestants at the same time on one machine, each measured in its turn.

1. all contestants are started on the same core, and wait;
2. their answers are compared: a difference ends the run;
3. for each workload each is warmed, then they take turns, in another order each round, so that
   whatever the machine does besides strikes all of them;
4. of each turn: answers a second and latencies by wrk, processor time of the server and of PostgreSQL.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.checking import Asking, compare, compare_refusals
from benchmarks.contestants import Contestant
from benchmarks.figures import MICRO, Figures, Round
from benchmarks.population import World
from benchmarks.processes import Cores, Running, processor_seconds, resident_bytes, started
from benchmarks.wholes import Whole
from benchmarks.wholes import measure as measure_whole
from benchmarks.workloads import Workload
from benchmarks.wrk import TooSlowError, load, script, write_requests

GATEWAYS: Final = ("gateway", "gateway-unlogged")
"""Who takes part in what is done as a whole."""

LONGEST: Final = 60
"""Seconds. A round in which nothing was answered is measured again for longer, up to about this."""

WHOLE_ROUNDS: Final = 3

Prepare = Callable[[World, Sequence[Running]], Awaitable[Sequence[Whole]]]
"""Compares the ways to do something as a whole, and gives them."""


@dataclass(frozen=True)
class Pace:
    """How long is measured. `seconds` a round, whole ones: wrk knows no others."""

    rounds: int = 5
    seconds: int = 4
    warm: int = 2


@dataclass(slots=True)
class Measured:
    """What was measured, by workload and then by contestant."""

    rounds: dict[str, dict[str, list[Round]]] = field(default_factory=dict)
    figures: dict[str, dict[str, Figures]] = field(default_factory=dict)
    compared: int = 0


class Harness:
    """Measures on one world. `turn` counts the turns of wrk, so that no two send the same fresh request."""

    def __init__(self, world: World, cores: Cores, pace: Pace) -> None:
        self._world = world
        self._cores = cores
        self._pace = pace
        self._turn = 0
        self._different: dict[str, int] = {}
        self.measured = Measured()

    async def run(
        self, contestants: Sequence[Contestant], workloads: Sequence[Workload], wholes: Mapping[str, Prepare]
    ) -> Measured:
        """Everything.

        Raises:
            ContestantError: one does not run.
            DifferenceError: one answers differently.
            LoadError: one failed to answer under load.
        """
        async with AsyncExitStack() as stack:
            asking: dict[str, Asking] = {}
            for contestant in contestants:  # 1
                running = await stack.enter_async_context(started(contestant, self._world, self._cores))
                asking[contestant.name] = Asking(running)
                stack.callback(asking[contestant.name].close)
            compare_refusals(self._world, list(asking.values()))  # 2
            for workload in workloads:
                self.measured.compared += compare(self._world, _taking(asking, workload), workload)
            print(f"{self.measured.compared} answers are equal", file=sys.stderr)
            for workload in workloads:
                await self._workload(workload, _taking(asking, workload))
            gateways = [one.running for name, one in asking.items() if name in GATEWAYS]
            for name, prepare in wholes.items():
                await self._whole(name, await prepare(self._world, gateways))
        return self.measured

    async def _whole(self, name: str, ways: Sequence[Whole]) -> None:
        rounds: dict[str, list[Round]] = {way.name: [] for way in ways}
        for number in range(min(self._pace.rounds, WHOLE_ROUNDS)):
            first = number % len(ways)
            for way in (*ways[first:], *ways[:first]):
                rounds[way.name].append(one := await measure_whole(self._world, way))
                _tell(name, way.name, number, one)
        self.measured.rounds[name] = rounds
        self.measured.figures[name] = {
            way.name: Figures.of(
                rounds[way.name], 0.0 if way.process is None else resident_bytes(way.process) / MICRO
            )
            for way in ways
        }

    async def _workload(self, workload: Workload, taking: Sequence[Asking]) -> None:
        prepared: Mapping[str, Path] = {}
        for asking in taking:  # 3
            prepared = {**prepared, asking.running.contestant.name: self._prepare(workload, asking)}
            await self._warm(workload, asking.running, prepared)
        rounds: dict[str, list[Round]] = {asking.running.contestant.name: [] for asking in taking}
        for number in range(self._pace.rounds):
            first = number % len(taking)
            for asking in (*taking[first:], *taking[:first]):
                name = asking.running.contestant.name
                one = await self._measure(workload, asking.running, prepared, self._pace.seconds)
                rounds[name].append(one)
                _tell(workload.name, name, number, one)
        self.measured.rounds[workload.name] = rounds
        self.measured.figures[workload.name] = {
            name: Figures.of(
                rounds[name],
                resident_bytes(asking.running.process_id) / MICRO,
            )
            for asking in taking
            for name in (asking.running.contestant.name,)
        }

    async def _warm(self, workload: Workload, running: Running, prepared: Mapping[str, Path]) -> None:
        """Until each document was asked once, so that only what is fresh meets a cache that knows it not."""
        sent = 0.0
        while sent == 0 or (not workload.fresh and sent < self._different[running.contestant.name]):
            one = await self._measure(workload, running, prepared, self._pace.warm)
            sent += one.rate * self._pace.warm

    def _prepare(self, workload: Workload, asking: Asking) -> Path:
        path = self._world.folder / f"{workload.name}-{asking.running.contestant.name}.lua"
        requests = workload.ask(self._world, asking.cursors)
        self._different[asking.running.contestant.name] = len({one.query for one in requests})
        write_requests(path, requests)
        return path

    async def _measure(
        self, workload: Workload, running: Running, prepared: Mapping[str, Path], seconds: int
    ) -> Round:
        self._turn += 1
        path = self._world.folder / "script.lua"
        text = script(prepared[running.contestant.name], fresh=workload.fresh, turn=self._turn)
        path.write_text(text, encoding="utf-8")
        server, database = running.process_id, self._world.server.process_id
        before = processor_seconds(server), processor_seconds(database)
        try:
            made = await load(running.port, path, connections=workload.connections, seconds=seconds)  # 4
        except TooSlowError:
            if seconds > LONGEST:
                raise
            return await self._measure(workload, running, prepared, seconds * 3)
        after = processor_seconds(server), processor_seconds(database)
        return Round(
            rate=made.rate,
            p50=made.p50,
            p99=made.p99,
            server=(after[0] - before[0]) / made.requests * MICRO,
            database=(after[1] - before[1]) / made.requests * MICRO,
            size=made.size,
        )


def _taking(asking: Mapping[str, Asking], workload: Workload) -> Sequence[Asking]:
    return [one for one in asking.values() if workload.name in one.running.contestant.workloads]


def _tell(workload: str, name: str, number: int, one: Round) -> None:
    print(
        f"{workload:<12} {number + 1:>2} {name:<18} {one.rate:>9,.0f}/s  p50 {one.p50 / 1_000:>7.2f} ms"
        f"  p99 {one.p99 / 1_000:>7.2f} ms  server {one.server:>7,.0f} us  database {one.database:>7,.0f} us",
        file=sys.stderr,
    )
