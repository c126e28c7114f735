"""Notes that a partner has been told what it has to delete: by a page of its feed, an event, or a webhook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from resolvers.connection import Link

Place: TypeAlias = tuple[int, int]
"""Of a line in the feed: transaction, seq."""


async def note_told(
    connection: Link, agreement_id: UUID, subjects: Sequence[UUID], read_to: Place, now: datetime
) -> int:
    """Note that the partner was told of `subjects` by `now`; of how many it had not been told before.

    Called after the telling has been released. `read_to` is the last line that was told: of whom more was
    withdrawn behind it, the partner has not been told all, even if its scopes never show that line.

    1. hold the rows. It waits for nobody: a row that another transaction is changing at this moment is left
       as it is, because a change that withdraws more is told anew anyway;
    2. note, with the lines in sight that were committed before the rows were held. Whoever withdraws more
       from now on has to wait, and takes the note back (`resolvers.share_rows`).
    """
    if not subjects:
        return 0
    held = await connection.fetch(  # 1
        "SELECT id FROM deletion WHERE agreement_id = $1 AND subject = ANY($2::uuid[])"
        " AND confirmed_at IS NULL AND told_at IS NULL FOR NO KEY UPDATE SKIP LOCKED",
        agreement_id,
        list(set(subjects)),
    )
    told: int = await connection.fetchval(  # 2
        "WITH told AS (UPDATE deletion SET told_at = $2 WHERE id = ANY($1::uuid[]) AND NOT EXISTS"
        " (SELECT FROM share_change line WHERE line.agreement_id = deletion.agreement_id"
        "  AND line.subject = deletion.subject AND (line.transaction, line.seq) > ($3::bigint, $4::bigint)"
        "  AND (line.erased OR line.before & ~line.after <> 0)) RETURNING 1)"
        " SELECT count(*) FROM told",
        [row["id"] for row in held],
        now,
        *read_to,
    )
    return told
