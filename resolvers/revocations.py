"""The append-only log of what caches must stop believing: written by commands, followed by every replica.

Whoever changes a client, an agreement or a member's right to sign in appends a line in the
same transaction; so no replica goes on believing what is no longer so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from resolvers.connection import Link

CHANNEL: Final = "revocation"
"""What the trigger of the table notifies after each commit that appended."""


class RevocationKind(StrEnum):
    """What the subject of a line is.

    TOKEN: a token id, refused until it expires. CLIENT, MEMBER: tokens issued before are refused, and what
    is cached of it is read again. AGREEMENT, POLICY: what is cached of it is read again.
    """

    TOKEN = "TOKEN"  # noqa: S105 - a kind of thing
    CLIENT = "CLIENT"
    AGREEMENT = "AGREEMENT"
    MEMBER = "MEMBER"
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
    """Append a line. It counts from the commit of the caller's transaction; append late in it.

    Until then nobody else can append (see revision 0002), so the transaction should end soon.
    """
    await connection.execute(
        "INSERT INTO revocation (kind, subject, revoked_at, expires_at) VALUES ($1, $2, $3, $4)",
        kind.value,
        subject,
        now,
        expires_at,
    )


async def read_revocations(
    connection: Link, *, after: int, now: datetime, timeout_seconds: float | None = None
) -> Sequence[Revocation]:
    """The lines after `after`, in order, without those that have expired by `now`."""
    rows = await connection.fetch(
        "SELECT seq, kind, subject, revoked_at, expires_at FROM revocation"
        " WHERE seq > $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY seq",
        after,
        now,
        timeout=timeout_seconds,
    )
    return [
        Revocation(
            row["seq"], RevocationKind(row["kind"]), row["subject"], row["revoked_at"], row["expires_at"]
        )
        for row in rows
    ]
