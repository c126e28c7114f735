"""What partners owe: reading it, keeping its order, and what overdue deletions do to a partner's tokens.

`resolvers.share_rows` writes down what is owed when something is withdrawn; `resolvers.commands.deletions`
takes in the partner's word that it is done. Whoever locks several rows of `deletion` locks them by agreement
and member.

INVARIANT (overdue-restricts): a partner's restriction is the worst that any of its agreements asks for, by
its own terms, of what is overdue at that moment; it is written with a line of the revocation log, so every
replica follows within a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from resolvers.connection import Link
from resolvers.revocations import RevocationKind, revoke
from schema.vocabulary import Restriction

_RANKS: Final = (Restriction.NONE, Restriction.NARROWED, Restriction.SUSPENDED)

_RANKED: Final = (
    "SELECT agreement.partner_id, max(CASE"
    " WHEN due_at + make_interval(days => suspend_after_days) <= $1 THEN 2"
    " WHEN due_at + make_interval(days => narrow_after_days) <= $1 THEN 1 ELSE 0 END) AS rank"
    " FROM deletion JOIN agreement ON agreement.id = deletion.agreement_id"
    " WHERE due_at <= $1 AND ($2::uuid IS NULL OR agreement.partner_id = $2)"
)
_DUE: Final = f"{_RANKED} AND confirmed_at IS NULL GROUP BY agreement.partner_id"
_DUE_THEN: Final = f"{_RANKED} AND (confirmed_at IS NULL OR confirmed_at > $1) GROUP BY agreement.partner_id"


async def restrict(connection: Link, now: datetime, partner_id: UUID | None = None) -> Sequence[UUID]:
    """Bring the restrictions of this partner (None: of all) up to date; return the agreements that changed.

    Appends to the revocation log: nothing else may be waited for in this transaction.
    """
    ranks = {row["partner_id"]: row["rank"] for row in await connection.fetch(_DUE, now, partner_id)}
    rows = await connection.fetch(
        "SELECT id, partner_id, restriction FROM agreement WHERE ($1::uuid IS NULL OR partner_id = $1)"
        " AND (restriction <> 'NONE' OR partner_id = ANY($2::uuid[])) ORDER BY id FOR NO KEY UPDATE",
        partner_id,
        list(ranks),
    )
    changed: list[UUID] = []
    for row in rows:
        wanted = _RANKS[ranks.get(row["partner_id"], 0)]
        if wanted != row["restriction"]:
            # Who was let go of goes on with what has begun; who was restricted does not.
            harder = _RANKS.index(wanted) > _RANKS.index(Restriction(row["restriction"]))
            await connection.execute(
                "UPDATE agreement SET restriction = $2, version = version + $3 WHERE id = $1",
                row["id"],
                wanted.value,
                int(harder),
            )
            changed.append(row["id"])
    for agreement_id in changed:
        await revoke(connection, RevocationKind.AGREEMENT, str(agreement_id), now=now)
    return changed


async def restriction_at(connection: Link, partner_id: UUID, at: datetime) -> Restriction:
    """How a partner was restricted at a date, as far as what was overdue then is known still.

    By the days of grace that its agreements give today; what was shared again before it was deleted is gone.
    """
    row = await connection.fetchrow(_DUE_THEN, at, partner_id)
    return Restriction.NONE if row is None else _RANKS[row["rank"]]


def overdue_words(restriction: Restriction) -> str:
    """What a restriction means, for an officer who asks why nothing is shared."""
    return f"=> deletions are overdue: the partner is {restriction}, and is given nothing of any member"


async def owe_what_was_suspended(
    connection: Link, agreement_id: UUID, *, since: datetime, after: int, now: datetime
) -> None:
    """After a suspension: what was open until it and is not open now has to be deleted.

    A suspension itself asks nobody to delete, because it may be lifted: so what members refuse meanwhile, or
    all of it when the agreement ends, is owed from now on. What an erasure asked for is owed already.

    `after` is the number of the feed's last line before it: the first line later than that says of each
    member what was open until then, whoever wrote it. What has no line yet is still shared, and whoever
    withdraws it lets it be owed.
    """
    await connection.execute(
        "INSERT INTO deletion (id, agreement_id, subject, member_id, mask, withdrawn_at, due_at)"
        " SELECT gen_random_uuid(), $1, held.subject, known.member_id, held.mask & ~coalesce(share.mask, 0),"
        " $3::timestamptz, $3::timestamptz + make_interval(days => deletion_days)"
        " FROM (SELECT DISTINCT ON (subject) subject, before AS mask FROM share_change"
        "  WHERE agreement_id = $1 AND seq > $4 ORDER BY subject, seq) AS held"
        " JOIN agreement ON agreement.id = $1 AND agreement.basis <> 'LEGAL'"
        " LEFT JOIN pairwise_subject known ON known.subject = held.subject"
        " LEFT JOIN share ON share.agreement_id = $1 AND share.subject = held.subject"
        " WHERE NOT EXISTS (SELECT FROM share_change gone WHERE gone.agreement_id = $1"
        "  AND gone.subject = held.subject AND gone.erased AND gone.seq > $4)"
        " AND held.mask & ~coalesce(share.mask, 0) <> 0 AND agreement.valid_from <= $2"
        " ON CONFLICT (agreement_id, subject) WHERE confirmed_at IS NULL DO UPDATE"
        " SET mask = deletion.mask | excluded.mask",
        agreement_id,
        since,
        now,
        after,
    )
