"""The outbox of webhooks, as the dispatcher sees it: endpoints are claimed for a while, and told one by one.

`share_change` is the outbox: its lines are written by the transaction that withdraws. A message is made of
them in one transaction with the endpoint's position, under the endpoint's lock.

INVARIANT (each-line-once): whoever makes messages reads the position under the lock, and moves it in the same
transaction; only lines of transactions below the oldest that is still running are read (`ShareChange`). So
each line becomes part of one message of each endpoint, whatever crashes and however many work.

Told is what the partner owes a deletion of at that moment (`deletion`), because of lines that take something
away. A suspension, which asks nobody to delete, is not told; neither is what was shared again meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record

from resolvers.commands.deletions_told import Place, note_told
from resolvers.connection import Link
from schema.categories import Basis, Purpose
from schema.ids import new_id
from schema.tables.webhooks import EndpointStatus, MessageKind, MessageStatus

MOST_IDS: Final = 500
"""Pairwise ids in one message: some 20 kB."""

LINES: Final = 5_000
"""Lines of the feed that are looked at in one transaction."""

_READABLE: Final = (
    "transaction < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    " AND (transaction, seq) > (e.position_transaction, e.position_seq)"
)


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message to be sent, with what its record and its signature need.

    `place` is that of its last line. `members` are the names under which the log knows those members who
    are still there.
    """

    id: UUID
    kind: MessageKind
    subjects: tuple[UUID, ...]
    place: Place
    occurred_at: datetime
    attempts: int
    recorded: bool
    endpoint_id: UUID
    url: str
    generation: int
    former_until: datetime | None
    partner_id: UUID
    agreement_id: UUID
    agreement_version: int
    basis: Basis
    purpose: Purpose
    members: tuple[UUID, ...]


async def claim_endpoints(connection: Link, now: datetime, until: datetime, most: int) -> Sequence[UUID]:
    """Active endpoints with something to do, ours until `until`; those that waited longest first."""
    rows = await connection.fetch(
        "UPDATE webhook_endpoint SET busy_until = $2 WHERE id IN (SELECT e.id FROM webhook_endpoint e"
        " WHERE e.status = 'ACTIVE' AND e.busy_until <= $1"
        " AND (EXISTS (SELECT FROM webhook_message m WHERE m.endpoint_id = e.id AND m.status = 'PENDING'"
        "   AND m.due_at <= $1)"
        f" OR EXISTS (SELECT FROM share_change WHERE agreement_id = e.agreement_id AND {_READABLE}))"
        " ORDER BY e.busy_until LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED) RETURNING id",
        now,
        until,
        most,
    )
    return [row["id"] for row in rows]


async def free_endpoint(connection: Link, endpoint_id: UUID, claimed_until: datetime, at: datetime) -> None:
    """Let others have the endpoint from `at` on, if our claim still stands."""
    await connection.execute(
        "UPDATE webhook_endpoint SET busy_until = $3 WHERE id = $1 AND busy_until = $2",
        endpoint_id,
        claimed_until,
        at,
    )


async def make_messages(connection: Link, endpoint_id: UUID, now: datetime) -> bool:
    """Make messages of the next lines of the feed; whether there may be more lines. One transaction.

    1. lock the endpoint, and with it its position;
    2. read the lines after it, and of which of their members a deletion is owed;
    3. of those a message at most `MOST_IDS` long each, and the position moves on.
    """
    row = await connection.fetchrow(  # 1
        "SELECT agreement_id FROM webhook_endpoint WHERE id = $1 AND status = 'ACTIVE' FOR NO KEY UPDATE",
        endpoint_id,
    )
    if row is None:
        return False
    lines = await connection.fetch(  # 2
        "SELECT line.transaction, line.seq, line.subject, line.changed_at, line.erased,"
        " (line.erased OR line.before & ~line.after <> 0) AND EXISTS (SELECT FROM deletion"
        "  WHERE deletion.agreement_id = line.agreement_id AND deletion.subject = line.subject"
        "  AND deletion.confirmed_at IS NULL) AS owed"
        " FROM (SELECT share_change.* FROM webhook_endpoint e"
        "  JOIN share_change ON share_change.agreement_id = e.agreement_id"
        f"  WHERE e.id = $1 AND {_READABLE} ORDER BY transaction, seq LIMIT $2) AS line"
        " ORDER BY line.transaction, line.seq",
        endpoint_id,
        LINES,
    )
    if not lines:
        return False
    await _insert(connection, endpoint_id, [line for line in lines if line["owed"]], now)  # 3
    await connection.execute(
        "UPDATE webhook_endpoint SET position_transaction = $2, position_seq = $3 WHERE id = $1",
        endpoint_id,
        lines[-1]["transaction"],
        lines[-1]["seq"],
    )
    return len(lines) == LINES


async def _insert(connection: Link, endpoint_id: UUID, lines: Sequence[Record], now: datetime) -> None:
    """Whoever was erased is not named as withdrawn besides. Ids are sorted: their order tells nothing."""
    erased = {line["subject"] for line in lines if line["erased"]}
    for kind in (MessageKind.WITHDRAWN, MessageKind.ERASED):
        last = {
            line["subject"]: line
            for line in lines
            if (line["subject"] in erased) == (kind is MessageKind.ERASED)
        }
        subjects = list(last)
        for start in range(0, len(subjects), MOST_IDS):
            told = subjects[start : start + MOST_IDS]
            place = max((last[subject]["transaction"], last[subject]["seq"]) for subject in told)
            await connection.execute(
                "INSERT INTO webhook_message (id, endpoint_id, kind, subjects, transaction, seq, occurred_at,"
                " status, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                new_id(),
                endpoint_id,
                kind.value,
                sorted(told),
                *place,
                max(last[subject]["changed_at"] for subject in told),
                MessageStatus.PENDING.value,
                now,
            )


async def next_message(connection: Link, endpoint_id: UUID, now: datetime) -> WaitingMessage | None:
    """The first message, in the order of the feed, that is due; None too if the endpoint is not active."""
    row = await connection.fetchrow(
        "SELECT m.id, m.kind, m.subjects, m.transaction, m.seq, m.occurred_at, m.attempts,"
        " m.recorded_at IS NOT NULL AS recorded,"
        " m.endpoint_id, e.url, e.generation, e.former_until, a.partner_id, a.id AS agreement_id,"
        " a.version AS agreement_version, a.basis, a.purpose,"
        " ARRAY(SELECT member.log_id FROM pairwise_subject known JOIN member ON member.id = known.member_id"
        "  WHERE known.subject = ANY(m.subjects) AND known.partner_id = a.partner_id) AS members"
        " FROM webhook_endpoint e JOIN webhook_message m ON m.endpoint_id = e.id"
        " JOIN agreement a ON a.id = e.agreement_id"
        " WHERE e.id = $1 AND e.status = 'ACTIVE' AND m.status = 'PENDING' AND m.due_at <= $2"
        " ORDER BY m.transaction, m.seq, m.id LIMIT 1",
        endpoint_id,
        now,
    )
    if row is None:
        return None
    values = dict(row)
    place = (values.pop("transaction"), values.pop("seq"))
    return WaitingMessage(
        **{
            **values,
            "place": place,
            "kind": MessageKind(row["kind"]),
            "subjects": tuple(row["subjects"]),
            "basis": Basis(row["basis"]),
            "purpose": Purpose(row["purpose"]),
            "members": tuple(row["members"]),
        }
    )


async def is_active(connection: Link, endpoint_id: UUID) -> bool:
    """Whether anything may be sent to the endpoint, now."""
    status: str | None = await connection.fetchval(
        "SELECT status FROM webhook_endpoint WHERE id = $1", endpoint_id
    )
    return status == EndpointStatus.ACTIVE


async def note_recorded(connection: Link, message_id: UUID, now: datetime) -> None:
    """The log has the message: attempts after the first send the same bytes to the same place."""
    await connection.execute("UPDATE webhook_message SET recorded_at = $2 WHERE id = $1", message_id, now)


async def note_delivered(connection: Link, message: WaitingMessage, answer: int, now: datetime) -> None:
    """The receiver has taken it: those whom it names have been told."""
    await connection.execute(
        "UPDATE webhook_message SET status = $2, delivered_at = $3, attempts = attempts + 1, answer = $4"
        " WHERE id = $1 AND status <> $2",
        message.id,
        MessageStatus.DELIVERED.value,
        now,
        answer,
    )
    await note_told(connection, message.agreement_id, message.subjects, message.place, now)


async def note_failed(
    connection: Link, message: WaitingMessage, answer: int | None, due_at: datetime | None
) -> None:
    """The receiver has not taken it: again at `due_at`, or never, if that is None.

    Who has lost its claim meanwhile changes nothing: the number of attempts is another one then.
    """
    status = MessageStatus.DEAD if due_at is None else MessageStatus.PENDING
    await connection.execute(
        "UPDATE webhook_message SET status = $3, attempts = attempts + 1, answer = $4,"
        " due_at = coalesce($5, due_at) WHERE id = $1 AND status = 'PENDING' AND attempts = $2",
        message.id,
        message.attempts,
        status.value,
        answer,
        due_at,
    )


async def note_gone(connection: Link, endpoint_id: UUID) -> None:
    """The receiver said that there is nothing to be told any more (410)."""
    await connection.execute(
        "UPDATE webhook_endpoint SET status = $2 WHERE id = $1 AND status = 'ACTIVE'",
        endpoint_id,
        EndpointStatus.GONE.value,
    )
