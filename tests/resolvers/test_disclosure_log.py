from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gateway.database import Database
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
    """A pool whose commits take as long, or fail, as a test says; it keeps what was committed."""

    def __init__(self, failure: Exception | None = None, *, delay: float = 0) -> None:
        self.commits: list[list[Any]] = []
        self._written: list[Any] = []
        self._failure = failure
        self._delay = delay

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connections]:
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self._written = []
        yield
        await asyncio.sleep(self._delay)
        self.commits.append(self._written)

    async def execute(self, statement: str, *_values: Any) -> None:
        assert statement.startswith(("SET LOCAL synchronous_commit = on", "INSERT INTO disclosure_writer"))

    async def executemany(self, _statement: str, rows: Sequence[Any]) -> None:
        if self._failure is not None:
            raise self._failure
        self._written = list(rows)


def log_on(connections: Any, *, timeout: float = 2.0) -> DisclosureLog:
    return DisclosureLog(connections, flush_interval=0.002, timeout=timeout)


@pytest.mark.clause("R2")
async def test_a_record_is_in_the_database_when_record_returns(database: Database) -> None:
    member = uuid4()
    async with log_on(database.app) as log:
        await log.record(entry(member))
        row = await database.reader.fetchrow("SELECT * FROM disclosure")
    assert row is not None
    assert row["members"] == [member]
    assert row["categories"] == ["user.contact.email", "user.name"]
    assert (row["basis"], row["purpose"]) == ("STRATEGIC", Purpose.JOINT_SERVICE.value)
    assert (row["client_id"], row["token_id"]) == ("acme-api", "a-token")


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
    assert [len(rows) for rows in connections.commits] == [20]


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
