"""Reads the disclosure log: a page for officers, and all of it as a stream, for the proof and for keeping.

Nothing here changes a record: nobody can. A checkpoint is added by `add_checkpoint`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.disclosure_chain import ChainedRecord
from policies.disclosure_proof import Head, StoredRecord
from resolvers.connection import Link
from schema.errors import InputError

LARGEST_PAGE: Final = 1_000
"""Records that `list` prints at most: more is for `export`."""

_AHEAD: Final = 100
"""Records that a stream fetches at a time: with 500 members each, about a megabyte."""

_FIELDS: Final = tuple(ChainedRecord.__slots__)

_LOCK: Final = 6_417_284_312
"""The advisory lock of whoever adds a checkpoint: any number, the same for ever."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `list` narrows by. None: all. `until` itself is not included."""

    partner: str | None = None
    client: str | None = None
    member: str | None = None
    category: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_disclosures(
    connection: Link, wanted: Wanted, most: int, *, before: int | None = None
) -> Sequence[Record]:
    """The newest `most` records that are wanted, below the place `before`: ids, categories, how many members.

    Raises:
        InputError: there is no such partner or member.
    """
    partner_id = await _id_of(connection, wanted)
    query = (
        "SELECT place, recorded_at, partner.name AS partner, client_id, token_id, operation_name, basis,"
        " purpose, categories, cardinality(members) AS members, writer, position FROM disclosure"
        " LEFT JOIN partner ON partner.id = disclosure.partner_id"
        " WHERE ($1::uuid IS NULL OR partner_id = $1) AND ($2::text IS NULL OR client_id = $2)"
        " AND ($3::text IS NULL OR $3 = ANY (categories)) AND ($4::timestamptz IS NULL OR recorded_at >= $4)"
        " AND ($5::timestamptz IS NULL OR recorded_at < $5) AND ($6::bigint IS NULL OR place < $6)"
    )
    narrowed = (partner_id, wanted.client, wanted.category, wanted.since, wanted.until, before)
    if wanted.member is None:
        return await connection.fetch(f"{query} ORDER BY place DESC LIMIT $7", *narrowed, most)
    log_id = await connection.fetchval("SELECT log_id FROM member WHERE number = $1", wanted.member)
    if log_id is None:
        raise InputError("`--member`: there is no member of that number")
    return await connection.fetch(
        f"{query} AND place = ANY (ARRAY(SELECT disclosures_of($8, NULL, $9))) ORDER BY place DESC LIMIT $7",
        *narrowed,
        most,
        log_id,
        2**62,
    )


async def _id_of(connection: Link, wanted: Wanted) -> UUID | None:
    if wanted.partner is None:
        return None
    found: UUID | None = await connection.fetchval("SELECT id FROM partner WHERE name = $1", wanted.partner)
    if found is None:
        raise InputError("`--partner`: there is none of that name: see `gateway partner list`")
    return found


async def read_writers(connection: Link) -> Mapping[UUID, datetime]:
    """Whoever wrote records, and when they began."""
    rows = await connection.fetch("SELECT id, started_at FROM disclosure_writer")
    return {row["id"]: row["started_at"] for row in rows}


async def read_heads(connection: Link) -> Sequence[Head]:
    """The last record of each writer."""
    rows = await connection.fetch(
        "SELECT last.writer, last.position, last.digest FROM disclosure_writer w JOIN LATERAL"
        " (SELECT writer, position, digest FROM disclosure WHERE writer = w.id"
        " ORDER BY position DESC LIMIT 1) AS last ON true ORDER BY last.writer"
    )
    return [Head(row["writer"], row["position"], row["digest"]) for row in rows]


async def stream_records(connection: Link) -> AsyncIterator[StoredRecord]:
    """Every record, writer by writer, each by position. In a transaction of the caller's."""
    await connection.execute("SET LOCAL statement_timeout = 0")
    query = (
        "SELECT id, recorded_at, partner_id, agreement_id, client_id, token_id, operation_name,"
        " operation_hash, basis, purpose, categories, members, writer, position, digest, place"
        " FROM disclosure ORDER BY writer, position"
    )
    async for row in connection.cursor(query, prefetch=_AHEAD):
        record = ChainedRecord(**{name: row[name] for name in _FIELDS})
        yield StoredRecord(record, row["digest"], row["place"])


async def count_records(connection: Link) -> int:
    """How many records there are."""
    found: int = await connection.fetchval("SELECT count(*) FROM disclosure")
    return found


async def stream_checkpoints(connection: Link) -> AsyncIterator[tuple[int, str]]:
    """Number and statement of every checkpoint, in order. In a transaction of the caller's."""
    query = "SELECT number, statement FROM disclosure_checkpoint ORDER BY number"
    async for row in connection.cursor(query, prefetch=_AHEAD):
        yield row["number"], row["statement"]


async def newest_checkpoint(connection: Link) -> datetime | None:
    """When the last checkpoint was made."""
    found: datetime | None = await connection.fetchval("SELECT max(made_at) FROM disclosure_checkpoint")
    return found


async def newest_record(connection: Link) -> datetime | None:
    """When the last record was made."""
    found: datetime | None = await connection.fetchval(
        "SELECT recorded_at FROM disclosure ORDER BY place DESC LIMIT 1"
    )
    return found


Sign = Callable[[datetime, Sequence[Head], str | None], str]
"""The signed statement of a moment, the heads then, and the digest of the statement before."""


async def make_statement(connection: Link, now: datetime, sign: Sign) -> str:
    """A statement of the heads at this moment, which follows the last checkpoint, and is not kept here."""
    return sign(now, await read_heads(connection), await _last_digest(connection))


async def add_checkpoint(connection: Link, now: datetime, sign: Sign, *, unless_since: datetime) -> bool:
    """Add a checkpoint, unless there is one since then or nothing was recorded since the last.

    One transaction, the caller's.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    last = await connection.fetchrow(
        "SELECT made_at, records FROM disclosure_checkpoint ORDER BY number DESC LIMIT 1"
    )
    if last is not None and last["made_at"] > unless_since:
        return False
    heads = await read_heads(connection)
    records = sum(head.position for head in heads)
    if records == (0 if last is None else last["records"]):
        return False
    statement = sign(now, heads, await _last_digest(connection))
    await connection.execute(
        "INSERT INTO disclosure_checkpoint (made_at, records, statement) VALUES ($1, $2, $3)",
        now,
        records,
        statement,
    )
    return True


async def _last_digest(connection: Link) -> str | None:
    statement = await connection.fetchval(
        "SELECT statement FROM disclosure_checkpoint ORDER BY number DESC LIMIT 1"
    )
    return None if statement is None else statement_digest(statement)


def statement_digest(statement: str) -> str:
    """What the next checkpoint names this one by."""
    return sha256(statement.encode()).hexdigest()
