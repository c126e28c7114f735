"""The append-only log of what caches must stop believing: written by commands, followed by every replica.

Whoever changes a client, an agreement or a member's right to sign in appends a line in the
same transaction; so no replica goes on believing what is no longer so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from resolvers.connection import Link

CHANNEL: Final = "revocation"
"""What the trigger of the table notifies after each commit that appended."""

LONGEST_TOKEN: Final = timedelta(days=1)
"""No access token is accepted that lives longer (`gateway.identity.tokens`), whatever the settings were when
it was made: a line about a member or a session has nothing left to say after that."""

_CLOCKS: Final = timedelta(hours=1)
"""By how much the clocks of replicas and issuers may differ. Costs lines that are kept a little longer."""


class RevocationKind(StrEnum):
    """What the subject of a line is.

    TOKEN: a token id, refused until it expires. SESSION: a session that is over, and every token of it.
    CLIENT, MEMBER: tokens issued before are refused, and what is cached of it is read again. AGREEMENT,
    POLICY: what is cached of it is read again.
    """

    TOKEN = "TOKEN"  # noqa: S105 - a kind of thing
    CLIENT = "CLIENT"
    AGREEMENT = "AGREEMENT"
    MEMBER = "MEMBER"
    SESSION = "SESSION"
    POLICY = "POLICY"


@dataclass(frozen=True, slots=True)
class Revocation:
    """A line of the log. `seq` rises in the order of the commits."""

    seq: int
    kind: RevocationKind
    subject: str
    revoked_at: datetime
    expires_at: datetime | None


async def revoke(
    connection: Link, kind: RevocationKind, subject: str, *, now: datetime, expires_at: datetime | None = None
) -> None:
    """Append a line. It counts from the commit of the caller's transaction; append last in it.

    Until then nobody else can append (see revision 0002), so the transaction should end soon, and waits for
    nothing any more. Lines about members expire by themselves; `expires_at` is for tokens.
    """
    if kind is RevocationKind.MEMBER:
        expires_at = now + LONGEST_TOKEN + _CLOCKS
    await connection.execute(
        "INSERT INTO revocation (kind, subject, revoked_at, expires_at) VALUES ($1, $2, $3, $4)",
        kind.value,
        subject,
        now,
        expires_at,
    )


async def revoke_sessions(connection: Link, sessions: Sequence[UUID], *, now: datetime) -> None:
    """Append a line for each session that is over, like `revoke`."""
    if sessions:
        await connection.execute(
            "INSERT INTO revocation (kind, subject, revoked_at, expires_at)"
            " SELECT $1, subject, $3, $4 FROM unnest($2::text[]) AS over (subject)",
            RevocationKind.SESSION.value,
            [str(session_id) for session_id in sessions],
            now,
            now + LONGEST_TOKEN + _CLOCKS,
        )


async def read_revocations(
    connection: Link, *, after: int, alive_at: datetime | None, timeout_seconds: float | None = None
) -> Sequence[Revocation]:
    """The lines after `after`, in order; with `alive_at`, without those that had expired by then.

    Whoever caches what a line concerns reads every line, however late: only who caches nothing yet may do
    without those that expired.
    """
    rows = await connection.fetch(
        "SELECT seq, kind, subject, revoked_at, expires_at FROM revocation"
        " WHERE seq > $1 AND ($2::timestamptz IS NULL OR expires_at IS NULL OR expires_at > $2) ORDER BY seq",
        after,
        alive_at,
        timeout=timeout_seconds,
    )
    return [
        Revocation(
            row["seq"], RevocationKind(row["kind"]), row["subject"], row["revoked_at"], row["expires_at"]
        )
        for row in rows
    ]
