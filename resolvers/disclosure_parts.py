"""Makes a member's records quick to find: a stretch of the log after the other becomes a part.

The log itself has no index by member: it would cost each commit six times its own work. A part holds the
members of its records in 1,024 buckets, each with who has a record and at which place; it is made once, in
the background, from records that do not change any more. `disclosures_of` looks at parts, and at the newest
records one by one, so that an answer never depends on how far this has come; only its speed does.
"""

from __future__ import annotations

import asyncio
from typing import Final

from resolvers.connection import Link

PART: Final = 512
"""Records of a part when it is made. So many are looked at one by one, 8 us each with 500 members."""

TOGETHER: Final = 4
"""Parts of one size that become one."""

MOST_ENTRIES: Final = 1_200_000
"""Of a part that is made of others: more would keep a transaction open for too long."""

_LOCK: Final = 6_417_284_311
"""The advisory lock of whoever makes parts: any number, the same for ever."""

_PATIENCE: Final = 50
"""Looks at transactions that may still add to a stretch, 20 ms apart."""


async def make_part(connection: Link) -> bool:
    """Put parts together, or make the next one; whether there may be more. One transaction, the caller's."""
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
        return False
    await connection.execute("SET LOCAL statement_timeout = 0")
    await connection.execute("SET LOCAL work_mem = '64MB'")
    if await _put_together(connection):
        return True
    since = 1 + await connection.fetchval("SELECT coalesce(max(until), 0) FROM disclosure_part")
    newest = await connection.fetchval("SELECT max(place) FROM disclosure")
    if newest is None or newest - since + 1 < PART or not await _is_settled(connection):
        return False
    until = since + PART - 1
    number = await connection.fetchval(
        "INSERT INTO disclosure_part (since, until, level, entries) VALUES ($1, $2, 0, 0) RETURNING number",
        since,
        until,
    )
    await connection.execute(
        "WITH made AS (INSERT INTO disclosure_of (part, bucket, members, places)"
        " SELECT $1, disclosure_bucket(member), array_agg(member), array_agg(place)"
        " FROM (SELECT place, unnest(members) AS member FROM disclosure WHERE place BETWEEN $2 AND $3)"
        " AS entry GROUP BY 2 RETURNING cardinality(members) AS entries)"
        " UPDATE disclosure_part SET entries = (SELECT coalesce(sum(entries), 0) FROM made)"
        " WHERE number = $1",
        number,
        since,
        until,
    )
    return True


async def _put_together(connection: Link) -> bool:
    """Make one part of the newest ones, if they are of one size and enough."""
    newest = await connection.fetch(
        "SELECT number, since, until, level, entries FROM disclosure_part ORDER BY since DESC LIMIT $1",
        TOGETHER,
    )
    entries = sum(part["entries"] for part in newest)
    if len(newest) < TOGETHER or len({part["level"] for part in newest}) > 1 or entries > MOST_ENTRIES:
        return False
    old = [part["number"] for part in newest]
    await connection.execute("DELETE FROM disclosure_part WHERE number = ANY ($1)", old)
    number = await connection.fetchval(
        "INSERT INTO disclosure_part (since, until, level, entries) VALUES ($1, $2, $3, $4) RETURNING number",
        newest[-1]["since"],
        newest[0]["until"],
        newest[0]["level"] + 1,
        entries,
    )
    await connection.execute(
        "WITH old AS (DELETE FROM disclosure_of WHERE part = ANY ($2) RETURNING bucket, members, places)"
        " INSERT INTO disclosure_of (part, bucket, members, places)"
        " SELECT $1, bucket, disclosure_joined(members), disclosure_joined(places) FROM old GROUP BY bucket",
        number,
        old,
    )
    return True


async def _is_settled(connection: Link) -> bool:
    """Whether every record below the newest that is seen has been committed or never will be.

    A place is taken under a lock on the table. Whoever held one after the newest was seen may commit a lower
    place; once they are gone, nobody can.
    """
    query = (
        "SELECT virtualtransaction FROM pg_locks WHERE relation = 'disclosure'::regclass AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()"
    )
    waiting = {row["virtualtransaction"] for row in await connection.fetch(query)}
    for _ in range(_PATIENCE):
        if not waiting:
            return True
        await asyncio.sleep(0.02)
        waiting &= {row["virtualtransaction"] for row in await connection.fetch(query)}
    return False
