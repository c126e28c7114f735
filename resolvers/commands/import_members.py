"""The import of one file, batch by batch: each batch is one transaction, with its progress in it.

INVARIANT (all-or-nothing): members, vault, choices, shares and the line of `import_job` commit together,
so a process killed at any point loses nothing and repeats nothing: the next run goes on after `rows_done`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg

from policies.matrix import Matrix
from resolvers.commands.member_records import MemberRecord, OptionalColumn
from resolvers.commands.members import Conflict, UpsertOutcome, upsert_members
from resolvers.shares import refresh_shares, take_turn
from schema.errors import UnavailableError
from schema.ids import new_id

if TYPE_CHECKING:
    from asyncpg import Record

    from resolvers.connection import Link


@dataclass(frozen=True, slots=True)
class Job:
    """How far the import of one file came. `rows_done` is the number of the last row done."""

    id: UUID
    rows_done: int
    accepted: int
    invited: int
    rejected: int
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows up to number `last_row`: records with distinct member numbers, and a count of the rejected."""

    last_row: int
    records: Sequence[MemberRecord]
    rejected: int


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a batch needs beside its rows: the columns of the file, the key's name, policy, clock."""

    stated: frozenset[OptionalColumn]
    key_id: str
    matrix: Matrix
    now: datetime


async def open_job(connection: Link, *, file_sha256: str, mapping: str, now: datetime, again: bool) -> Job:
    """The job of this file and mapping, made where there is none; `again` starts a finished one over."""
    await connection.execute(
        "INSERT INTO import_job"
        " (id, file_sha256, mapping, rows_done, accepted, invited, rejected, started_at)"
        " VALUES ($1, $2, $3, 0, 0, 0, 0, $4) ON CONFLICT (file_sha256, mapping) DO NOTHING",
        new_id(),
        file_sha256,
        mapping,
        now,
    )
    if again:
        await connection.execute(
            "UPDATE import_job SET rows_done = 0, accepted = 0, invited = 0, rejected = 0, started_at = $3,"
            " finished_at = NULL WHERE file_sha256 = $1 AND mapping = $2 AND finished_at IS NOT NULL",
            file_sha256,
            mapping,
            now,
        )
    row = await connection.fetchrow(
        f"SELECT {_JOB} FROM import_job WHERE file_sha256 = $1 AND mapping = $2", file_sha256, mapping
    )
    return _job(row)


async def import_batch(
    connection: Link, job: Job, batch: Batch, using: Ingredients
) -> tuple[Job, list[Conflict]]:
    """Store one batch inside a transaction of the caller's: the job as it then stands, and who was set aside.

    Raises:
        UnavailableError: another process imports the same file, or a concurrent command made the same
            member, e-mail address or user name: the same batch may succeed when tried again.
    """
    await take_turn(connection)
    await _lock(connection, job)
    try:
        outcome = await upsert_members(
            connection, batch.records, stated=using.stated, key_id=using.key_id, now=using.now
        )
    except asyncpg.UniqueViolationError:
        # Its text quotes the value, so it is neither the message nor the cause.
        raise UnavailableError("somebody else stored one of these members meanwhile: try again") from None
    await _refresh(connection, outcome, using)
    set_aside = {conflict.row for conflict in outcome.conflicts}
    stored = [record for record in batch.records if record.row not in set_aside]
    accepted = sum(record.complete for record in stored)
    row = await connection.fetchrow(
        "UPDATE import_job SET rows_done = $2, accepted = accepted + $3, invited = invited + $4,"
        f" rejected = rejected + $5 WHERE id = $1 RETURNING {_JOB}",
        job.id,
        batch.last_row,
        accepted,
        len(stored) - accepted,
        batch.rejected + len(set_aside),
    )
    return _job(row), outcome.conflicts


async def finish_job(connection: Link, job: Job, now: datetime) -> Job:
    """Note that the file was read to its end."""
    row = await connection.fetchrow(
        f"UPDATE import_job SET finished_at = $2 WHERE id = $1 RETURNING {_JOB}", job.id, now
    )
    return _job(row)


_JOB: Final = "id, rows_done, accepted, invited, rejected, finished_at"


def _job(row: Record | None) -> Job:
    if row is None:
        raise UnavailableError("the import's progress is gone from the database: start the import again")
    return Job(**dict(row))


async def _lock(connection: Link, job: Job) -> None:
    """One process at a time writes a job; whoever finds that it went on meanwhile stops."""
    done = await connection.fetchval("SELECT rows_done FROM import_job WHERE id = $1 FOR UPDATE", job.id)
    if done != job.rows_done:
        raise UnavailableError("another process imports the same file: wait until it has finished")


async def _refresh(connection: Link, outcome: UpsertOutcome, using: Ingredients) -> None:
    if outcome.created:
        await refresh_shares(connection, using.matrix, now=using.now, members=outcome.created)
    for mask, members in outcome.touched.items():
        await refresh_shares(connection, using.matrix, now=using.now, members=members, changed=mask)
