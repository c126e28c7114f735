"""Starts contestants on a population and compares their answers with the gateway's.

python -m benchmarks.check [--members N] [--partners N] [NAME ...]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from benchmarks.checking import Asking, DifferenceError, compare, compare_refusals
from benchmarks.contestants import Contestant, contestants
from benchmarks.filling import Size
from benchmarks.population import size_arguments, stop_in_order, world
from benchmarks.processes import ContestantError, divide_cores, started
from benchmarks.workloads import WORKLOADS


async def check(size: Size, others: Sequence[Contestant]) -> None:
    """Return if all answer like the gateway.

    Raises:
        DifferenceError: one does not.
        ContestantError: one does not run.
    """
    cores = divide_cores()
    async with world(size) as running, AsyncExitStack() as stack:
        everybody = [contestants()["gateway"], *others]
        asking = []
        for contestant in everybody:
            asking.append(Asking(await stack.enter_async_context(started(contestant, running, cores))))
            stack.callback(asking[-1].close)
        compare_refusals(running, asking)
        for workload in WORKLOADS:
            taking = [one for one in asking if workload.name in one.running.contestant.workloads]
            compared = compare(running, taking, workload)
            names = ", ".join(one.running.contestant.name for one in taking)
            print(f"{workload.name}: {compared} answers of {names} are equal")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="benchmarks.check")
    size_arguments(arguments)
    arguments.add_argument("names", nargs="*")
    given = arguments.parse_args()
    stop_in_order()
    known = contestants()
    chosen = given.names or [name for name in known if name != "gateway"]
    try:
        asyncio.run(check(Size(given.members, given.partners), [known[name] for name in chosen]))
    except (DifferenceError, ContestantError) as error:
        sys.exit(f"error: {error}")
