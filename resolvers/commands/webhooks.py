"""Endpoints of webhooks and their dead letters, as officers work with them. In the caller's transaction.

No secret comes in here or goes out: it follows from an endpoint's id and generation (`gateway.keys`), and
whoever runs `create_endpoint` or `rotate_secret` shows it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from policies.destinations import Destination
from resolvers.connection import Link
from schema.errors import InputError, NotFoundError
from schema.ids import new_id
from schema.tables.webhooks import EndpointStatus, MessageKind, MessageStatus

MOST_ENDPOINTS: Final = 5
"""Of one agreement, those that are gone included: each gets every message."""

LONGEST_OVERLAP: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint as an officer sees it. `url` may hold a secret of the receiver: show it with care."""

    id: UUID
    partner: str
    agreement_id: UUID
    url: str
    status: EndpointStatus
    generation: int
    former_until: datetime | None
    created_at: datetime
    waiting: int
    dead: int
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up. `answer` is the last status of the receiver, None if it gave none."""

    id: UUID
    endpoint_id: UUID
    kind: MessageKind
    members: int
    occurred_at: datetime
    attempts: int
    answer: int | None


async def create_endpoint(
    connection: Link, *, agreement_id: UUID, url: str, destination: Destination, now: datetime
) -> UUID:
    """Tell withdrawals under the agreement at `url` from now on, and return the endpoint's id.

    `destination` is what `url` was read as, after its host was resolved and every address admitted: the
    caller has to have done that. What was withdrawn before is not told.

    Raises:
        InputError: the agreement has that many already, or this one.
        NotFoundError: there is no such agreement.
    """
    if not await connection.fetchval("SELECT 1 FROM agreement WHERE id = $1 FOR NO KEY UPDATE", agreement_id):
        raise NotFoundError("there is no such agreement: see `gateway agreement list`")
    urls = await connection.fetch("SELECT url FROM webhook_endpoint WHERE agreement_id = $1", agreement_id)
    if url in {row["url"] for row in urls}:
        raise InputError(f"the agreement has this endpoint at {destination.origin} already")
    if len(urls) >= MOST_ENDPOINTS:
        raise InputError(f"an agreement has at most {MOST_ENDPOINTS} endpoints")
    endpoint_id = new_id()
    await connection.execute(
        "INSERT INTO webhook_endpoint (id, agreement_id, url, status, generation, position_transaction,"
        " position_seq, busy_until, created_at)"
        # Transactions that are running now, ours included, may still add lines: those are told.
        " VALUES ($1, $2, $3, $4, 1, pg_snapshot_xmin(pg_current_snapshot())::text::bigint, 0, $5, $5)",
        endpoint_id,
        agreement_id,
        url,
        EndpointStatus.ACTIVE.value,
        now,
    )
    return endpoint_id


async def list_endpoints(
    connection: Link, *, endpoint_id: UUID | None = None, agreement_id: UUID | None = None
) -> Sequence[EndpointView]:
    """The endpoint of that id, those of that agreement, or all, by partner and age.

    Raises:
        NotFoundError: there is none of that id.
    """
    rows = await connection.fetch(
        "SELECT e.id, p.name AS partner, e.agreement_id, e.url, e.status, e.generation, e.former_until,"
        " e.created_at,"
        " (SELECT count(*) FROM webhook_message m WHERE m.endpoint_id = e.id AND m.status = 'PENDING')"
        "  AS waiting,"
        " (SELECT count(*) FROM webhook_message m WHERE m.endpoint_id = e.id AND m.status = 'DEAD') AS dead,"
        " (SELECT max(delivered_at) FROM webhook_message m WHERE m.endpoint_id = e.id) AS delivered_at"
        " FROM webhook_endpoint e JOIN agreement a ON a.id = e.agreement_id"
        " JOIN partner p ON p.id = a.partner_id"
        " WHERE ($1::uuid IS NULL OR e.id = $1) AND ($2::uuid IS NULL OR e.agreement_id = $2)"
        " ORDER BY p.name, e.id",
        endpoint_id,
        agreement_id,
    )
    if endpoint_id is not None and not rows:
        raise _unknown()
    return [EndpointView(**{**row, "status": EndpointStatus(row["status"])}) for row in rows]


async def rotate_secret(connection: Link, *, endpoint_id: UUID, overlap: timedelta, now: datetime) -> int:
    """Sign with a new secret, and for `overlap` with the one before as well; returns the new generation.

    One secret before the new one is kept at most: rotating again ends the one before it at once.

    Raises:
        InputError: the overlap is negative or too long.
        NotFoundError: there is no such endpoint.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InputError(f"`overlap`: between 0 and {LONGEST_OVERLAP // timedelta(hours=1)} hours")
    generation: int | None = await connection.fetchval(
        "UPDATE webhook_endpoint SET generation = generation + 1, former_until = $2 WHERE id = $1"
        " RETURNING generation",
        endpoint_id,
        now + overlap,
    )
    if generation is None:
        raise _unknown()
    return generation


async def set_endpoint_status(connection: Link, *, endpoint_id: UUID, status: EndpointStatus) -> None:
    """Stop sending, from the next message on; or go on, with what has gathered meanwhile.

    Raises:
        NotFoundError: there is no such endpoint.
    """
    found = await connection.fetchval(
        "UPDATE webhook_endpoint SET status = $2 WHERE id = $1 RETURNING id", endpoint_id, status.value
    )
    if found is None:
        raise _unknown()


async def post_test(connection: Link, *, endpoint_id: UUID, now: datetime) -> UUID:
    """Put a message that tells of nobody into the outbox, and return its id.

    Raises:
        NotFoundError: there is no such endpoint, or it is not active.
    """
    message_id: UUID | None = await connection.fetchval(
        "INSERT INTO webhook_message (id, endpoint_id, kind, subjects, transaction, seq, occurred_at, status,"
        " due_at) SELECT $1, id, $3, '{}', position_transaction, position_seq, $4, $5, $4"
        " FROM webhook_endpoint WHERE id = $2 AND status = 'ACTIVE' RETURNING id",
        new_id(),
        endpoint_id,
        MessageKind.TEST.value,
        now,
        MessageStatus.PENDING.value,
    )
    if message_id is None:
        raise NotFoundError("there is no such endpoint, or it is not active: see `gateway webhook list`")
    return message_id


async def list_dead_letters(connection: Link, *, endpoint_id: UUID | None = None) -> Sequence[DeadLetter]:
    """The messages that were given up, of that endpoint or all, oldest first."""
    rows = await connection.fetch(
        "SELECT id, endpoint_id, kind, cardinality(subjects) AS members, occurred_at, attempts, answer"
        " FROM webhook_message WHERE status = 'DEAD' AND ($1::uuid IS NULL OR endpoint_id = $1)"
        " ORDER BY occurred_at, id",
        endpoint_id,
    )
    return [DeadLetter(**{**row, "kind": MessageKind(row["kind"])}) for row in rows]


async def count_dead_letters(connection: Link) -> int:
    """How many messages were given up."""
    count: int = await connection.fetchval("SELECT count(*) FROM webhook_message WHERE status = 'DEAD'")
    return count


async def retry_dead_letters(
    connection: Link, *, endpoint_id: UUID, message_id: UUID | None, now: datetime
) -> int:
    """Send dead letters of the endpoint again, that one or all, on the whole schedule; how many.

    Raises:
        NotFoundError: there is no such endpoint, or the message is none of its dead letters.
    """
    await list_endpoints(connection, endpoint_id=endpoint_id)
    rows = await connection.fetch(
        "UPDATE webhook_message SET status = 'PENDING', attempts = 0, due_at = $3"
        " WHERE endpoint_id = $1 AND status = 'DEAD' AND ($2::uuid IS NULL OR id = $2) RETURNING id",
        endpoint_id,
        message_id,
        now,
    )
    if message_id is not None and not rows:
        raise NotFoundError(
            "there is no such dead letter of this endpoint: see `gateway webhook dead-letters list`"
        )
    return len(rows)


def _unknown() -> NotFoundError:
    return NotFoundError("there is no such endpoint: see `gateway webhook list`")
