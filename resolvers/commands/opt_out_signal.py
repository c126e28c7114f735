"""A browser's Global Privacy Control (`Sec-GPC: 1`) counts as a general opt-out of its member (C4).

Called when a member signs in, when her session is renewed, and when a page of hers would be recorded. The
signal is a request with the date of its arrival: a later choice of hers, however narrow, wins over it, and
the next signal over that (C11).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from resolvers.commands.choosing import append_choice
from resolvers.context import Work
from resolvers.newsletter_fold import LATEST_FIRST
from resolvers.shares import refresh_shares, take_turn
from schema.vocabulary import ChoiceSource, ChoiceTopic, Direction

MAX_A_DAY: Final = 20
"""Signals that are written down in a day while the ledger says already what they say."""

_DAY: Final = timedelta(days=1)


async def note_signal(work: Work, member_id: UUID) -> None:
    """Write the opt-out into the ledger, and decide the member's shares again.

    CLAUSE (C4, C11): Global Privacy Control is a general opt-out of its date.

    It is written even where the latest request says the same: another of a date between the two may still
    arrive, and would win over the earlier one alone. The caller asks whether the signal was sent
    (`work.exchange.opts_out`), and holds no lock on a member.
    """
    await take_turn(work.connection)
    known = await work.connection.fetchval(
        _ALREADY_SAID, member_id, ChoiceTopic.SHARING.value, work.now - _DAY
    )
    if known is None or known:
        return
    await append_choice(
        work,
        member_id,
        requested_at=work.now,
        topic=ChoiceTopic.SHARING,
        direction=Direction.OUT,
        source=ChoiceSource.GPC,
    )
    await refresh_shares(work.connection, work.matrix, now=work.now, members=[member_id])


async def note_signal_in_session(work: Work, session_id: UUID) -> None:
    """`note_signal` for the member whose session this is."""
    member_id = await work.connection.fetchval("SELECT member_id FROM session WHERE id = $1", session_id)
    if member_id is not None:
        await note_signal(work, member_id)


_ALREADY_SAID: Final = (
    "WITH locked AS (SELECT id FROM member WHERE id = $1 FOR NO KEY UPDATE)"
    " SELECT coalesce((SELECT direction = 'OUT' AND partner_id IS NULL AND purpose IS NULL"
    " AND categories IS NULL AND basis IS NULL FROM choice WHERE member_id = locked.id AND topic = $2"
    f" ORDER BY {LATEST_FIRST} LIMIT 1), false)"
    f" AND (SELECT count(*) FROM choice WHERE member_id = locked.id AND topic = $2 AND source = 'GPC'"
    f" AND received_at > $3) >= {MAX_A_DAY} FROM locked"
)
"""The member is locked; true if it is no news, and was said often enough today; null: no such member."""
