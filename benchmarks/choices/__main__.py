"""Each choice measured: `python -m benchmarks.choices [OPTIONS]`. See docs/performance.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.choices.checks import measure_checks
from benchmarks.choices.encoders import measure_json
from benchmarks.choices.measuring import Measured, table
from benchmarks.choices.pools import measure_pools
from benchmarks.choices.servers import measure_servers
from benchmarks.contestants import ROOT
from benchmarks.processes import ContestantError, divide_cores, on_cores
from benchmarks.scratch import scratch
from benchmarks.wrk import LoadError, require_wrk
from gateway.event_loop import run

PARTS: Final = ("server", "json", "pool", "token")
MEMBERS: Final = 50
RESULTS: Final = ROOT / "benchmarks" / "results" / "choices.md"


@dataclass(frozen=True, slots=True)
class Effort:
    """How often. `seconds` of a server's turn, whole ones; `uses` in a turn of a pool, a fifth for tokens."""

    rounds: int
    seconds: int
    uses: int


FULL: Final = Effort(rounds=7, seconds=2, uses=10_000)
QUICK: Final = Effort(rounds=1, seconds=1, uses=100)


async def measure_all(parts: Sequence[str], effort: Effort) -> Sequence[Measured]:
    """Each part in turn: this process on one core, PostgreSQL and wrk on the other.

    Raises:
        ContestantError: something does not run, or two ways do not agree.
        LoadError: a server failed to answer.
    """
    cores = divide_cores()
    measured: list[Measured] = []
    if "server" in parts:
        measured.append(await measure_servers(cores, effort.rounds, effort.seconds))
    if "json" in parts:
        with on_cores(cores.server):
            measured.extend(await measure_json(effort.rounds, max(1, effort.uses // 10)))
    if "pool" in parts or "token" in parts:
        with on_cores(cores.rest):  # PostgreSQL is started here, and stays
            async with scratch(MEMBERS) as (settings, keys, database, _):
                with on_cores(cores.server):
                    if "pool" in parts:
                        measured.extend(await measure_pools(database.url, effort.rounds, effort.uses))
                    if "token" in parts:
                        checked = await measure_checks(
                            settings, keys, database, effort.rounds, max(1, effort.uses // 5)
                        )
                        measured.append(checked)
    return measured


def main(words: Sequence[str]) -> None:
    """Measure what the options say."""
    parser = argparse.ArgumentParser(prog="benchmarks.choices", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts")
    parser.add_argument("--rounds", type=int, default=FULL.rounds)
    parser.add_argument("--seconds", type=int, default=FULL.seconds, help="of a server's turn")
    parser.add_argument("--uses", type=int, default=FULL.uses, help="in a turn of a pool")
    parser.add_argument("--quick", action="store_true", help="a look only: one short round of each")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(words)
    effort = QUICK if given.quick else Effort(given.rounds, given.seconds, given.uses)
    try:
        if "server" in given.only:
            require_wrk()
        measured = run(measure_all(given.only, effort))
    except (ContestantError, LoadError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")
    text = "\n".join(table(one) for one in measured)
    given.results.parent.mkdir(parents=True, exist_ok=True)
    given.results.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
