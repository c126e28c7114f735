"""R2: without the record, nothing leaves, whatever happens to the log or to the database."""

from __future__ import annotations

import asyncio
import re

import pytest
from starlette.routing import Route

from gateway.app import Gateway
from gateway.database import Database
from gateway.disclosure_verify import Verification
from gateway.keys import Keyring
from resolvers.disclosure_log import DisclosureLog
from schema.errors import DisclosureUnrecordedError
from tests import world
from tests.gateway.importing.files import owner
from tests.resolvers.test_disclosure_log import entry
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


FULL = (
    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$;"
    "CREATE TRIGGER full_disk BEFORE INSERT ON disclosure EXECUTE FUNCTION full_disk()"
)


async def _refused(callers: Callers) -> None:
    answer = await callers.ask("acme", SOME)
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"]["code"] == "DISCLOSURE_UNRECORDED"
    assert "data" not in answer.json()


async def _released(callers: Callers) -> None:
    assert (await callers.ask("acme", SOME)).json()["data"]["members"]["edges"]


async def _findings(database: Database, keys: Keyring) -> list[str]:
    run = Verification(keys.verification_keys, [])
    async with database.app.acquire() as connection, connection.transaction(readonly=True):
        return [str(finding) async for finding in run.database(connection, lambda _: None)]


@pytest.mark.clause("R2")
async def test_on_a_full_disk_nothing_leaves_and_afterwards_all_goes_on(
    callers: Callers, own_world: Database, keys: Keyring
) -> None:
    await _released(callers)
    async with owner(own_world) as connection:
        await connection.execute(FULL)
        await _refused(callers)
        await _refused(callers)
        await connection.execute("DROP TRIGGER full_disk ON disclosure")
    await _released(callers)
    assert await _findings(own_world, keys) == []


@pytest.mark.clause("R2")
async def test_while_the_writer_is_stalled_nothing_leaves_and_afterwards_all_goes_on(
    callers: Callers, own_world: Database, keys: Keyring
) -> None:
    async with owner(own_world) as connection:
        async with connection.transaction():
            await connection.execute("LOCK TABLE disclosure IN EXCLUSIVE MODE")
            await _refused(callers)
        await _released(callers)
    assert await _findings(own_world, keys) == []


@pytest.mark.clause("R2")
async def test_a_commit_that_fails_at_its_very_end_leaves_neither_gap_nor_fork(
    callers: Callers, own_world: Database, keys: Keyring
) -> None:
    """A deferred trigger raises inside COMMIT, when the rows have been accepted already."""
    async with owner(own_world) as connection:
        late = "AFTER INSERT ON disclosure DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        at_commit = FULL.replace("BEFORE INSERT ON disclosure", late)
        await connection.execute(at_commit.replace("CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER"))
        await _refused(callers)
        await connection.execute("DROP TRIGGER full_disk ON disclosure")
    await _released(callers)
    assert await _findings(own_world, keys) == []


@pytest.mark.clause("R2")
async def test_a_writer_that_died_is_started_again(own_world: Database, keys: Keyring) -> None:
    async with DisclosureLog(own_world.disclosures, flush_interval=0, timeout=2) as log:
        await log.record(entry())
        assert log._task is not None
        log._task.cancel()  # as when something nobody foresaw ends it
        await asyncio.wait([log._task])
        await log.record(entry())
    assert await _findings(own_world, keys) == []


@pytest.mark.clause("R2")
async def test_who_waits_when_the_service_stops_is_refused_and_nothing_stays_half_done(
    own_world: Database, keys: Keyring
) -> None:
    async with owner(own_world) as connection, connection.transaction():
        await connection.execute("LOCK TABLE disclosure IN EXCLUSIVE MODE")
        async with DisclosureLog(own_world.disclosures, flush_interval=0, timeout=5) as log:
            waiting = [asyncio.create_task(log.record(entry())) for _ in range(3)]
            await asyncio.sleep(0.1)
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DisclosureUnrecordedError}
    assert await own_world.app.fetchval("SELECT count(*) FROM disclosure") == 3, "those of the world"
    assert await _findings(own_world, keys) == []


WAYS: dict[str, str | None] = {
    "/graphql": "`Engine.run` releases an answer through `Egress`",
    "/partner/members.jsonl": "each chunk is released through `Egress` before its first byte",
    "/partner/suppressions/check": "the answer is released through `Egress`",
    "/partner/suppressions/scrub": "each batch is released through `Egress` before its lines",
    "/healthz": None,
    "/readyz": None,
}
"""Every route, and how it records what it sends to a partner. None: it sends nothing stored about anybody."""

APART = re.compile(
    r"/\.well-known/.*|/oauth/.*|/$|/policy(\.json|/.*)?$|/(account|explorer|unsubscribe|refuse|confirm|reset|supervis|assets)\b.*"
)
"""Pages for members and visitors, the policy, keys and metadata: a partner's token opens nothing there."""


@pytest.mark.clause("R2")
async def test_every_way_out_is_listed_with_how_it_records(gateway: Gateway) -> None:
    paths = {route.path for route in gateway.app.routes if isinstance(route, Route)}
    unlisted = {path for path in paths if path not in WAYS and not APART.fullmatch(path)}
    assert unlisted == set(), "a new route: say here how it records what it sends (R2)"
    assert set(WAYS) <= paths
    assert all(isinstance(route, Route) for route in gateway.app.routes), "no mounts: they hide routes"
