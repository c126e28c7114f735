"""R2: the owner of the database changes the log in every way; `gateway disclosures verify` says where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from gateway.checkpoints import read_checkpoint, sign_checkpoint
from gateway.database import Database
from gateway.disclosure_lines import (
    checkpoint_line,
    end_line,
    read_record,
    read_writer,
    record_line,
    writer_line,
)
from gateway.disclosure_verify import Verification
from gateway.keys import Keyring
from policies.disclosure_chain import ChainedRecord, beginning, digest
from policies.disclosure_proof import Fault, Finding, StoredRecord
from resolvers.disclosure_log import DisclosureLog
from resolvers.disclosure_reading import (
    add_checkpoint,
    make_statement,
    read_writers,
    stream_checkpoints,
    stream_records,
)
from schema.errors import InputError
from tests.resolvers.test_disclosure_log import entry

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass
class Kept:
    """A log of two writers, its owner, and the statement that the officer took home."""

    database: Database
    owner: Any
    keys: Keyring
    statement: str
    writers: list[UUID]

    async def verify(self, *statements: str) -> list[Finding]:
        kept = [(f"file{i}", text) for i, text in enumerate(statements)]
        run = Verification(self.keys.verification_keys, kept)
        async with self.database.app.acquire() as connection, connection.transaction(readonly=True):
            return [finding async for finding in run.database(connection, lambda _: None)]

    async def faults(self, *statements: str) -> set[tuple[Fault, int | None]]:
        found = await self.verify(*statements or (self.statement,))
        assert all(finding.writer in {*self.writers, None} for finding in found)
        return {(finding.fault, finding.position) for finding in found}

    async def rewrite(self, writer: UUID, position: int) -> None:
        """Compute the chain of a writer anew from a position on, as an owner of the database can."""
        started = (await read_writers(self.owner))[writer]
        head = beginning(writer, started)
        async with self.owner.transaction():
            records = [r async for r in stream_records(self.owner) if r.record.writer == writer]
            for found in records:
                head = found.digest if found.record.position < position else digest(found.record, head)
                await self.owner.execute(
                    "UPDATE disclosure SET digest = $3 WHERE writer = $1 AND position = $2",
                    writer,
                    found.record.position,
                    head,
                )


async def write(database: Database, records: int) -> None:
    async with DisclosureLog(database.disclosures, flush_interval=0, timeout=5) as log:
        await asyncio.gather(*(log.record(entry(UUID(int=i))) for i in range(records)))


async def mark(database: Database, keys: Keyring, now: datetime) -> None:
    async with database.transaction() as connection:
        assert await add_checkpoint(connection, now, partial(sign_checkpoint, keys), unless_since=now)


@pytest.fixture
async def kept(database: Database, keys: Keyring) -> AsyncIterator[Kept]:
    await write(database, 6)
    await mark(database, keys, NOW)
    await write(database, 4)
    await mark(database, keys, NOW + timedelta(hours=1))
    async with database.transaction() as connection:
        statement = await make_statement(connection, NOW, partial(sign_checkpoint, keys))
    owner = await asyncpg.connect(database.url)
    rows = await owner.fetch("SELECT writer, count(*) AS n FROM disclosure GROUP BY 1 ORDER BY n DESC")
    yield Kept(database, owner, keys, statement, [row["writer"] for row in rows])
    await owner.close()


@pytest.mark.clause("R2")
async def test_a_log_that_nobody_touched_has_no_findings(kept: Kept) -> None:
    assert await kept.verify(kept.statement) == []
    assert len(read_checkpoint(kept.statement, kept.keys.verification_keys).heads) == 2


EDITS = {
    "id": "gen_random_uuid()",
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "partner_id": "gen_random_uuid()",
    "agreement_id": "gen_random_uuid()",
    "client_id": "client_id || ' '",
    "token_id": "''",
    "operation_name": "NULL",
    "operation_hash": "upper(operation_hash) || '0'",
    "basis": "'MARKETING'",
    "purpose": "'x'",
    "categories": "categories[1:1]",
    "members": "'{}'",
    "digest": "sha256('x')",
}


@pytest.mark.clause("R2")
async def test_an_edit_of_any_field_is_found_where_it_is(kept: Kept) -> None:
    chained = {*ChainedRecord.__slots__, "digest"} - {"writer", "position"}
    assert chained == set(EDITS)
    for column, value in EDITS.items():
        transaction = kept.owner.transaction()
        await transaction.start()
        statement = f"UPDATE disclosure SET {column} = {value} WHERE writer = $1 AND position = 3"
        await kept.owner.execute(statement, kept.writers[0])
        run = Verification(kept.keys.verification_keys, [])
        found = [finding async for finding in run.database(kept.owner, lambda _: None)]
        await transaction.rollback()
        # A digest that was changed does not fit its record, and the next record does not follow it.
        assert [f.position for f in found if f.fault is Fault.CHANGED] == (
            [3, 4] if column == "digest" else [3]
        )
        assert {f.writer for f in found} == {kept.writers[0]}


TAMPERINGS: dict[str, tuple[str, set[tuple[Fault, int | None]]]] = {
    "removed": (
        "DELETE FROM disclosure WHERE writer = $1 AND position = 3",
        {(Fault.MISSING, 4)},
    ),
    "the first removed": (
        "DELETE FROM disclosure WHERE writer = $1 AND position = 1",
        {(Fault.MISSING, 2)},
    ),
    "the end cut off": (
        "DELETE FROM disclosure WHERE writer = $1 AND position > 4",
        {(Fault.CUT_OFF, 4)},
    ),
    "two contents exchanged": (
        (
            "UPDATE disclosure d SET members = o.members FROM disclosure o WHERE d.writer = $1"
            " AND o.writer = $1 AND (d.position, o.position) IN ((2, 4), (4, 2))"
        ),
        {(Fault.CHANGED, 2), (Fault.CHANGED, 4)},
    ),
    "put elsewhere": (
        (
            "UPDATE disclosure SET position = CASE position WHEN 2 THEN -4 ELSE -2 END"
            " WHERE writer = $1 AND position IN (2, 4)"
        ),
        {(Fault.CHANGED, 2), (Fault.CHANGED, 3), (Fault.CHANGED, 4), (Fault.CHANGED, 5), (Fault.ORDER, 3),
         (Fault.ORDER, 4)},
    ),
    "put in at the end": (
        (
            "INSERT INTO disclosure (id, recorded_at, partner_id, agreement_id, client_id, token_id,"
            " operation_name, operation_hash, basis, purpose, categories, members, writer, position, digest)"
            " SELECT gen_random_uuid(), recorded_at, partner_id, agreement_id, client_id, token_id,"
            " operation_name, operation_hash, basis, purpose, categories, members, writer, 7, sha256('x')"
            " FROM disclosure WHERE writer = $1 AND position = 6"
        ),
        {(Fault.CHANGED, 7)},
    ),
    "a whole writer removed": (
        "WITH gone AS (DELETE FROM disclosure_writer WHERE id = $1) DELETE FROM disclosure WHERE writer = $1",
        {(Fault.WRITER_GONE, 6)},
    ),
    "a writer's row removed": (
        "DELETE FROM disclosure_writer WHERE id = $1",
        {(Fault.NO_BEGINNING, None)},
    ),
    "a writer's start changed": (
        "UPDATE disclosure_writer SET started_at = started_at - interval '1 second' WHERE id = $1",
        {(Fault.CHANGED, 1)},
    ),
}  # fmt: skip


@pytest.mark.clause("R2")
@pytest.mark.parametrize("name", TAMPERINGS)
async def test_what_the_owner_does_is_found_where_it_was_done(kept: Kept, name: str) -> None:
    statement, faults = TAMPERINGS[name]
    await kept.owner.execute(statement, kept.writers[0])
    if name == "put elsewhere":
        await kept.owner.execute("UPDATE disclosure SET position = -position WHERE position < 0")
    assert await kept.faults() == faults


@pytest.mark.clause("R2")
async def test_a_chain_written_anew_is_found_by_the_checkpoint_kept_elsewhere(kept: Kept) -> None:
    first = kept.writers[0]
    await kept.owner.execute("UPDATE disclosure SET members = '{}' WHERE writer = $1 AND position = 3", first)
    await kept.rewrite(first, 3)
    assert await kept.faults() == {(Fault.OTHER, 6)}
    await kept.owner.execute("DELETE FROM disclosure_checkpoint")
    assert await kept.faults() == {(Fault.OTHER, 6)}
    assert await kept.verify() == [], "without it nothing is left to compare with: the page says so"


@pytest.mark.clause("R2")
@pytest.mark.parametrize(
    ("statement", "position"),
    [
        ("UPDATE disclosure_checkpoint SET statement = $1 WHERE number = 2", "number 2"),
        ("UPDATE disclosure_checkpoint SET statement = replace($1, '.', '..') WHERE number = 1", "number 1"),
        ("DELETE FROM disclosure_checkpoint WHERE number = 1 AND $1 <> ''", "number 2"),
    ],
    ids=["put twice", "another text", "removed"],
)
async def test_a_checkpoint_that_was_replaced_or_removed_is_found(
    kept: Kept, statement: str, position: str
) -> None:
    first = await kept.owner.fetchval("SELECT statement FROM disclosure_checkpoint WHERE number = 1")
    await kept.owner.execute(statement, first)
    found = await kept.verify()
    assert {finding.fault for finding in found} == {Fault.CHECKPOINT}
    assert any((finding.source or "").startswith(position) for finding in found)


async def _export(kept: Kept) -> list[bytes]:
    lines = [writer_line(*item) for item in (await read_writers(kept.owner)).items()]
    async with kept.owner.transaction():
        lines += [checkpoint_line(*item) async for item in stream_checkpoints(kept.owner)]
        records = [record_line(found) async for found in stream_records(kept.owner)]
    return [*lines, *records, end_line(len(records))]


CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a line removed": lambda lines: [*lines[:6], *lines[7:-1], end_line(9)],
    "two lines exchanged": lambda lines: [*lines[:6], lines[7], lines[6], *lines[8:]],
    "a value changed": lambda lines: [*lines[:6], lines[6].replace(b"user.name", b"user.none"), *lines[7:]],
}


@pytest.mark.clause("R2")
@pytest.mark.parametrize("change", CHANGES)
async def test_an_export_is_verified_away_from_the_database(kept: Kept, tmp_path: Path, change: str) -> None:
    lines = await _export(kept)
    path = tmp_path / "log.jsonl"

    def verify(content: list[bytes]) -> list[Finding]:
        path.write_bytes(b"".join(content))
        run = Verification(kept.keys.verification_keys, [("kept", kept.statement)])
        return list(run.file(path, lambda _: None))

    assert verify(lines) == []
    assert verify(CHANGES[change](lines)) != []
    with pytest.raises(InputError, match="it has no end"):
        verify(lines[:-1])


def forged(lines: Sequence[bytes], client: str) -> list[bytes]:
    """The records of the first writer, with another client, and the digests that follow from it."""
    writers = dict(read_writer(orjson.loads(line)) for line in lines if b'{"writer"' in line)
    found = [read_record(orjson.loads(line)) for line in lines if line.startswith(b'{"record"')]
    writer = found[0].record.writer
    head, made = beginning(writer, writers[writer]), []
    for each in found:
        if each.record.writer == writer:
            record = replace(each.record, client_id=client)
            head = digest(record, head)
            made.append(record_line(StoredRecord(record, head, each.place)))
    return made


@pytest.mark.clause("R2")
async def test_an_export_cannot_be_put_together_so_that_nothing_is_compared(
    kept: Kept, tmp_path: Path
) -> None:
    """A chain has no secret: what names a chain is compared with all of it, in whatever order it is given."""
    lines = await _export(kept)
    kinds = {name: [x for x in lines if x.startswith(b'{"%s"' % name)] for name in (b"writer", b"checkpoint")}
    records = [line for line in lines if line.startswith(b'{"record"')]
    others = records[len(forged(lines, "acme")) :]
    instead = [*forged(lines, "other"), *others]
    beside = [*records, *forged(lines, "other")]
    path = tmp_path / "log.jsonl"

    def verify(content: list[bytes], *statements: str) -> list[Finding]:
        path.write_bytes(b"".join([*content, end_line(len(content) - 4)]))
        run = Verification(kept.keys.verification_keys, [("kept", text) for text in statements])
        return list(run.file(path, lambda _: None))

    first = [*kinds[b"writer"], *kinds[b"checkpoint"]]
    assert len(first) == 4
    assert Fault.OTHER in {finding.fault for finding in verify([*first, *instead])}
    with pytest.raises(InputError, match="order"):  # its own checkpoints, when nothing is left to compare
        verify([*kinds[b"writer"], *instead, *kinds[b"checkpoint"]])
    found = verify([*first, *beside], kept.statement)  # a second chain beside the true one
    assert {finding.fault for finding in found} == {Fault.TWICE}
