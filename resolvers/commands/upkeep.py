"""What becomes due by the passing of time alone: agreements that ended, birthdays, old rows.

Reads never wait for it: a statement asks whether the agreement is in force, and who is under age has
no row. Upkeep makes the rows of `share` say the same, and tells the partner's feed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from policies.age import ADULT_AGE, AGE_BANDS, DAY_BEGINS, age_date
from policies.matrix import Matrix
from resolvers.connection import Link
from resolvers.shares import ShareChanges, refresh_shares
from schema.categories import Basis, DataCategory, mask_of
from schema.tables.member import MemberStatus

BIRTHDAY_WINDOW: Final = timedelta(days=400)
"""How far back birthdays are looked for: longer than any pause of the service that we allow for."""

SETTLING: Final = timedelta(minutes=1)
"""From a birthday to its line. A request that began before the birthday reads by the age of that moment: if
it saw the line it would bring the old age band, and nothing would tell of the new one. By now it has ended,
and the clocks of replicas differ by less."""

MOST_BIRTHDAYS: Final = 1_000
"""Members of one round, whose transaction holds all feeds back (`resolvers.feed_rows`). Of a million members
some 250 a day enter another band."""

MOST_ENDING: Final = 1_000
"""Requests of members that one transaction ends: it holds all feeds back, as that of birthdays does."""

_BIRTHDAYS: Final = 7_305_119
"""Key of the advisory lock that lets one replica at a time look for birthdays: two would tell each twice."""

KEEP_DONE_COMMANDS: Final = timedelta(hours=24)
"""For how long a command is not done again (`resolvers.idempotency`)."""

KEEP_LINKS: Final = timedelta(days=7)
"""After they have expired: nothing can be done with them any more."""

KEEP_SESSIONS: Final = timedelta(days=90)
"""After they have ended: a member can see where somebody was signed in."""

KEEP_DELIVERED: Final = timedelta(days=30)
"""Messages to partners, after they were taken: to answer what was told, and no longer."""

KEEP_USED: Final = timedelta(minutes=5)
"""After it has expired, what was used once is refused for its age; the clocks of replicas may differ."""

MOST_REMOVED: Final = 5_000
"""Rows of a table that one round removes, so that it stays short."""

MOST_USED_REMOVED: Final = 50_000
"""Of `used_jti`, which has a row for each request with DPoP: a round a minute keeps up with 800/s."""


async def remove_old(connection: Link, now: datetime) -> bool:
    """Remove rows that serve nothing any more; whether there may be more. One transaction, the caller's.

    A row that somebody holds is left to a later round: this waits for nobody.
    """
    full = False
    for table, key, over, until in (
        ("done_command", "(caller, key, path)", "done_at", now - KEEP_DONE_COMMANDS),
        ("attempt", "key", "empty_at", now),
        ("one_time_link", "id", "expires_at", now - KEEP_LINKS),
        ("session", "id", "least(ended_at, expires_at)", now - KEEP_SESSIONS),
        ("officer_session", "id", "least(ended_at, expires_at)", now - KEEP_SESSIONS),
        ("client_key", "(client_id, kid)", "expires_at", now),
        ("used_jti", "key", "expires_at", now - KEEP_USED),
        ("webhook_message", "id", "delivered_at", now - KEEP_DELIVERED),
    ):
        most = MOST_USED_REMOVED if table == "used_jti" else MOST_REMOVED
        removed = await connection.fetchval(
            f"WITH old AS (DELETE FROM {table} WHERE {key} IN (SELECT {key.strip('()')} FROM {table}"
            f" WHERE {over} <= $1 ORDER BY {over} LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1)"
            " SELECT count(*) FROM old",
            until,
            most,
        )
        full = full or removed == most
    return full


async def open_to_adults(connection: Link, matrix: Matrix, now: datetime) -> ShareChanges:
    """Decide again for members who came of age within the window (C17). One transaction, the caller's.

    CLAUSE (C17): whoever comes of age is opened to partners by that day, not before.
    """
    today = age_date(now - SETTLING)
    rows = await connection.fetch(
        "SELECT id FROM member WHERE status = $1"
        " AND birth_date > ($2::date - make_interval(years => $3) - $4::interval)::date"
        " AND birth_date <= ($2::date - make_interval(years => $3))::date"
        # What the law requires, and agreements yet to begin, may have shared them before.
        " AND NOT EXISTS (SELECT FROM share JOIN agreement ON agreement.id = share.agreement_id"
        " WHERE share.member_id = member.id AND agreement.basis <> $5 AND agreement.valid_from <= $6)",
        MemberStatus.ACTIVE.value,
        today,
        ADULT_AGE,
        BIRTHDAY_WINDOW,
        Basis.LEGAL.value,
        now,
    )
    members: list[UUID] = [row["id"] for row in rows]
    if not members:
        return ShareChanges()
    return await refresh_shares(connection, matrix, now=now, members=members)


async def end_requests(connection: Link, matrix: Matrix, now: datetime) -> ShareChanges:
    """Withdraw what members asked to have shared until now, `MOST_ENDING` of them. One transaction.

    Reads have not shown it since its end. A partner has to delete it, as after any withdrawal.
    """
    rows = await connection.fetch(
        "SELECT member_id FROM share WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2", now, MOST_ENDING
    )
    if not rows:
        return ShareChanges()
    return await refresh_shares(connection, matrix, now=now, members=[row["member_id"] for row in rows])


async def tell_birthdays(connection: Link, matrix: Matrix, now: datetime) -> int:
    """Tell partners who see her age band that a member has entered another one: a line for each birthday.

    Nothing else of hers has changed, so without it a copy would keep the old band. Of how many members; as
    many as `MOST_BIRTHDAYS` means that there may be more. One transaction, the caller's.

    1. one replica at a time;
    2. members whose birthday lies in the window and has settled, and who have a share that opens the band,
       under an agreement that began before, without a line about the band since. Who was born on 29 February
       has a birthday on 1 March (`policies.age.age_on`), where the calendar gives the day before;
    3. a line for each of their shares that opens the band.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _BIRTHDAYS)  # 1
    band = mask_of((DataCategory.AGE_RANGE,))
    rows = await connection.fetch(  # 2
        "SELECT member.id FROM unnest($1::int[]) AS entered (age)"
        " JOIN member ON birth_date > ($2::date - make_interval(years => age) - $3::interval)::date"
        " AND birth_date <= ($2::date - make_interval(years => age))::date,"
        " LATERAL (SELECT (birth_date + make_interval(years => age))::date AS day) AS calendar,"
        " LATERAL (SELECT (calendar.day"
        "  + (extract(day FROM calendar.day) <> extract(day FROM birth_date))::int"
        "  + $6::interval) AT TIME ZONE 'UTC' AS moment) AS settled"
        " WHERE status = $4 AND EXISTS (SELECT FROM share JOIN agreement ON agreement.id = share.agreement_id"
        "  WHERE share.member_id = member.id AND share.mask & $5 <> 0"
        "  AND agreement.valid_from < settled.moment"
        "  AND NOT EXISTS (SELECT FROM share_change c WHERE c.agreement_id = share.agreement_id"
        "   AND c.subject = share.subject AND c.mask & $5 <> 0 AND c.changed_at >= settled.moment))"
        " ORDER BY member.id LIMIT $7",
        [age for age, _ in AGE_BANDS],
        age_date(now - SETTLING),
        BIRTHDAY_WINDOW,
        MemberStatus.ACTIVE.value,
        band,
        DAY_BEGINS + SETTLING,
        MOST_BIRTHDAYS,
    )
    members: list[UUID] = [row["id"] for row in rows]
    if members:
        await refresh_shares(connection, matrix, now=now, members=members, changed=band)  # 3
    return len(members)
