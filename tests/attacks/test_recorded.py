"""R2: without the record, nothing leaves, whatever happens to the log or to the database."""

from __future__ import annotations

import asyncio

import pytest

from gateway.database import Database
from tests import world
from tests.gateway.importing.files import owner
from tests.running import Callers

SOME = "{ members(first: 5) { totalCount edges { node { id name email } } } }"


@pytest.mark.clause("R2")
async def test_nothing_leaves_while_the_log_cannot_be_written(callers: Callers, own_world: Database) -> None:
    subjects = [str(world.subject("acme", person.name.lower())) for person in world.PEOPLE]
    async with owner(own_world) as connection:
        await connection.execute("REVOKE INSERT ON disclosure FROM gateway_app")
        refused = [
            await callers.ask("acme", SOME),
            await callers.ask("acme", "query($id: ID!) { member(id: $id) { name } }", id=subjects[0]),
            await callers.ask("acme", "{ members { totalCount } }"),
            await callers.ask("acme", "{ viewer { audience } members { totalCount } }"),
        ]
        await connection.execute("GRANT INSERT ON disclosure TO gateway_app")

    for answer in refused:
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["extensions"]["code"] == "DISCLOSURE_UNRECORDED"
        assert "data" not in answer.json()
        assert not any(subject in answer.text for subject in subjects)
    assert (await callers.ask("acme", SOME)).json()["data"]["members"]["edges"]


@pytest.mark.clause("R2")
async def test_what_left_has_its_record_when_the_database_loses_its_connections(
    callers: Callers, own_world: Database
) -> None:
    async with owner(own_world) as connection:
        before = await connection.fetchval("SELECT count(*) FROM disclosure")
        kill = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename IN ('gateway_app', 'gateway_reader')"
        )

        async def killing() -> None:
            for _ in range(6):
                await asyncio.sleep(0.02)
                await connection.execute(kill)

        answers, _ = await asyncio.gather(
            asyncio.gather(*(callers.ask("acme", SOME) for _ in range(60))), killing()
        )
        recorded = await connection.fetchval("SELECT count(*) FROM disclosure") - before
    released = [answer for answer in answers if answer.json().get("data")]

    assert [answer.text for answer in answers if answer.status_code not in {200, 503}] == []
    assert len(released) <= recorded
    refused = [
        answer.json()["errors"][0]["extensions"]["code"] for answer in answers if answer not in released
    ]
    assert set(refused) <= {"UNAVAILABLE", "DISCLOSURE_UNRECORDED"}
    assert len(released) + len(refused) == len(answers)
