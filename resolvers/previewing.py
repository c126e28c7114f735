"""Which agreement a preview is of, where the caller names the partner instead.

This chooses between agreements that show something of the member. What the preview then shows is decided
where it is for partners: `resolvers.rows`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from schema.errors import InputError

Fetch: TypeAlias = Callable[[str, Sequence[Any]], Awaitable[Sequence[Any]]]
"""Runs one statement and gives its rows."""


async def previewed_agreement(fetch: Fetch, name: str, member_id: UUID, now: datetime) -> UUID | None:
    """The one agreement of that partner which shows something of the member now; None if none does.

    Raises:
        InputError: there is no such partner, or several of its agreements show something.
    """
    rows = [] if "\0" in name else await fetch(_SHOWING, (name, member_id, now))
    if not rows:
        raise InputError("`partner`: there is no partner of that name: see `partners`")
    showing: Sequence[UUID] = rows[0]["showing"]
    if len(showing) > 1:
        raise InputError(
            "`partner` has several agreements that show something of you: pass the `id` of one as"
            " `agreement`, from `partners { name agreements { id } }`"
        )
    return showing[0] if showing else None


_SHOWING = (
    "SELECT ARRAY(SELECT a.id FROM agreement a JOIN share s ON s.agreement_id = a.id"
    " WHERE a.partner_id = p.id AND s.member_id = $2 AND a.status = 'ACTIVE' AND a.valid_from <= $3"
    " AND (a.valid_until IS NULL OR $3 < a.valid_until)"
    " AND (s.ends_at IS NULL OR $3 < s.ends_at) AND (a.deferred_until IS NULL OR a.deferred_until <= $3)"
    " ORDER BY a.id LIMIT 2) AS showing"
    " FROM partner p WHERE p.name = $1 AND (NOT p.authority OR EXISTS (SELECT FROM agreement a"
    " JOIN share s ON s.agreement_id = a.id WHERE a.partner_id = p.id AND s.member_id = $2"
    " AND (a.deferred_until IS NULL OR a.deferred_until <= $3)))"
)
