"""The gateway's memory over many requests with many documents: caches are bounded, so it has to stand still.

In: how many requests. Out: megabytes by requests. One request in twenty asks one of 10,000 documents, of
which the gateway remembers a tenth; the others are pages and profiles as they come.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.checking import Asking
from benchmarks.contestants import Contestant
from benchmarks.figures import MEMORY, MICRO
from benchmarks.population import World
from benchmarks.processes import Cores, resident_bytes, started
from benchmarks.texts import FRESH
from benchmarks.workloads import CONNECTIONS, Request, workload
from benchmarks.wrk import load, script, write_requests

DOCUMENTS: Final = 10_000
EVERY: Final = 20
SLICE: Final = 10
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Look:
    """The memory, in millions of bytes, after so many requests."""

    requests: int
    megabytes: float


async def watch(contestant: Contestant, world: World, cores: Cores, requests: int) -> Sequence[Look]:
    """Ask until there were that many requests."""
    async with started(contestant, world, cores) as running:
        asking = Asking(running)
        prepared = world.folder / "memory.lua"
        write_requests(prepared, _mixed(world, asking))
        asking.close()
        looks = [Look(0, resident_bytes(running.process_id) / MICRO)]
        path = world.folder / "memory-script.lua"
        while looks[-1].requests < requests:
            text = script(
                prepared, fresh=True, turn=0, begin=looks[-1].requests, every=EVERY, different=DOCUMENTS
            )
            path.write_text(text, encoding="utf-8")
            made = await load(running.port, path, connections=CONNECTIONS, seconds=SLICE)
            used = resident_bytes(running.process_id) / MICRO
            looks.append(Look(looks[-1].requests + made.requests, used))
            print(f"{looks[-1].requests:>10,} requests {used:>6.1f} MB", file=sys.stderr)
    return looks


def _mixed(world: World, asking: Asking) -> Sequence[Request]:
    """Nineteen of pages and profiles, and one document of many, over and over."""
    profiles = workload("profile").ask(world, asking.cursors)
    pages = workload("page-50").ask(world, asking.cursors)
    found: list[Request] = []
    for index, profile in enumerate(profiles):
        found += [profile, pages[index % len(pages)]] * (EVERY // 2)
        found[-1] = Request(FRESH, {}, profile.token)
    return found


def told(looks: Sequence[Look]) -> str:
    """Markdown: some of the looks, and whether the target was met."""
    some = [*looks[:: max(1, len(looks) // 10)], looks[-1]]
    lines = ["| requests | MB |", "|---:|---:|"]
    lines += [f"| {look.requests:,} | {look.megabytes:.1f} |" for look in dict.fromkeys(some)]
    verdict = "met" if looks[-1].megabytes <= MEMORY else "**missed**"
    return "\n".join([*lines, "", f"At most {MEMORY:g} MB: {verdict}"]) + "\n"
