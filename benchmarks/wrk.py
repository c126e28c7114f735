"""The load: `wrk`, with a script of ours that sends prepared requests in turn.

In: requests and for how long. Out: what was answered, how fast. wrk waits for an answer before it sends
the next request on a connection, so what is measured is a closed loop of that many callers.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.texts import NUMBER
from benchmarks.workloads import Request

MISSING: Final = "`wrk` is not installed: it is the package `wrk` of Debian, Ubuntu, Fedora and Homebrew"

_SCRIPT: Final = """
local prepared = dofile("{requests}")
local fresh, round, every, different = {fresh}, {round}, {every}, {different}
local wires, count = {{}}, {begin}

function init(args)
  for index, one in ipairs(prepared) do
    local headers = {{
      ["Content-Type"] = "application/json",
      ["Accept"] = "application/json",
      ["Authorization"] = "Bearer " .. one.token,
    }}
    wires[index] = wrk.format("POST", "/graphql", headers, one.body)
  end
end

function request()
  count = count + 1
  local wire = wires[(count - 1) % #wires + 1]
  if not fresh then return wire end
  local number = string.format("%04d%08d", round, math.floor(count / every) % different)
  local text = wire:gsub("{number}", number, 1)
  return text
end

function done(summary, latency, requests)
  local wrong = summary.errors
  io.write(string.format(
    '\\n=> {{"requests": %d, "microseconds": %d, "bytes": %d, "mean": %.1f, "p50": %d, "p90": %d, "p99": %d,'
      .. ' "longest": %d, "refused": %d, "broken": %d}}\\n',
    summary.requests, summary.duration, summary.bytes, latency.mean, latency:percentile(50),
    latency:percentile(90), latency:percentile(99), latency.max, wrong.status,
    wrong.connect + wrong.read + wrong.write + wrong.timeout
  ))
end
"""


class LoadError(Exception):
    """The load could not be made, or was not answered as it should be."""


class TooSlowError(LoadError):
    """Nothing was answered for as long as was measured."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it. Latencies in microseconds; `size` in bytes of an answer with its headers."""

    requests: int
    seconds: float
    size: float
    p50: int
    p90: int
    p99: int
    longest: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def require_wrk() -> str:
    """The path of wrk.

    Raises:
        LoadError: it is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise LoadError(MISSING)
    return found


def write_requests(path: Path, requests: Sequence[Request]) -> None:
    """The requests as a table in Lua."""
    lines = [f"{{token={_lua(one.token)}, body={_lua(one.body)}}}," for one in requests]
    path.write_text("return {\n" + "\n".join(lines) + "\n}\n", encoding="utf-8")


def _lua(text: str) -> str:
    """A text in Lua. JSON of ours is ASCII, so only these four stand for something else."""
    for plain, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, written)
    return f'"{text}"'


def script(
    requests: Path,
    *,
    fresh: bool,
    turn: int,
    begin: int = 0,
    every: int = 1,
    different: int = 100_000_000,
) -> str:
    """The script that sends what is in `requests`. `turn` makes fresh requests differ from those before.

    The number in a fresh request rises once in `every` requests, counted from `begin`, and begins again after
    so many `different` ones.
    """
    return _SCRIPT.format(
        requests=requests,
        fresh=str(fresh).lower(),
        round=turn,
        number=NUMBER,
        begin=begin,
        every=every,
        different=different,
    )


def parse(output: str) -> Load:
    """What the script printed.

    Raises:
        TooSlowError: no request was answered.
        LoadError: a request failed, or nothing was printed.
    """
    line = next((line for line in output.splitlines() if line.startswith("=> ")), None)
    if line is None:
        raise LoadError(f"wrk printed no figures: {output[-500:]}")
    told: dict[str, Any] = json.loads(line[3:])
    if told["refused"] or told["broken"]:
        raise LoadError(
            f"of {told['requests']} requests {told['refused']} were refused, {told['broken']} not answered"
        )
    if not told["requests"]:
        raise TooSlowError("no request was answered in time")
    return Load(
        requests=told["requests"],
        seconds=told["microseconds"] / 1e6,
        size=told["bytes"] / told["requests"],
        p50=told["p50"],
        p90=told["p90"],
        p99=told["p99"],
        longest=told["longest"],
    )


async def load(port: int, script_path: Path, *, connections: int, seconds: int) -> Load:
    """Send for that long.

    Raises:
        LoadError: a request failed.
    """
    process = await asyncio.create_subprocess_exec(
        require_wrk(),
        "--threads=1",
        f"--connections={connections}",
        f"--duration={seconds}s",
        "--timeout=60s",
        f"--script={script_path}",
        f"http://127.0.0.1:{port}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return parse(output.decode())
