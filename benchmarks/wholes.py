"""Work that is measured as a whole and not by the request: all members, all changes, all rows of a file.

In: a populated world, running gateways. Out: rows a second and processor time a row, round by round, of the
gateway beside `copy`: `COPY (SELECT ...) TO STDOUT` through psql, which is what the database itself can give.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from benchmarks.checking import DifferenceError
from benchmarks.figures import COPY, MICRO, Round
from benchmarks.population import World
from benchmarks.processes import Running, processor_seconds
from gateway.bulk import PATH as BULK
from gateway.server_binaries import server_binaries

BULK_TITLE: Final = "bulk stream of all members of a partner, as JSON"
FEED_TITLE: Final = "feed catch-up from the beginning, 500 changes a page, each with the member"
IMPORT_TITLE: Final = "import of members from CSV"
FEED_PAGE: Final = 500
FEED_LINES: Final = 100_000
_FOLDER: Final = Path(__file__).parent
FOLLOW: Final = (_FOLDER / "documents" / "feed.graphql").read_text(encoding="utf-8")
CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Whole:
    """One way to do all of it once: it gives the number of rows, and runs in `process` (none: psql)."""

    name: str
    act: Callable[[], Awaitable[int]]
    process: int | None


async def measure(world: World, whole: Whole) -> Round:
    """Do it once. Times are of a row; what would be latencies are how long all of it took."""
    database = world.server.process_id
    before = _used(whole.process), processor_seconds(database)
    began = time.perf_counter()
    rows = await whole.act()
    seconds = time.perf_counter() - began
    after = _used(whole.process), processor_seconds(database)
    return Round(
        rate=rows / seconds,
        p50=seconds * MICRO,
        p99=seconds * MICRO,
        server=(after[0] - before[0]) / rows * MICRO,
        database=(after[1] - before[1]) / rows * MICRO,
        size=rows,
    )


def _used(process: int | None) -> float:
    return 0.0 if process is None else processor_seconds(process)


async def bulk(world: World, gateways: Sequence[Running]) -> Sequence[Whole]:
    """All members of one partner, by each gateway and by COPY: compared once, then to be measured.

    Raises:
        DifferenceError: they are not the same members.
    """
    token, statement = world.client_token(0), await _statement(world, "bulk")
    truth = await _lines_of_copy(world, statement)
    for running in gateways:
        mine = await _lines_of_bulk(running, token)
        if mine != truth:
            raise DifferenceError(
                f"`{running.contestant.name}` streams {len(mine)} members, not these {len(truth)}"
            )
    return [
        Whole(COPY, lambda: _copied(world, statement), None),
        *(Whole(one.contestant.name, _taking(one, token), one.process_id) for one in gateways),
    ]


def _taking(running: Running, token: str) -> Callable[[], Awaitable[int]]:
    async def take() -> int:
        """Read as fast as it comes and keep nothing but the end, where the number of members stands."""
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=CHUNK)
        lines = (f"GET {BULK} HTTP/1.1", "Host: bench", "Connection: close", f"Authorization: Bearer {token}")
        writer.write("\r\n".join((*lines, "", "")).encode())
        end = b""
        while part := await reader.read(CHUNK):
            end = (end + part)[-1_000:]
        writer.close()
        found = end.rpartition(b'{"end":true,"count":')[2].partition(b"}")[0]
        return int(found)

    return take


async def _lines_of_bulk(running: Running, token: str) -> Mapping[str, Any]:
    found = {}
    async with (
        httpx.AsyncClient(timeout=120) as client,
        client.stream("GET", running.url + BULK, headers={"Authorization": f"Bearer {token}"}) as answer,
    ):
        async for line in answer.aiter_lines():
            told = json.loads(line)
            if "node" in told:
                found[told["node"]["id"]] = told["node"]
    return found


async def _lines_of_copy(world: World, statement: str) -> Mapping[str, Any]:
    process = await _psql(world, statement, asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    # COPY doubles the backslashes of its text format.
    rows = (json.loads(line.replace("\\\\", "\\")) for line in output.decode().splitlines())
    return {row["id"]: row for row in rows}


async def _statement(world: World, name: str) -> str:
    """A statement for COPY, for the first client, on one line."""
    connection = await asyncpg.connect(world.server.url())
    try:
        row = await connection.fetchrow("SELECT * FROM bench.standing WHERE client_id = $1", world.clients[0])
    finally:
        await connection.close()
    assert row is not None  # noqa: S101 - the client was made with the data
    text = (_FOLDER / "statements" / f"{name}.sql").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    asked = " ".join(" ".join(lines).split())
    return asked.replace(":agreement", f"'{row['agreement_id']}'").replace(":mask", str(row["mask"]))


async def _psql(world: World, statement: str, output: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        str(server_binaries() / "psql"),
        "--no-psqlrc",
        "--quiet",
        "--command",
        f"COPY ({statement}) TO STDOUT",
        world.server.url(),
        stdout=output,
        env={**os.environ, "LC_ALL": "C"},
    )


async def run_psql(world: World, command: str) -> None:
    """Run a command of psql, as the owner.

    Raises:
        DifferenceError: it failed.
    """
    psql = str(server_binaries() / "psql")
    words = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", command, world.server.url())
    process = await asyncio.create_subprocess_exec(psql, *words, env={**os.environ, "LC_ALL": "C"})
    if await process.wait():
        raise DifferenceError("psql failed")


async def _copied(world: World, statement: str) -> int:
    process = await _psql(world, statement, asyncio.subprocess.PIPE)
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    rows = 0
    while part := await process.stdout.read(CHUNK):
        rows += part.count(b"\n")
    if await process.wait():
        raise DifferenceError("psql failed")
    return rows


async def feed(world: World, gateways: Sequence[Running]) -> Sequence[Whole]:
    """The feed of one partner from its beginning, as many lines as there are."""
    token, statement = world.client_token(0), await _statement(world, "feed")
    limited = f"{statement} LIMIT {FEED_LINES}"
    truth = await _copied(world, limited)
    wholes = [Whole(one.contestant.name, _following(one, token, truth), one.process_id) for one in gateways]
    return [Whole(COPY, lambda: _copied(world, limited), None), *wholes]


def _following(running: Running, token: str, lines: int) -> Callable[[], Awaitable[int]]:
    async def follow() -> int:
        after, seen = None, 0
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
            while seen < lines:
                variables = {"first": FEED_PAGE, "after": after}
                answer = await client.post(
                    running.url + "/graphql", json={"query": FOLLOW, "variables": variables}
                )
                changes = answer.json()["data"]["changes"]
                seen += len(changes["edges"])
                after = changes["pageInfo"]["endCursor"]
                if not changes["pageInfo"]["hasNextPage"]:
                    break
        return seen

    return follow
