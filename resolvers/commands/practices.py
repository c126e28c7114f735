"""Refusing what a new version of the policy opens, by the link in the mail about it (C16): nobody signed in.

The token is a sealed name of member and version: nobody can make one, nobody can read one, and it never
expires. Whether its member still exists is not told: the same is answered for one who was erased.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from policies.choices import BASES_WITHOUT_CHOICE
from policies.matrix import Matrix
from resolvers.connection import Link
from resolvers.shares import decision_digest, refresh_shares, take_turn
from resolvers.tokens import SealedTokens, TokenUse
from schema.ids import new_id
from schema.vocabulary import ChoiceSource, ChoiceTopic, Direction

MAX_A_DAY: Final = 20
"""Refusals of one notice that links write for one member in a day, while each says what the ledger says
already: whoever has a link could fill the disk with them."""

_DAY: Final = timedelta(days=1)
_UUID_BYTES: Final = 16


def practice_token(tokens: SealedTokens, member_id: UUID, version: int) -> str:
    """The token with which this member refuses what this version opens."""
    return tokens.seal(TokenUse.PRACTICE, member_id.bytes + str(version).encode())


def read_practice_token(tokens: SealedTokens, token: str) -> tuple[UUID, int] | None:
    """Whose token this is, and about which version; None if it is not one of ours."""
    name = tokens.open(TokenUse.PRACTICE, token)
    if name is None or not name[_UUID_BYTES:].isdigit():
        return None
    return UUID(bytes=name[:_UUID_BYTES]), int(name[_UUID_BYTES:])


async def refuse_practices(
    connection: Link, policy: Callable[[], Matrix], member_id: UUID, version: int, now: datetime
) -> None:
    """Write into the ledger that the member refuses all that the version opens. The caller's transaction.

    CLAUSE (C16): a member opts out of a new practice, before it begins or later. Each request counts by its
    date (C11).
    """
    await take_turn(connection)
    # Against an erasure at the same time: then there is nobody to write for.
    if await connection.fetchval("SELECT id FROM member WHERE id = $1 FOR NO KEY UPDATE", member_id) is None:
        return
    matrix = policy()
    for row in await connection.fetch(
        "SELECT id, basis, purpose, categories FROM notice WHERE version = $1 AND basis <> ALL($2::text[])"
        # Of this very notice, and since an opt-in could have taken it back: what says something new counts.
        " AND (SELECT count(*) FROM choice WHERE member_id = $3 AND notice_id = notice.id AND source = $4"
        " AND received_at > $5 AND received_at >= coalesce((SELECT max(received_at) FROM choice"
        " WHERE member_id = $3 AND topic = $7 AND direction = $8), $5)) < $6"
        " ORDER BY id",
        version,
        sorted(BASES_WITHOUT_CHOICE),
        member_id,
        ChoiceSource.UNSUBSCRIBE_LINK.value,
        now - _DAY,
        MAX_A_DAY,
        ChoiceTopic.SHARING.value,
        Direction.IN.value,
    ):
        await connection.execute(
            "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source, purpose,"
            " categories, basis, notice_id, policy)"
            " VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            new_id(),
            member_id,
            now,
            ChoiceTopic.SHARING.value,
            Direction.OUT.value,
            ChoiceSource.UNSUBSCRIBE_LINK.value,
            row["purpose"],
            row["categories"],
            row["basis"],
            row["id"],
            decision_digest(matrix),
        )
    await refresh_shares(connection, matrix, now=now, members=[member_id])
