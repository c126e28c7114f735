"""A member leaves: closed at once, erased when the grace is over, unless the member has come back.

INVARIANT (nothing-left): after `erase_member` no table holds a value of the member's nor the internal id. The
disclosures stay and name the member by a random id, which then is kept nowhere else; the feed keeps pairwise
ids, by which partners know whom to delete; what she refused stays refused, as digests that only the partner
can compare. `tests/attacks/test_erasure.py` searches every column for her.

Whoever locks links and members locks them in this order: links, turn, member (`resolvers.commands.letters`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.principal import MemberPrincipal
from resolvers.commands.correction import lock_member, write_member
from resolvers.commands.letters import dead_link, lock_links, make_link, post, put_letter
from resolvers.commands.member_secrets import read_password_hash, remove_member_secrets
from resolvers.commands.sessions import end_all_sessions
from resolvers.connection import Link
from resolvers.context import Work
from resolvers.share_rows import tell_of_erasure
from resolvers.shares import take_turn
from resolvers.suppressions import forget_suppressions
from schema.errors import FieldErrors, FieldProblem, UnauthenticatedError
from schema.ids import new_id
from schema.tables.account import LinkKind
from schema.tables.mail import LetterKind
from schema.tables.member import MemberStatus
from schema.tables.requests import RequestKind, RequestStatus

SETTLING: Final = timedelta(minutes=2)
"""Between closing and erasing, however short the grace: by then requests that saw the member have ended and
their disclosures are recorded (`gateway.account_means` holds `request_timeout` and `disclosure_timeout` below
it), and replicas have heard of it."""

REQUESTED: Final = "Erasure of your account"
CANCELLED: Final = "You cancelled it."


async def close_account(work: Work, verified: str | None) -> datetime:
    """Close the account of the member who asks, and return when it will be erased.

    `verified` is the password hash that was verified before.

    1. lock the member, whose password is still that one; who has left already keeps the date;
    2. withdraw every share by closing the membership;
    3. note the request, and mail a link that cancels it;
    4. end every session and revoke every token, last, because others wait for the lock of that log.

    Raises:
        FieldErrors: the password was changed meanwhile.
        UnauthenticatedError: there is no such member any more.
    """
    member_id = (await lock_member(work, None, links=True))["id"]  # 1
    if await read_password_hash(work.connection, member_id) != verified:
        message = "your password has been changed since: sign in again"
        raise FieldErrors([FieldProblem(("password",), "WRONG_PASSWORD", message)])
    (row,) = await work.connection.fetch("SELECT status, email FROM member WHERE id = $1", member_id)
    if row["status"] == MemberStatus.CLOSED:
        due_at = await erasure_date(work)
        if due_at is None:
            raise UnauthenticatedError("this account is closed")
        return due_at
    await write_member(work, member_id, {"status": MemberStatus.CLOSED.value})  # 2
    grace = max(work.means.rules.erasure_grace, SETTLING)
    due_at = work.now + grace
    await work.connection.execute(  # 3
        "INSERT INTO member_request (id, member_id, kind, status, subject, body, target_kind, opened_at,"
        " due_at) VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8)",
        new_id(),
        member_id,
        RequestKind.ERASURE.value,
        RequestStatus.OPEN.value,
        REQUESTED,
        row["status"],
        work.now,
        due_at,
    )
    link_id = await make_link(work, LinkKind.CANCEL_ERASURE, member_id, lifetime=grace)
    await post(work, LetterKind.ERASURE_SCHEDULED, row["email"], member_id, link_id=link_id)
    await end_all_sessions(work, member_id)  # 4
    return due_at


async def erasure_date(work: Work) -> datetime | None:
    """When the member who asks will be erased; None if she is not leaving (any more)."""
    due_at: datetime | None = await work.connection.fetchval(
        "SELECT due_at FROM member_request WHERE member_id = $1 AND kind = $2 AND status = $3",
        work.principal.member_id if isinstance(work.principal, MemberPrincipal) else None,
        RequestKind.ERASURE.value,
        RequestStatus.OPEN.value,
    )
    return due_at


async def cancel(work: Work, member_id: UUID) -> None:
    """Take back an erasure that has not happened: the link in the mail was followed.

    The membership stands where it stood, and its shares come back, with the same pairwise ids and as
    the choices then decide. Sessions stay ended: the member signs in again.

    Raises:
        FieldErrors: nothing is left to cancel.
    """
    await take_turn(work.connection)
    email = await work.connection.fetchval(
        "SELECT email FROM member WHERE id = $1 AND status = $2 FOR NO KEY UPDATE",
        member_id,
        MemberStatus.CLOSED.value,
    )
    before = await work.connection.fetchval(
        "UPDATE member_request SET status = $2, closed_at = $3, outcome = $4"
        " WHERE member_id = $1 AND kind = $5 AND status = $6 RETURNING target_kind",
        member_id,
        RequestStatus.CANCELLED.value,
        work.now,
        CANCELLED,
        RequestKind.ERASURE.value,
        RequestStatus.OPEN.value,
    )
    if email is None or before is None:
        raise dead_link()
    await write_member(work, member_id, {"status": MemberStatus(before).value})
    await post(work, LetterKind.ERASURE_CANCELLED, email, member_id)
    # Also for the line in the log: what replicas remember of the member is that she has left.
    await end_all_sessions(work, member_id)


async def due_erasures(connection: Link, now: datetime) -> Sequence[UUID]:
    """The members whose erasure is due."""
    rows = await connection.fetch(
        "SELECT member_id FROM member_request WHERE kind = 'ERASURE' AND status = 'OPEN' AND due_at <= $1"
        " ORDER BY due_at",
        now,
    )
    return [row["member_id"] for row in rows]


async def erase_member(connection: Link, member_id: UUID, now: datetime) -> bool:
    """Erase a member whose erasure is due, within one transaction, the caller's. False: it is not (any more).

    1. lock what a cancellation locks, in its order, then the member and, with her, those who claim her
       address without having shown that it is theirs; nobody else can add a row to them from here on;
    2. the request must still stand;
    3. the vault, which no foreign key reaches;
    4. what names her without belonging to her: logs, mail, what was written from her address; and each
       partner that ever saw her is told to delete all that it has of her;
    5. the rows of `member`, and with them every row that belongs to them;
    6. a last mail, which names no member and disappears when it is sent.
    """
    rows = await _lock_with_claims(connection, member_id)  # 1
    if not await _stands(connection, member_id, now):  # 2
        return False
    email = next(row["email"] for row in rows if row["id"] == member_id)
    erased = [row["id"] for row in rows]
    await remove_member_secrets(connection, erased)  # 3
    for each in erased:
        await connection.execute("SELECT forget_revocations_of($1)", each)  # 4
    await tell_of_erasure(connection, erased, now)
    await forget_suppressions(connection, erased, email)
    await connection.execute("DELETE FROM outgoing_mail WHERE lower(recipient) = lower($1)", email)
    await connection.execute("DELETE FROM member_request WHERE lower(reply_to) = lower($1)", email)
    await connection.execute("DELETE FROM member WHERE id = ANY($1::uuid[])", erased)  # 5
    await put_letter(connection, LetterKind.ERASURE_DONE, email, None, now=now)  # 6
    return True


_WITH_CLAIMS: Final = (
    "SELECT id, email FROM member"
    " WHERE id = $1"
    " OR (status = 'PENDING' AND lower(email) = (SELECT lower(email) FROM member WHERE id = $1))"
)


async def _lock_with_claims(connection: Link, member_id: UUID) -> Sequence[Record]:
    found = await connection.fetch(_WITH_CLAIMS, member_id)
    await lock_links(connection, [row["id"] for row in found])
    await take_turn(connection)
    rows: Sequence[Record] = await connection.fetch(f"{_WITH_CLAIMS} ORDER BY id FOR UPDATE", member_id)
    return rows


async def _stands(connection: Link, member_id: UUID, now: datetime) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM member JOIN member_request r ON r.member_id = member.id"
        " WHERE member.id = $1 AND member.status = $2 AND r.kind = $3 AND r.status = $4 AND r.due_at <= $5)",
        member_id,
        MemberStatus.CLOSED.value,
        RequestKind.ERASURE.value,
        RequestStatus.OPEN.value,
        now,
    )
    return found
