"""The benchmark: `make bench`, or `python -m benchmarks [OPTIONS]`. See docs/performance.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.checking import DifferenceError
from benchmarks.contestants import ROOT, Contestant, contestants
from benchmarks.figures import Figures, plain, reached
from benchmarks.filling import Size
from benchmarks.harness import Harness, Measured, Pace, Prepare
from benchmarks.importing import measure_import
from benchmarks.memory import told as told_memory
from benchmarks.memory import watch
from benchmarks.picture import picture
from benchmarks.population import World, keep, size_arguments, stop_in_order, world
from benchmarks.processes import ContestantError, Cores, divide_cores, on_cores
from benchmarks.replicas import measure_replicas
from benchmarks.replicas import told as told_replicas
from benchmarks.report import as_json, table, tails, targets, whole_table
from benchmarks.scale import measure_scale
from benchmarks.scale import told as told_scale
from benchmarks.wholes import BULK_TITLE, FEED_TITLE, IMPORT_TITLE, bulk, feed
from benchmarks.workloads import WORKLOADS, Workload, workload
from benchmarks.wrk import LoadError, require_wrk

WHOLES: Final[Mapping[str, tuple[str, Prepare]]] = {"bulk": (BULK_TITLE, bulk), "feed": (FEED_TITLE, feed)}
IMPORT: Final = "import"
TITLES: Final = {IMPORT: IMPORT_TITLE, **{name: title for name, (title, _) in WHOLES.items()}}
RESULTS: Final = ROOT / "benchmarks" / "results"


def facts(size: Size, pace: Pace, taking: Sequence[Contestant]) -> dict[str, Any]:
    """What the figures depend on besides the program."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "processor": _processor(),
            "python": platform.python_version(),
        },
        "members": size.members,
        "partners": size.partners,
        "rounds_of": {"rounds": pace.rounds, "seconds": pace.seconds},
        "contestants": {one.name: {"peer": one.peer, "version": one.version} for one in taking},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")


@asynccontextmanager
async def placed(size: Size) -> AsyncIterator[tuple[World, Cores]]:
    """The data of this size; PostgreSQL and the load on one core, and the other for contestants."""
    await keep(size)
    cores = divide_cores()
    with on_cores(cores.rest):
        async with world(size) as running:
            yield running, cores


async def measure(
    size: Size,
    pace: Pace,
    taking: Sequence[Contestant],
    workloads: Sequence[Workload],
    wholes: Sequence[str],
) -> Measured:
    """All contestants beside each other."""
    async with placed(size) as (running, cores):
        return await Harness(running, cores, pace).run(
            taking, workloads, {name: WHOLES[name][1] for name in wholes}
        )


def write(measured: Measured, told: dict[str, Any], taking: Sequence[Contestant], folder: Path) -> str:
    """Write the results; the Markdown."""
    peers = [one.name for one in taking if one.peer]
    found = reached(measured.rounds, peers)
    told = {**told, "answers_compared": measured.compared}
    parts = [
        whole_table(f"{name}: {TITLES[name]}", measured.figures[name], measured.rounds[name])
        if name in TITLES
        else table(f"{name}: {workload(name).title}", measured.figures[name], measured.rounds[name], peers)
        for name in measured.rounds
    ]
    requests = {name: figures for name, figures in measured.figures.items() if name not in TITLES}
    markdown = "\n".join([*parts, "### Targets\n", targets(found), "### Latency\n", tails(requests)])
    document = as_json(measured.rounds, measured.figures, found, told)
    write_text(folder / "latest.json", json.dumps(document, indent=1) + "\n")
    write_text(folder / "latest.md", markdown)
    write_text(folder / "latest.svg", picture(measured.rounds, taking))
    return markdown


async def memory(size: Size, requests: int, folder: Path) -> None:
    """Watch the gateway's memory, and write what was seen."""
    async with placed(size) as (running, cores):
        looks = await watch(contestants()["gateway"], running, cores, requests)
    write_text(folder / "memory.json", json.dumps([plain(look) for look in looks], indent=1) + "\n")
    write_text(folder / "memory.md", told_memory(looks))
    print(told_memory(looks))


async def replicas(size: Size, pace: Pace, folder: Path) -> None:
    """Measure two gateways beside one, and write it."""
    async with placed(size) as (running, cores):
        compared = await measure_replicas(contestants()["gateway"], running, cores, pace)
    write_text(folder / "replicas.md", told_replicas(compared))
    print(told_replicas(compared))


async def scale(pace: Pace, folder: Path) -> None:
    """Measure by size, and write it."""
    costs = await measure_scale(contestants()["gateway"], divide_cores(), pace)
    write_text(folder / "scale.md", told_scale(costs))
    print(told_scale(costs))


def write_text(path: Path, text: str) -> None:
    """A result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main(words: Sequence[str]) -> None:
    """Run what the options say."""
    known, names = contestants(), [*(one.name for one in WORKLOADS), *WHOLES, IMPORT]
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    size_arguments(parser)
    parser.add_argument("--rounds", type=int, default=Pace.rounds)
    parser.add_argument("--seconds", type=int, default=Pace.seconds, help="of a round")
    parser.add_argument("--warm", type=int, default=Pace.warm, help="seconds before the first round")
    parser.add_argument(
        "--only", nargs="+", choices=list(known), default=list(known), help="these contestants"
    )
    parser.add_argument("--workloads", nargs="+", choices=names, default=names)
    parser.add_argument(
        "--import-rows", type=int, default=100_000, metavar="N", help="rows of the file for `import`"
    )
    parser.add_argument(
        "--memory", type=int, metavar="N", help="instead: the gateway's memory over N requests (a million)"
    )
    parser.add_argument(
        "--scale", action="store_true", help="instead: the cost of a request by members and by partners"
    )
    parser.add_argument(
        "--replicas", action="store_true", help="instead: two gateways at once, beside one of them alone"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(words)
    stop_in_order()
    size, pace = Size(given.members, given.partners), Pace(given.rounds, given.seconds, given.warm)
    taking = [known[name] for name in given.only]
    if not any(one.peer for one in known.values()):
        print("no peers: `make peers` installs them where there is npm", file=sys.stderr)
    try:
        require_wrk()
        if given.memory:
            asyncio.run(memory(size, given.memory, given.results))
            return
        if given.scale:
            asyncio.run(scale(pace, given.results))
            return
        if given.replicas:
            asyncio.run(replicas(size, pace, given.results))
            return
        requests = [workload(name) for name in given.workloads if name not in TITLES]
        wholes = [name for name in given.workloads if name in WHOLES]
        measured = asyncio.run(measure(size, pace, taking, requests, wholes))
        if IMPORT in given.workloads:
            rounds = asyncio.run(measure_import(given.import_rows, divide_cores()))
            measured.rounds[IMPORT] = rounds
            measured.figures[IMPORT] = {name: Figures.of(ones, 0.0) for name, ones in rounds.items()}
    except (ContestantError, DifferenceError, LoadError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")
    print(write(measured, facts(size, pace, taking), taking, given.results))


if __name__ == "__main__":
    main(sys.argv[1:])
