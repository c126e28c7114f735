"""Servers and event loops: each answers the same requests of wrk, alone on its core.

In: how long, how often. Out: what an answer costs each of them. Granian takes part where it is installed: the
product does not need it, so it is in the extra `bench` and not in the lock.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx

from benchmarks.choices.answering import ANSWER, UVICORN
from benchmarks.choices.measuring import Alternative, Cost, Measured, Turn, measure
from benchmarks.contestants import ROOT
from benchmarks.figures import MICRO
from benchmarks.population import free_port
from benchmarks.processes import READY_WITHIN, ContestantError, Cores, on_cores, processor_seconds
from benchmarks.texts import PROFILE
from benchmarks.workloads import Request
from benchmarks.wrk import load, script, write_requests

TOKEN: Final = "t" * 800
"""As long as a partner's."""

CONNECTIONS: Final = 16
_TITLES: Final[Mapping[str, str]] = {
    "one write": "uvicorn, uvloop, httptools, one write",
    "httptools": "uvicorn, uvloop, httptools",
    "h11": "uvicorn, uvloop, h11",
    "asyncio": "uvicorn, asyncio, httptools, one write",
}
_GRANIAN: Final = (
    ("Granian, uvloop, ASGI, one thread", "asgi", "st"),
    ("Granian, uvloop, RSGI, one thread", "rsgi", "st"),
    ("Granian, uvloop, RSGI, several threads", "rsgi", "mt"),
)
_MISSING: Final = "Granian, which is not installed: `.venv/bin/python -m pip install --editable '.[bench]'`"


def commands() -> tuple[Mapping[str, Sequence[str]], Sequence[str]]:
    """Each server that can run, by title, as a command that wants a port; and what is left out."""
    python = sys.executable
    found: dict[str, Sequence[str]] = {
        _TITLES[name]: (python, "-m", "benchmarks.choices.answering", name) for name in UVICORN
    }
    if importlib.util.find_spec("granian") is None:
        return found, [_MISSING]
    for title, interface, mode in _GRANIAN:
        found[title] = (
            python, "-m", "granian", "--interface", interface, "--runtime-mode", mode, "--loop", "uvloop",
            "--http", "1", "--no-ws", "--workers", "1", "--log-level", "error",
            "benchmarks.choices.answering:app", "--port",
        )  # fmt: skip
    return found, []


@asynccontextmanager
async def started(command: Sequence[str], cores: Cores) -> AsyncIterator[tuple[int, int]]:
    """The server, as long as this is open: its process and its port.

    Raises:
        ContestantError: it does not answer, or not as all do.
    """
    port = free_port()
    with on_cores(cores.server):
        process = await asyncio.create_subprocess_exec(
            *command, str(port), cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    try:
        await _ready(process, port)
        yield process.pid, port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ready(process: asyncio.subprocess.Process, port: int) -> None:
    url, deadline = f"http://127.0.0.1:{port}/", asyncio.get_running_loop().time() + READY_WITHIN
    async with httpx.AsyncClient() as client:
        while process.returncode is None and asyncio.get_running_loop().time() < deadline:
            try:
                if (await client.get(url)).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    raise ContestantError("a server does not get ready")


def _turn(process_id: int, port: int, path: Path, seconds: int) -> Turn:
    async def turn() -> Cost:
        before = processor_seconds(process_id)
        made = await load(port, path, connections=CONNECTIONS, seconds=seconds)
        return Cost((processor_seconds(process_id) - before) / made.requests * MICRO)

    return turn


async def measure_servers(cores: Cores, rounds: int, seconds: int) -> Measured:
    """All of them at once on one core; who is not asked waits.

    Raises:
        ContestantError: one does not run.
        LoadError: one failed to answer.
    """
    known, left_out = commands()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        write_requests(folder / "requests.lua", [Request(PROFILE, {}, TOKEN)])
        path = folder / "script.lua"
        path.write_text(script(folder / "requests.lua", fresh=False, turn=0), encoding="utf-8")
        stack.enter_context(on_cores(cores.rest))
        alternatives = []
        for title, command in known.items():
            process_id, port = await stack.enter_async_context(started(command, cores))
            used = title == next(iter(known))
            alternatives.append(Alternative(title, _turn(process_id, port, path, seconds), used=used))
        use = (
            f"an answer of {len(ANSWER)} bytes to a POST of a document, with a token of {len(TOKEN)} bytes,"
            f" over {CONNECTIONS} connections"
        )
        return await measure("Server and event loop", use, alternatives, rounds, left_out)
