"""Leaving the newsletter by the link in a mail (C9; RFC 8058): one request, nobody signed in.

The token is a sealed name of member and list: nobody can make one, nobody can read one, and it never expires.
Whether its member still exists is not told: the same is done and answered for one who was erased.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from resolvers.connection import Link
from resolvers.newsletter_fold import NEWSLETTER_WANTED
from resolvers.tokens import SealedTokens, TokenUse
from schema.ids import new_id
from schema.vocabulary import ChoiceSource, ChoiceTopic, Direction

MAX_A_DAY: Final = 20
"""Requests of one link that are written down in a day, while each says what the ledger says already: whoever
has the link could fill the disk with them."""

_DAY: Final = timedelta(days=1)
_UUID_BYTES: Final = 16


def unsubscribe_token(tokens: SealedTokens, member_id: UUID) -> str:
    """The token with which this member leaves the newsletter."""
    return tokens.seal(TokenUse.UNSUBSCRIBE, member_id.bytes + ChoiceTopic.NEWSLETTER.value.encode())


def read_unsubscribe_token(tokens: SealedTokens, token: str) -> UUID | None:
    """Whose token this is; None if it is not one of ours for the newsletter."""
    name = tokens.open(TokenUse.UNSUBSCRIBE, token)
    if name is None or name[_UUID_BYTES:] != ChoiceTopic.NEWSLETTER.value.encode():
        return None
    return UUID(bytes=name[:_UUID_BYTES])


async def unsubscribe(connection: Link, member_id: UUID, now: datetime) -> None:
    """Write into the ledger that the member refuses the newsletter. One transaction, the caller's.

    CLAUSE (C9): the third door, the link in a mail, without signing in.

    Each request counts by its date (C11), so it is written even where an earlier one said the same: an opt-in
    dated between the two may still arrive.
    """
    await connection.execute(
        "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source)"
        " SELECT $1, member.id, $3, $3, $4, $5, $6 FROM member WHERE member.id = $2"
        f" AND ({NEWSLETTER_WANTED}"
        " OR (SELECT count(*) FROM choice other WHERE other.member_id = member.id AND other.topic = $4"
        " AND other.source = $6 AND other.received_at > $7) < $8)"
        # Against an erasure at the same time: then there is no row to insert.
        " FOR KEY SHARE OF member",
        new_id(),
        member_id,
        now,
        ChoiceTopic.NEWSLETTER.value,
        Direction.OUT.value,
        ChoiceSource.UNSUBSCRIBE_LINK.value,
        now - _DAY,
        MAX_A_DAY,
    )
