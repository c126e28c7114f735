"""Writes what was decided of members: rows of `share`, the lines of the feed, what is owed.

Works in the caller's transaction, which is `resolvers.shares`', or an erasure.

INVARIANT (withdrawn-is-owed): what was open to a partner and is not any more stands in `deletion` until the
partner confirms it or it is shared again. Only a suspension, which may be lifted, and a legal case, whose
authority keeps what the law gave it, ask nobody to delete.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from resolvers.connection import Link
from schema.ids import new_id, pairwise_id

FEED_CHANNEL: Final = "share_change"
"""The NOTIFY channel on which the ids of agreements are told whose feeds have grown, with commas between."""

TOLD_TOGETHER: Final = 200
"""Agreements in one notification, which costs the same for one. PostgreSQL takes 8,000 bytes."""

_LINES: Final = (
    "INSERT INTO share_change (agreement_id, subject, mask, before, after, changed_at)"
    " SELECT *, $6::timestamptz"
    " FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])"
)


@dataclass(slots=True)
class ShareWrites:
    """The writes of one chunk. Each list holds the columns of its rows."""

    opened: list[tuple[UUID, UUID, UUID, int, datetime | None]] = field(default_factory=list)
    changed: list[tuple[UUID, UUID, int, datetime | None]] = field(default_factory=list)
    withdrawn: list[tuple[UUID, UUID]] = field(default_factory=list)
    log: list[tuple[UUID, UUID, int, int, int]] = field(default_factory=list)
    """Agreement, pairwise id, what it is about, the mask before, the mask after."""
    lost: list[tuple[UUID, UUID, UUID | None, int]] = field(default_factory=list)
    """Agreement, pairwise id, member, what is withdrawn."""
    told: list[tuple[UUID, UUID, int]] = field(default_factory=list)
    """Agreement, pairwise id, mask: of whom the statement that changed the member wrote the line."""
    taken_back: list[int] = field(default_factory=list)
    """Lines of that statement which are wrong, because the decision changed as well."""
    settled: set[tuple[UUID, UUID]] = field(default_factory=set)
    """Agreements and pairwise ids of which is known that nothing is owed: nothing there is to be released."""

    def open(self, pair: tuple[UUID, UUID], subject: UUID, decided: tuple[int, datetime | None]) -> None:
        """Of an agreement and a member of whom there was no row: the mask, which is not zero, and its end."""
        agreement, member_id = pair
        mask, ends_at = decided
        self.opened.append((agreement, subject, member_id, mask, ends_at))
        self.log.append((agreement, subject, mask, 0, mask))

    def compare(
        self,
        pair: tuple[UUID, UUID],
        before: tuple[UUID, int, datetime | None],
        decided: tuple[int, datetime | None],
        changed: int,
    ) -> None:
        """Of an agreement and a member of whom there was a row: pairwise id, mask and end."""
        agreement, member_id = pair
        subject, old, ended_at = before
        mask, ends_at = decided
        if not mask:
            self.withdrawn.append((agreement, subject))
        elif mask != old or ends_at != ended_at:
            self.changed.append((agreement, subject, mask, ends_at))
        about = (mask ^ old) | changed & mask
        if about:
            self.log.append((agreement, subject, about, old, mask))
        if old & ~mask:
            self.lost.append((agreement, subject, member_id, old & ~mask))


async def write_shares(
    connection: Link, batch: ShareWrites, now: datetime, announced: set[UUID] | None = None
) -> None:
    """Write one chunk: the rows that differ, a line of the feed for each, what is owed for what is lost.

    Whose feeds have grown is put into `announced`: the caller wakes them once this is committed. Without one
    they are woken by the commit itself, for which commits wait in a queue.
    """
    if batch.opened:
        await connection.execute(
            "INSERT INTO share (agreement_id, subject, member_id, mask, ends_at)"
            " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::timestamptz[])",
            *_columns(batch.opened),
        )
    if batch.changed:
        await connection.execute(
            "UPDATE share SET mask = given.mask, ends_at = given.ends_at"
            " FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[])"
            " AS given (agreement_id, subject, mask, ends_at)"
            " WHERE share.agreement_id = given.agreement_id AND share.subject = given.subject",
            *_columns(batch.changed),
        )
    if batch.withdrawn:
        await connection.execute(
            "DELETE FROM share USING unnest($1::uuid[], $2::uuid[]) AS given (agreement_id, subject)"
            " WHERE share.agreement_id = given.agreement_id AND share.subject = given.subject",
            *_columns(batch.withdrawn),
        )
    if batch.taken_back:
        await connection.execute("DELETE FROM share_change WHERE seq = ANY($1::bigint[])", batch.taken_back)
    if batch.log:
        await connection.execute(_LINES, *_columns(batch.log), now)
    lines = [*batch.told, *((agreement, subject, after) for agreement, subject, _, _, after in batch.log)]
    grown = {agreement for agreement, _, _ in lines}
    if announced is not None:
        announced |= grown
    elif grown:
        await announce(connection, grown)
    shared = [line for line in lines if line[2] and line[:2] not in batch.settled]
    if shared:
        await _release(connection, shared)
    if batch.lost:
        await _owe(connection, batch.lost, erased=False, now=now)


async def pairwise_subjects(connection: Link, partner: UUID, members: Sequence[UUID]) -> dict[UUID, UUID]:
    """The pairwise ids of these members for one partner, made where there is none yet.

    Made for all members of the chunk, shared or not: that one exists tells nothing.
    """
    await connection.execute(
        "INSERT INTO pairwise_subject (partner_id, member_id, subject)"
        " SELECT $1, m, s FROM unnest($2::uuid[], $3::uuid[]) AS given (m, s) ON CONFLICT DO NOTHING",
        partner,
        list(members),
        [pairwise_id() for _ in members],
    )
    rows = await connection.fetch(
        "SELECT member_id, subject FROM pairwise_subject"
        " WHERE partner_id = $1 AND member_id = ANY($2::uuid[])",
        partner,
        list(members),
    )
    return {row["member_id"]: row["subject"] for row in rows}


async def _owe(
    connection: Link, lost: Sequence[tuple[UUID, UUID, UUID | None, int]], *, erased: bool, now: datetime
) -> None:
    """Note what partners have to delete now: of each agreement, pairwise id and member, these categories."""
    await connection.execute(
        "INSERT INTO deletion (id, agreement_id, subject, member_id, mask, erased, withdrawn_at, due_at)"
        " SELECT given.id, a, s, m, gone, $5::boolean, $6::timestamptz,"
        " $6::timestamptz + make_interval(days => deletion_days)"
        " FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $7::uuid[])"
        " AS given (a, s, m, gone, id)"
        " JOIN agreement ON agreement.id = a"
        # What the law took from us, nobody gives back.
        " WHERE agreement.basis <> 'LEGAL' AND ($5::boolean OR (agreement.status IN ('ACTIVE', 'ENDED')"
        "  AND agreement.valid_from <= $6::timestamptz))"
        " ON CONFLICT (agreement_id, subject) WHERE confirmed_at IS NULL DO UPDATE"
        " SET mask = deletion.mask | excluded.mask, erased = deletion.erased OR excluded.erased,"
        # Who has been told of a part has not been told of what comes to it.
        " told_at = CASE WHEN excluded.mask & ~deletion.mask = 0 AND (deletion.erased OR NOT excluded.erased)"
        " THEN deletion.told_at END",
        *_columns(lost),
        erased,
        now,
        [new_id() for _ in lost],
    )


async def _release(connection: Link, shared: Sequence[tuple[UUID, UUID, int]]) -> None:
    """What is open (again) need not be deleted (any more)."""
    columns = _columns(shared)
    await connection.execute(
        "SELECT FROM deletion JOIN unnest($1::uuid[], $2::uuid[]) AS given (a, s)"
        " ON agreement_id = a AND subject = s WHERE confirmed_at IS NULL"
        " ORDER BY agreement_id, member_id FOR UPDATE OF deletion",
        *columns[:2],
    )
    kept = await connection.fetch(
        "UPDATE deletion SET mask = deletion.mask & ~given.after"
        " FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS given (agreement_id, subject, after)"
        " WHERE deletion.agreement_id = given.agreement_id AND deletion.subject = given.subject"
        " AND deletion.confirmed_at IS NULL RETURNING deletion.id, deletion.mask",
        *columns,
    )
    over = [row["id"] for row in kept if not row["mask"]]
    if over:
        await connection.execute("DELETE FROM deletion WHERE id = ANY($1::uuid[])", over)


async def tell_of_erasure(connection: Link, members: Sequence[UUID], now: datetime) -> None:
    """Tell each partner that ever saw one of these members to delete all of it, the pairwise id included.

    Called inside the transaction that erases them, before their rows go.
    """
    rows = await connection.fetch(
        "INSERT INTO share_change (agreement_id, subject, mask, before, after, erased, changed_at)"
        " SELECT seen.agreement_id, seen.subject, bit_or(seen.before | seen.after),"
        " bit_or(seen.before | seen.after), 0, true, $2"
        " FROM pairwise_subject known JOIN agreement ON agreement.partner_id = known.partner_id"
        " JOIN share_change seen ON seen.agreement_id = agreement.id AND seen.subject = known.subject"
        " WHERE known.member_id = ANY($1::uuid[]) GROUP BY seen.agreement_id, seen.subject"
        " RETURNING agreement_id, subject, mask",
        list(members),
        now,
    )
    if rows:
        owed = [(row["agreement_id"], row["subject"], None, row["mask"]) for row in rows]
        await _owe(connection, owed, erased=True, now=now)
        await announce(connection, {row["agreement_id"] for row in rows})


async def announce(connection: Link, agreements: Collection[UUID]) -> None:
    """Wake who follows the feeds of these agreements, when this transaction commits."""
    ids = sorted(map(str, agreements))
    await connection.execute(
        "SELECT pg_notify($1, ids) FROM unnest($2::text[]) AS told (ids)",
        FEED_CHANNEL,
        [",".join(ids[start : start + TOLD_TOGETHER]) for start in range(0, len(ids), TOLD_TOGETHER)],
    )


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
