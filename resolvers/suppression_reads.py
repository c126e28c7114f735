"""What a partner is told of `suppression`: only about digests that it brings, and within its limits.

In: digests, an agreement. Out: which of them must not be mailed, or what has changed about those brought
before; with each, the members of whom that tells something, for the disclosure record. An address of which
nothing was ever asked has no row, whether a member has it or nobody: both are answered by the same absence.

INVARIANT (only-what-is-brought): `suppression` is read by digests that the partner has brought, each of them
noted in `suppression_watch` before; the feed reads no other row.
INVARIANT (brought-then-looked-up): a digest is noted, and that committed, before a later snapshot looks it
up. So a refusal that a lookup just missed is found by the feed, whose reader then sees that it was brought.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from resolvers.connection import Link
from schema.errors import QuotaExceededError

REFRESH: Final = timedelta(days=7)
"""A digest brought again within this is not noted anew: a list that comes each day is written once a week."""

DIGESTS: Final = "suppression-digests"
"""The quota's name in `RateLimit`: digests in a day of UTC that were not brought before."""

_DAY: Final = timedelta(days=1)

MOST_REMOVED: Final = 20_000
"""Rows that one round of upkeep removes."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of the day's limit: how many, and for how many seconds the day still lasts."""

    limit: int
    left: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Found:
    """Which of the digests brought must not be mailed, and of whom that tells something, by `log_id`."""

    suppressed: frozenset[bytes]
    members: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the feed a reader stands: behind everything up to here."""

    transaction: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """Something changed about a digest: since a request of this date it is refused, or allowed again."""

    digest: bytes
    suppressed: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of the feed in order, where to go on, whether there is more, and of whom they tell."""

    lines: Sequence[Line]
    end: Position
    more: bool
    members: Sequence[UUID]


async def _use(connection: Link, partner_id: UUID, amount: int, limit: int, now: datetime) -> Allowance:
    """Count `amount` against the day's limit; what is left."""
    today = now.astimezone(UTC).date()
    used: int = await connection.fetchval(
        "INSERT INTO suppression_use AS use (partner_id, day, brought) VALUES ($1, $2, $3)"
        " ON CONFLICT (partner_id, day) DO UPDATE SET brought = use.brought + excluded.brought"
        " RETURNING brought",
        partner_id,
        today,
        amount,
    )
    midnight = datetime.combine(today + _DAY, time(), UTC)
    seconds = max(1, math.ceil((midnight - now).total_seconds()))
    if used > limit:
        raise QuotaExceededError(DIGESTS, seconds, max(0, limit - used + amount))
    return Allowance(limit, limit - used, seconds)


async def bring(
    connection: Link,
    partner_id: UUID,
    agreement_id: UUID,
    digests: Sequence[bytes],
    *,
    limit: int,
    now: datetime,
) -> Allowance:
    """Note that these distinct digests were brought, and count the new ones. One transaction, the caller's.

    In the order of the digests, so that two requests with the same ones do not wait for each other.

    Raises:
        QuotaExceededError: too many are new for one day; none is noted.
    """
    today = now.astimezone(UTC).date()
    new: int = await connection.fetchval(
        "WITH brought AS (INSERT INTO suppression_watch AS watch (agreement_id, digest, first_at, brought_on)"
        " SELECT $1, given.digest, $3, $4 FROM unnest($2::bytea[]) AS given (digest)"
        # A conflict locks the row even where nothing is to be changed: so known ones are not even tried.
        " WHERE NOT EXISTS (SELECT FROM suppression_watch known WHERE known.agreement_id = $1"
        " AND known.digest = given.digest AND known.brought_on >= $5)"
        " ON CONFLICT (agreement_id, digest) DO UPDATE SET brought_on = excluded.brought_on"
        # A row that was inserted was never locked or updated by anybody: so it has no xmax.
        " WHERE watch.brought_on < $5 RETURNING xmax = 0 AS new)"
        " SELECT count(*) FILTER (WHERE new) FROM brought",
        agreement_id,
        sorted(digests),
        now,
        today,
        today - REFRESH,
    )
    return await _use(connection, partner_id, new, limit, now)


async def find(connection: Link, agreement_id: UUID, digests: Sequence[bytes]) -> Found:
    """Which of these must not be mailed: one statement. The caller has brought them, and settled."""
    rows = await connection.fetch(
        "SELECT s.digest, member.log_id FROM suppression s LEFT JOIN member ON member.id = s.member_id"
        " WHERE s.agreement_id = $1 AND s.digest = ANY($2::bytea[]) AND s.suppressed",
        agreement_id,
        digests,
    )
    members = [row["log_id"] for row in rows if row["log_id"] is not None]
    return Found(frozenset(row["digest"] for row in rows), members)


async def read_page(connection: Link, agreement_id: UUID, after: Position, first: int) -> Page:
    """The next lines about digests that were brought. One statement, so one snapshot. The caller has settled.

    Only what transactions wrote that are older than any still running is looked at: so nothing can appear
    later before a position that was given out. The position moves with lines that are told and with nothing
    else, so that an empty page tells of nothing that happened elsewhere.
    """
    rows = await connection.fetch(
        "SELECT s.transaction, s.seq, s.digest, s.suppressed, s.since, member.log_id FROM suppression s"
        " JOIN suppression_watch w ON w.agreement_id = s.agreement_id AND w.digest = s.digest"
        " LEFT JOIN member ON member.id = s.member_id"
        " WHERE s.agreement_id = $1 AND (s.transaction, s.seq) > ($2, $3)"
        " AND s.transaction < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        " AND (s.suppressed OR w.first_at <= s.changed_at) ORDER BY s.transaction, s.seq LIMIT $4",
        agreement_id,
        after.transaction,
        after.seq,
        first + 1,
    )
    shown = rows[:first]
    return Page(
        lines=[Line(row["digest"], row["suppressed"], row["since"]) for row in shown],
        end=Position(shown[-1]["transaction"], shown[-1]["seq"]) if shown else after,
        more=len(rows) > first,
        members=[row["log_id"] for row in shown if row["log_id"] is not None],
    )


async def forget_old(connection: Link, keep_days: int, today: date) -> bool:
    """Remove digests not brought for so long, and counts of days gone by; whether there may be more."""
    removed = await connection.fetchval(
        "WITH old AS (DELETE FROM suppression_watch WHERE (agreement_id, digest) IN"
        " (SELECT agreement_id, digest FROM suppression_watch WHERE brought_on < $1 ORDER BY brought_on"
        " LIMIT $2 FOR UPDATE SKIP LOCKED)"
        " RETURNING 1) SELECT count(*) FROM old",
        today - timedelta(days=keep_days),
        MOST_REMOVED,
    )
    await connection.execute("DELETE FROM suppression_use WHERE day < $1::date - 2", today)
    return bool(removed == MOST_REMOVED)
