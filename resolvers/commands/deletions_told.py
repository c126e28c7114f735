"""Notes that a partner has been told what it has to delete: by a page of its feed, an event, or a webhook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from resolvers.connection import Link


async def note_told(connection: Link, agreement_id: UUID, subjects: Sequence[UUID], now: datetime) -> int:
    """Note that the partner was told of `subjects` by `now`; of how many it had not been told before.

    Called after the telling has been released. It waits for nobody: a row that another transaction is
    changing at this moment is left as it is, because a change that withdraws more is told anew anyway.
    """
    if not subjects:
        return 0
    told: int = await connection.fetchval(
        "WITH due AS (SELECT id FROM deletion WHERE agreement_id = $1 AND subject = ANY($2::uuid[])"
        " AND confirmed_at IS NULL AND told_at IS NULL FOR NO KEY UPDATE SKIP LOCKED),"
        " told AS (UPDATE deletion SET told_at = $3 FROM due WHERE deletion.id = due.id RETURNING 1)"
        " SELECT count(*) FROM told",
        agreement_id,
        list(set(subjects)),
        now,
    )
    return told
