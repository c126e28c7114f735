from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gateway.database import Database
from policies.disclosure_chain import ChainedRecord
from policies.principal import PartnerPrincipal
from resolvers.disclosure_log import DisclosureEntry, DisclosureLog
from schema.categories import Basis, DataCategory, Purpose
from schema.errors import DisclosureUnrecordedError

PARTNER = PartnerPrincipal(
    partner_id=uuid4(),
    agreement_id=uuid4(),
    agreement_version=1,
    client_id="acme-api",
    token_id="a-token",
    basis=Basis.STRATEGIC,
    purpose=Purpose.JOINT_SERVICE,
    mask=0,
)


def entry(*members: UUID) -> DisclosureEntry:
    return DisclosureEntry(
        principal=PARTNER,
        recorded_at=datetime(2026, 3, 1, tzinfo=UTC),
        operation_name="Page",
        operation_hash="00",
        categories=frozenset({DataCategory.EMAIL, DataCategory.NAME}),
        members=members,
    )


class Connections:
    """A pool whose commits take as long, or fail, as a test says; it counts what was committed."""

    def __init__(self, failure: Exception | None = None, *, delay: float = 0) -> None:
        self.commits: list[int] = []
        self._written: list[int] | None = None
        self._failure = failure
        self._delay = delay

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connections]:
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self._written = []
        try:
            yield
            await self._commit(sum(self._written))
        finally:
            self._written = None

    async def execute(self, statement: str, *values: Any) -> None:
        if statement.startswith("INSERT INTO disclosure_writer"):
            return
        assert statement.startswith("INSERT INTO disclosure (")
        if self._failure is not None:
            raise self._failure
        records = len(values[0])
        if self._written is None:
            await self._commit(records)
        else:
            self._written.append(records)

    async def _commit(self, records: int) -> None:
        await asyncio.sleep(self._delay)
        self.commits.append(records)


def log_on(connections: Any, *, timeout: float = 2.0) -> DisclosureLog:
    return DisclosureLog(connections, flush_interval=0.002, timeout=timeout)


@pytest.mark.clause("R2")
async def test_a_record_is_in_the_database_when_record_returns(database: Database) -> None:
    member = uuid4()
    async with log_on(database.disclosures) as log:
        await log.record(entry(member))
        found = await database.reader.fetchrow("SELECT * FROM disclosure")
    assert found is not None
    assert found["members"] == [member]
    assert found["categories"] == ["user.contact.email", "user.name"]
    assert (found["basis"], found["purpose"]) == ("STRATEGIC", Purpose.JOINT_SERVICE.value)
    assert (found["client_id"], found["token_id"]) == ("acme-api", "a-token")


@pytest.mark.clause("R2")
async def test_record_does_not_return_before_the_commit() -> None:
    connections = Connections(delay=0.05)
    async with log_on(connections) as log:
        waiting = asyncio.create_task(log.record(entry()))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        await waiting
    assert len(connections.commits) == 1


async def test_records_under_way_together_share_a_commit() -> None:
    connections = Connections()
    async with log_on(connections) as log:
        await asyncio.gather(*(log.record(entry()) for _ in range(20)))
        await asyncio.gather(*(log.record(entry()) for _ in range(5)))
    assert connections.commits == [20, 5]


async def test_who_is_alone_does_not_wait_for_company() -> None:
    """The interval is beyond the time limit: whoever waits for it is refused."""
    connections = Connections()
    async with DisclosureLog(connections, flush_interval=60, timeout=0.3) as log:
        await log.record(entry())
        await log.record(entry())
        await asyncio.gather(log.record(entry()), log.record(entry()))
        assert connections.commits == [1, 1, 2]
        with pytest.raises(DisclosureUnrecordedError):
            await log.record(entry())


@pytest.mark.clause("R2")
@pytest.mark.parametrize("failure", [asyncpg.DiskFullError("disk full"), OSError("gone"), ValueError("odd")])
async def test_whatever_fails_nothing_is_released_and_the_next_is_tried(failure: Exception) -> None:
    connections = Connections(failure)
    async with log_on(connections) as log:
        with pytest.raises(DisclosureUnrecordedError):
            await log.record(entry())
        connections._failure = None
        await log.record(entry())
    assert len(connections.commits) == 1


@pytest.mark.clause("R2")
async def test_a_commit_that_takes_too_long_is_no_commit() -> None:
    async with log_on(Connections(delay=5), timeout=0.05) as log:
        with pytest.raises(DisclosureUnrecordedError):
            await log.record(entry())


@pytest.mark.clause("R2")
async def test_a_log_that_is_stopping_or_stopped_refuses() -> None:
    log = log_on(Connections(delay=5))
    with pytest.raises(DisclosureUnrecordedError):
        await log.record(entry())
    async with log:
        waiting = asyncio.create_task(log.record(entry()))
        await asyncio.sleep(0.02)
    with pytest.raises(DisclosureUnrecordedError):
        await waiting


@pytest.mark.clause("R2")
async def test_what_is_recorded_is_what_the_database_holds(database: Database) -> None:
    moment = datetime(2026, 11, 25, 12, 30, 59, 123456, tzinfo=timezone(timedelta(hours=-7)))
    odd = replace(
        entry(*(UUID(int=7**n) for n in range(40))),
        principal=replace(
            PARTNER, client_id='{"quoted", \\}', token_id="caf\u00e9 \U0001f9ff", basis=Basis.LEGAL
        ),
        recorded_at=moment,
        operation_name=None,
        categories=frozenset(DataCategory),
    )
    bare = replace(entry(), categories=frozenset(), operation_name="", operation_hash="\\N")
    entries = [odd, bare, entry(UUID(int=0), UUID(int=2**128 - 1), UUID(int=0))]
    async with log_on(database.disclosures) as log:
        await asyncio.gather(*map(log.record, entries))
    stored = await database.reader.fetch("SELECT * FROM disclosure ORDER BY place")
    for position, (given, found) in enumerate(zip(entries, stored, strict=True), start=1):
        record = given.chained(found["writer"], position)
        expected = {name: getattr(record, name) for name in ChainedRecord.__slots__ if name != "id"}
        expected |= {"categories": list(record.categories), "members": list(record.members)}
        assert {name: found[name] for name in expected} == expected


@pytest.mark.clause("R2")
async def test_a_session_that_was_not_made_ready_for_the_log_records_nothing(database: Database) -> None:
    async with log_on(database.app) as log:
        with pytest.raises(DisclosureUnrecordedError):
            await log.record(entry(uuid4()))
    assert await database.reader.fetchval("SELECT count(*) FROM disclosure") == 0


@pytest.mark.clause("R2")
async def test_a_commit_of_the_log_is_durable_whatever_the_server_does_by_default(database: Database) -> None:
    assert await database.app.fetchval("SHOW synchronous_commit") == "off"  # of the tests' server
    assert await database.disclosures.fetchval("SHOW synchronous_commit") == "on"
