"""Each choice can be measured; how long anything takes is no test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest

from benchmarks.choices.answering import ANSWER, UVICORN, app
from benchmarks.choices.checks import measure_checks
from benchmarks.choices.encoders import measure_json
from benchmarks.choices.measuring import Alternative, Cost, Measured, measure, table
from benchmarks.choices.pools import measure_pools
from benchmarks.choices.servers import TOKEN, commands, started
from benchmarks.processes import ContestantError, divide_cores
from gateway.database import Database
from gateway.keys import Keyring
from gateway.settings import Settings


def steps(*costs: Cost) -> Callable[[], Awaitable[Cost]]:
    left = iter(costs)

    async def turn() -> Cost:
        return next(left)

    return turn


def is_whole(measured: Measured, alternatives: int) -> bool:
    return (
        measured.used in measured.rounds
        and len(measured.rounds) == alternatives
        and all(len(costs) == 1 for costs in measured.rounds.values())
    )


async def test_the_first_round_does_not_count_and_ratios_are_taken_round_by_round() -> None:
    ours = Alternative("ours", steps(Cost(900), Cost(10), Cost(20)), used=True)
    other = Alternative("other", steps(Cost(1), Cost(20), Cost(80)))
    told = table(await measure("Title", "one use", [ours, other], 2, ["a third"]))
    assert "| **ours** | 15.0 (10.0 to 20.0) | 1 |" in told
    assert "| other | 50.0 (20.0 to 80.0) | 3.00 (2.00 to 4.00) |" in told
    assert told.index("ours") < told.index("other")
    assert told.endswith("Left out: a third\n")


async def test_the_time_of_the_database_has_a_column_where_it_took_part() -> None:
    told = table(await measure("Title", "one use", [Alternative("a", steps(Cost(1), Cost(2, 3)))], 1))
    assert "| a | 2.00 (2.00 to 2.00) | 3.00 (3.00 to 3.00) | - |" in told


@pytest.mark.parametrize("title", commands()[0])
async def test_each_server_that_is_installed_gives_the_same_answer(title: str) -> None:
    async with started(commands()[0][title], divide_cores()) as (_, port), httpx.AsyncClient() as client:
        url, headers = f"http://127.0.0.1:{port}/graphql", {"authorization": f"Bearer {TOKEN}"}
        answer = await client.post(url, json={"query": "{ me { number } }"}, headers=headers)
        assert (answer.status_code, answer.content) == (200, ANSWER)
        assert (await client.post(url, json={"query": "{ me { number } }"})).status_code == 400


def test_what_is_not_installed_is_said_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    found, (left_out,) = commands()
    assert len(found) == len(UVICORN)
    assert "pip install" in left_out


async def test_a_server_that_ends_at_once_is_told() -> None:
    with pytest.raises(ContestantError):
        async with started(["false"], divide_cores()):
            pass


def test_the_application_has_the_interface_of_granian_too() -> None:
    assert hasattr(app, "__rsgi__")


async def test_libraries_are_compared_on_what_all_of_them_write_alike() -> None:
    for measured in await measure_json(1, 1):
        assert {"orjson", "json"} <= set(measured.rounds)
        assert measured.used == "orjson"


async def test_libraries_that_disagree_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.choices.encoders._json", lambda _: b"{}")
    with pytest.raises(ContestantError, match="agree"):
        await measure_json(1, 1)


async def test_pools_and_checks_are_measured_on_a_database(
    database: Database, settings: Settings, keys: Keyring
) -> None:
    await database.app.execute(
        "INSERT INTO member (id, number, status, given_name, family_name, email, interests,"
        " purchase_categories, joined_at, updated_at, version)"
        " VALUES (gen_random_uuid(), 'M-1', 'ACTIVE', 'Ada', 'Example', 'ada@example.org', '{}', '{}',"
        " now(), now(), 1)"
    )
    smallest, profile = await measure_pools(database.url, 1, 20)
    assert is_whole(smallest, 3)
    assert is_whole(profile, 3)
    assert is_whole(await measure_checks(settings, keys, database, 1, 5), 4)
