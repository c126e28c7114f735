"""Contestants as processes: started on the server's core, waited for, measured, stopped.

In: a contestant and a populated world. Out: a running server, and what it and PostgreSQL have used of their
cores. On Linux only: it reads /proc.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import httpx

from benchmarks.contestants import ROOT, Contestant
from benchmarks.population import World, free_port

READY_WITHIN: Final = 60
"""Seconds for a contestant to answer `/healthz`."""

TICKS: Final = os.sysconf("SC_CLK_TCK")
PAGE_SIZE: Final = os.sysconf("SC_PAGE_SIZE")


class ContestantError(Exception):
    """A contestant does not run."""


@dataclass(frozen=True, slots=True)
class Cores:
    """One core for the server, the others for PostgreSQL and the load."""

    server: frozenset[int]
    rest: frozenset[int]


def divide_cores() -> Cores:
    """The last core is the server's; where there is one only, everybody shares it."""
    available = sorted(os.sched_getaffinity(0))
    return Cores(frozenset(available[-1:]), frozenset(available[:-1] or available))


@contextmanager
def on_cores(cores: frozenset[int]) -> Iterator[None]:
    """Run this process, and what it starts meanwhile, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Running:
    """A contestant that answers at `port`."""

    contestant: Contestant
    port: int
    process_id: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def started(
    contestant: Contestant, world: World, cores: Cores, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """The contestant, as long as this is open. What it writes goes to a file in the world's folder.

    Raises:
        ContestantError: it ended, or did not get ready in time.
    """
    port = free_port()
    log = world.folder / f"{contestant.name}.log"
    with _written(log) as output, on_cores(cores.server):
        process = await asyncio.create_subprocess_exec(
            *contestant.command,
            cwd=ROOT,
            env={**os.environ, **world.environment(port), **contestant.environment, **(environment or {})},
            stdout=output,
            stderr=output,
        )
    try:
        await _ready(contestant, process, port, log)
        yield Running(contestant, port, process.pid)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()


def _written(log: Path) -> BinaryIO:
    return log.open("wb")


async def _ready(contestant: Contestant, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + READY_WITHIN
    async with httpx.AsyncClient() as client:
        while process.returncode is None and asyncio.get_running_loop().time() < deadline:
            try:
                answer = await client.get(f"http://127.0.0.1:{port}/healthz")
                if answer.status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise ContestantError(f"`{contestant.name}` does not get ready:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2_000:]


def processor_seconds(process_id: int) -> float:
    """What a process and all below it have used, those that have ended included."""
    return sum(_used(one) for one in _tree(process_id))


def resident_bytes(process_id: int) -> int:
    """The memory of a process and all below it."""
    total = 0
    for one in _tree(process_id):
        try:
            total += int(Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()[1]) * PAGE_SIZE
        except OSError:
            continue
    return total


def _used(process_id: int) -> float:
    fields = _stat(process_id)
    # utime, stime, cutime, cstime: fields 14 to 17 of proc(5).
    return sum(int(field) for field in fields[11:15]) / TICKS if fields else 0.0


def _stat(process_id: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none if the process has ended."""
    try:
        text = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(") ")[2].split()


def _tree(process_id: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents[int(entry.name)] = int(fields[1])
    found = [process_id]
    for one in found:
        found.extend(child for child, parent in parents.items() if parent == one)
    return found
