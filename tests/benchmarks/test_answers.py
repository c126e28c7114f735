"""Everybody who is measured gives the gateway's answers, on a small population."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from benchmarks.checking import Asking, DifferenceError, compare, compare_refusals
from benchmarks.contestants import contestants
from benchmarks.filling import Size, make
from benchmarks.population import World, opened
from benchmarks.processes import Cores, divide_cores, processor_seconds, resident_bytes, started
from benchmarks.wholes import bulk
from benchmarks.workloads import WORKLOADS, Request

pytestmark = pytest.mark.slow

SMALL = Size(members=600, partners=10, clients=8)


@pytest.fixture(scope="module")
async def small(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("benchmark")
    await make(folder, SMALL)
    async with opened(folder, SMALL, {"fsync": "off"}) as world:
        yield world


@pytest.fixture(scope="module")
async def askings(small: World) -> AsyncIterator[Mapping[str, Asking]]:
    everywhere = divide_cores()
    cores = Cores(everywhere.server | everywhere.rest, everywhere.server | everywhere.rest)
    async with AsyncExitStack() as stack:
        found = {}
        for name in ("gateway", "gateway-unlogged", "limit", "naive"):
            running = await stack.enter_async_context(started(contestants()[name], small, cores))
            found[name] = Asking(running)
            stack.callback(found[name].close)
        yield found


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda one: one.name)
def test_all_answer_alike(small: World, askings: Mapping[str, Asking], workload: Any) -> None:
    taking = [one for one in askings.values() if workload.name in one.running.contestant.workloads]
    assert compare(small, taking, workload) > 3


def test_nobody_answers_those_who_may_not_ask(small: World, askings: Mapping[str, Asking]) -> None:
    compare_refusals(small, list(askings.values()))


def test_a_difference_is_found(small: World, askings: Mapping[str, Asking]) -> None:
    class Lying(Asking):
        def ask(self, request: Request) -> Mapping[str, Any]:
            return {"me": {**super().ask(request)["me"], "email": "other@example.org"}}

    lying = Lying(askings["limit"].running)
    with pytest.raises(DifferenceError, match="`limit` answers"):
        compare(small, [askings["gateway"], lying], WORKLOADS[0])
    lying.close()


async def test_only_the_gateway_without_a_log_records_nothing(
    small: World, askings: Mapping[str, Asking]
) -> None:
    async def recorded() -> int:
        connection = await asyncpg.connect(small.server.url())
        try:
            return int(await connection.fetchval("SELECT count(*) FROM disclosure"))
        finally:
            await connection.close()

    page = Request("query One { members(first: 1) { edges { node { id } } } }", {}, small.client_token(0))
    before = await recorded()
    assert askings["gateway"].ask(page) == askings["gateway-unlogged"].ask(page)
    assert await recorded() == before + 1


async def test_a_bulk_stream_has_the_members_that_copy_has(
    small: World, askings: Mapping[str, Asking]
) -> None:
    ways = await bulk(small, [askings["gateway"].running])
    counts = {await way.act() for way in ways}
    assert len(counts) == 1
    assert counts.pop() > 100


def test_what_processes_use_is_counted(small: World, askings: Mapping[str, Asking]) -> None:
    process = askings["gateway"].running.process_id
    assert processor_seconds(process) > 0
    assert processor_seconds(small.server.process_id) > 0
    assert resident_bytes(process) > 10_000_000
