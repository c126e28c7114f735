from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gateway.database import Database
from policies.disclosure_chain import ChainedRecord
from policies.principal import PartnerPrincipal
from resolvers.disclosure_copy import COLUMNS, copied, row
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

    async def execute(self, statement: str, *_values: Any) -> None:
        assert statement.startswith("INSERT INTO disclosure_writer")

    async def copy_to_table(self, table: str, *, source: BytesIO, **_options: Any) -> None:
        assert table == "disclosure"
        if self._failure is not None:
            raise self._failure
        records = source.getvalue().count(b"a-token")
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
    async with log_on(database.app) as log:
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


WRITTEN = [
    ChainedRecord(
        id=UUID(int=1),
        recorded_at=datetime(2026, 11, 25, 12, 30, 59, 123456, tzinfo=UTC),
        partner_id=UUID(int=2**128 - 1),
        agreement_id=UUID(int=3),
        client_id="",
        token_id="caf\u00e9 \U0001f9ff",
        operation_name=None,
        operation_hash="\\N",
        basis="STRATEGIC",
        purpose="\t\n\\",
        categories=(),
        members=(),
        writer=UUID(int=4),
        position=1,
    ),
    ChainedRecord(
        id=UUID(int=5),
        recorded_at=datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-7))),
        partner_id=UUID(int=2),
        agreement_id=UUID(int=3),
        client_id="acme-api",
        token_id="a-token",
        operation_name="",
        operation_hash="00",
        basis="LEGAL",
        purpose="{}",
        categories=("user.name", '{"quoted", \\}', ""),
        members=tuple(UUID(int=7**n) for n in range(40)),
        writer=UUID(int=4),
        position=2**63 - 1,
    ),
]


@pytest.mark.clause("R2")
async def test_what_is_copied_is_what_the_database_holds(database: Database) -> None:
    digests = [bytes(range(32)), bytes(32)]
    data = copied(row(record, digest) for record, digest in zip(WRITTEN, digests, strict=True))
    async with database.disclosures.acquire() as connection:
        await connection.copy_to_table("disclosure", source=BytesIO(data), columns=COLUMNS, format="binary")
    stored = await database.reader.fetch(f"SELECT {', '.join(COLUMNS)} FROM disclosure ORDER BY place")
    for record, digest, found in zip(WRITTEN, digests, stored, strict=True):
        expected = [getattr(record, name) for name in ChainedRecord.__slots__]
        expected = [list(value) if isinstance(value, tuple) else value for value in expected]
        assert list(found) == [*expected, digest]


@pytest.mark.clause("R2")
async def test_a_commit_of_the_log_is_durable_whatever_the_server_does_by_default(database: Database) -> None:
    assert await database.app.fetchval("SHOW synchronous_commit") == "off"  # of the tests' server
    assert await database.disclosures.fetchval("SHOW synchronous_commit") == "on"
