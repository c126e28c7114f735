"""Requests as officers work them off (C12, C13, C15): seen, taken, answered.

Each function works in the caller's transaction. What an officer writes is shown to the member and mailed to a
visitor, so it is checked as members' own texts are (R1). An erasure is nobody's to answer: it comes due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record

from resolvers.commands.correction import Checks
from resolvers.commands.letters import put_letter
from resolvers.commands.requests import MAX_SUBJECT, check_lines
from resolvers.connection import Link
from schema.errors import InputError, NotFoundError
from schema.ids import new_id
from schema.tables.activity import CommunicationDirection
from schema.tables.mail import LetterKind
from schema.tables.requests import RequestKind, RequestStatus

_COLUMNS: Final = (
    "SELECT r.id, r.kind, r.status, r.subject, r.body, r.target_kind, r.target_id, r.reply_to, r.outcome,"
    " r.opened_at, r.due_at, r.closed_at, m.number AS member_number"
    " FROM member_request r LEFT JOIN member m ON m.id = r.member_id"
)


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request as an officer sees it. `member_number` is None when a visitor asked."""

    id: UUID
    kind: RequestKind
    status: RequestStatus
    subject: str
    body: str
    target_kind: str | None
    target_id: UUID | None
    reply_to: str | None
    outcome: str | None
    opened_at: datetime
    due_at: datetime
    closed_at: datetime | None
    member_number: str | None


async def list_requests(
    connection: Link,
    *,
    kind: RequestKind | None = None,
    status: RequestStatus | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int | None = None,
) -> Sequence[RequestView]:
    """Requests of that kind and status, due first; without a status, those under way.

    `after` is when one was due, and its id: those behind it.
    """
    statuses = [RequestStatus.OPEN, RequestStatus.IN_PROGRESS] if status is None else [status]
    rows = await connection.fetch(
        f"{_COLUMNS} WHERE ($1::text IS NULL OR r.kind = $1) AND r.status = ANY($2::text[])"
        " AND ($3::timestamptz IS NULL OR (r.due_at, r.id) > ($3, $4::uuid))"
        " ORDER BY r.due_at, r.id LIMIT $5",
        None if kind is None else kind.value,
        [each.value for each in statuses],
        None if after is None else after[0],
        None if after is None else after[1],
        limit,
    )
    return [_view(row) for row in rows]


async def show_request(connection: Link, request_id: UUID) -> RequestView:
    """One request.

    Raises:
        NotFoundError: there is none of that id.
    """
    row = await connection.fetchrow(f"{_COLUMNS} WHERE r.id = $1", request_id)
    if row is None:
        raise NotFoundError("there is no such request: see `gateway requests list`")
    return _view(row)


async def take_request(connection: Link, request_id: UUID) -> RequestView:
    """Note that an officer works on it, so that its member cannot take it back any more.

    Raises:
        InputError: it is over, or an erasure.
        NotFoundError: there is none of that id.
    """
    await _lock_under_way(connection, request_id)
    await connection.execute(
        "UPDATE member_request SET status = $2 WHERE id = $1", request_id, RequestStatus.IN_PROGRESS.value
    )
    return await show_request(connection, request_id)


async def answer_request(
    connection: Link, request_id: UUID, outcome: str, *, declined: bool, now: datetime
) -> RequestView:
    """Close a request with an outcome, and mail that there is one; it cannot be opened again.

    CLAUSE (C13, C15): a request ends with an outcome, which is told to whoever asked.

    The answer to a member's message is a message to the member as well.

    Raises:
        InputError: it is over, an erasure, or the outcome may not be shown.
        NotFoundError: there is none of that id.
    """
    row = await _lock_under_way(connection, request_id)
    checks = Checks(row["region"])
    text = check_lines(checks, "outcome", outcome)
    checks.done()
    await connection.execute(
        "UPDATE member_request SET status = $2, outcome = $3, closed_at = $4 WHERE id = $1",
        request_id,
        (RequestStatus.DECLINED if declined else RequestStatus.DONE).value,
        text,
        now,
    )
    if row["kind"] == RequestKind.CONTACT and row["member_id"] is not None:
        await connection.execute(
            "INSERT INTO communication (id, member_id, direction, subject, body, sent_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            new_id(),
            row["member_id"],
            CommunicationDirection.TO_MEMBER.value,
            f"Re: {row['subject']}"[: MAX_SUBJECT + len("Re: ")],
            text,
            now,
        )
    # A member reads the outcome in the account; to a visitor the mail is all there is.
    await put_letter(
        connection,
        LetterKind.REQUEST_ANSWERED,
        row["reply_to"] or row["email"],
        row["member_id"],
        request_id=request_id if row["member_id"] is None else None,
        now=now,
    )
    return await show_request(connection, request_id)


async def member_of_request(connection: Link, request_id: UUID) -> UUID | None:
    """The `log_id` of the member who asked, for the line about her; None: a visitor did."""
    log_id: UUID | None = await connection.fetchval(
        "SELECT log_id FROM member JOIN member_request ON member.id = member_id WHERE member_request.id = $1",
        request_id,
    )
    return log_id


async def lock_request(connection: Link, request_id: UUID) -> Record:
    """A request with whoever asked, kept from changing until the transaction ends.

    Raises:
        NotFoundError: there is none of that id.
    """
    # The member before what belongs to her, as an erasure does.
    await connection.execute(
        "SELECT FROM member WHERE id = (SELECT member_id FROM member_request WHERE id = $1) FOR KEY SHARE",
        request_id,
    )
    row = await connection.fetchrow(
        "SELECT r.kind, r.status, r.subject, r.reply_to, r.recipient, r.member_id, m.number, m.email,"
        " m.region FROM member_request r LEFT JOIN member m ON m.id = r.member_id WHERE r.id = $1"
        " FOR UPDATE OF r",
        request_id,
    )
    if row is None:
        raise NotFoundError("there is no such request: see `gateway requests list`")
    return row


def require_under_way(row: Record) -> None:
    """Return if the request is not over.

    Raises:
        InputError: it is.
    """
    if row["status"] not in (RequestStatus.OPEN, RequestStatus.IN_PROGRESS):
        raise InputError(f"this request is over: it is {row['status']}")


async def _lock_under_way(connection: Link, request_id: UUID) -> Record:
    row = await lock_request(connection, request_id)
    if row["kind"] == RequestKind.ERASURE:
        raise InputError("an erasure happens by itself when it is due: there is nothing to answer")
    require_under_way(row)
    return row


def _view(row: Record) -> RequestView:
    values = {**row, "kind": RequestKind(row["kind"]), "status": RequestStatus(row["status"])}
    return RequestView(**values)
