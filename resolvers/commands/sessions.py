"""Sessions: begun by signing in, renewed with a refresh token, ended by the member, by time, or by a misuse.

A refresh token is the sealed name of a session and of the generation that it is (`resolvers.tokens`): nothing
in the database opens anything. Each renewal begins a generation, and the token of the one before still gets
the same answer for `refresh_grace`, because that answer may have been lost, or another tab asked at the same
moment. A token that is older has been copied: whoever has it, the session is over.

INVARIANT (over-everywhere): a session is ended and its end put into the revocation log by one transaction;
the replica that did it has heard of that before it answers (`Means.hear`), the others within
`revocation_staleness`, or they believe no token (`gateway.identity.authority`).

Members are locked before sessions, and the revocation log is written last, because others wait for it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from asyncpg import Record

from policies.principal import MemberPrincipal
from resolvers.browsers import browser_of
from resolvers.commands.member_secrets import read_password_hash, write_password_hash
from resolvers.context import Work
from resolvers.means import AccessToken
from resolvers.revocations import RevocationKind, revoke, revoke_sessions
from resolvers.throttle import count_attempt, forget_attempts
from resolvers.tokens import SealedTokens, TokenUse
from schema.errors import FieldErrors, FieldProblem, ForbiddenError
from schema.ids import new_id, parse_uuid
from schema.tables.member import MemberStatus

MAX_SESSIONS: Final = 100
"""Live sessions of a member; another sign-in ends the oldest. Nobody has so many browsers, programs may."""

ADMITTED: Final = (MemberStatus.ACTIVE.value, MemberStatus.INVITED.value)
"""Who may sign in: an invited member has a password only by the link that was mailed."""

NOBODY: Final = UUID(int=0)
"""Stands for accounts that may not sign in, so that they take the same statements."""

_NAME: Final = struct.Struct(">16sI")


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of the account that a typed address names. `counted` is what attempts on it go by."""

    counted: str = field(repr=False)
    member_id: UUID
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Issued:
    """What a client gets for a session. `lasts`: for how long the refresh token may stay unused.

    `displaced`: other sessions ended for it.
    """

    session_id: UUID
    access: AccessToken = field(repr=False)
    refresh_token: str = field(repr=False)
    lasts: timedelta
    displaced: bool = False


async def count_and_find(work: Work, typed: str) -> Account:
    """Count an attempt on the account of this address, and find it: the same statements for every address.

    Raises:
        ThrottledError: too many attempts.
    """
    counted = await folded(work, typed)
    await count_attempt(work, counted)
    # The condition of the unique index, word for word: addresses of pending members may be anybody's.
    row = await work.connection.fetchrow(
        "SELECT id, status FROM member WHERE lower(email) = $1 AND status <> 'PENDING'", counted
    )
    member_id = row["id"] if row is not None and row["status"] in ADMITTED else NOBODY
    return Account(counted, member_id, await read_password_hash(work.connection, member_id))


async def folded(work: Work, typed: str) -> str:
    """An address as the index of members folds it: no spelling of one is counted apart."""
    # No text of PostgreSQL holds NUL.
    address = typed.strip().replace("\x00", "\ufffd")
    result: str = await work.connection.fetchval("SELECT lower($1::text)", address)
    return result


async def start_session(work: Work, account: Account, new_hash: str | None) -> Issued | None:
    """Begin a session for the member whose password has been verified; `new_hash` takes the old one's place.

    1. the member may sign in still, and has the very password that was verified;
    2. the session is new: nothing that the client brought along becomes part of it;
    3. of more than `MAX_SESSIONS`, the oldest end.

    None: 1 does not hold any more.
    """
    status = await work.connection.fetchval(
        "SELECT status FROM member WHERE id = $1 FOR NO KEY UPDATE", account.member_id
    )
    current = await read_password_hash(work.connection, account.member_id)
    if status not in ADMITTED or current is None or current != account.password_hash:  # 1
        return None
    if new_hash is not None:
        await write_password_hash(work.connection, account.member_id, new_hash, work.now)
    await forget_attempts(work, account.counted)
    session_id = new_id()  # 2
    await work.connection.execute(
        "INSERT INTO session (id, member_id, created_at, last_used_at, expires_at, ip_address, browser,"
        " generation, rotated_at) VALUES ($1, $2, $3, $3, $4, $5, $6, 0, $3)",
        session_id,
        account.member_id,
        work.now,
        _expiry(work, work.now),
        work.exchange.ip_address,
        browser_of(work.exchange.user_agent),
    )
    surplus = await work.connection.fetch(  # 3
        "UPDATE session SET ended_at = $2 WHERE id IN (SELECT id FROM session WHERE member_id = $1"
        " AND ended_at IS NULL AND expires_at > $2 ORDER BY created_at DESC, id DESC OFFSET $3) RETURNING id",
        account.member_id,
        work.now,
        MAX_SESSIONS,
    )
    issued = _issue(work, account.member_id, session_id, 0, _expiry(work, work.now) - work.now)
    await revoke_sessions(work.connection, [row["id"] for row in surplus], now=work.now)
    return replace(issued, displaced=bool(surplus))


async def renew_session(work: Work, token: str) -> Issued | None:
    """A new access token, and the refresh token of the session's newest generation.

    1. the token is ours, and its session is neither ended nor run out, and its member may sign in;
    2. of the newest generation: the next one begins;
    3. of the one before, whose answer may have been lost: that answer again;
    4. older, or too late: it was copied, and the session ends for whoever has it.

    None: the session is over.
    """
    name = opened(work.means.tokens, token)
    row = None if name is None else await _locked(work, name[0])
    if name is None or row is None:
        return None
    session_id, generation = name
    if row["status"] not in ADMITTED or not _is_live(work, row):  # 1
        return None
    newest, expires_at = row["generation"], row["expires_at"]
    if generation == newest:  # 2
        newest, expires_at = newest + 1, _expiry(work, row["created_at"])
        await work.connection.execute(
            "UPDATE session SET generation = $2, rotated_at = $3, last_used_at = $3, expires_at = $4"
            " WHERE id = $1",
            session_id,
            newest,
            work.now,
            expires_at,
        )
    elif generation != newest - 1 or work.now - row["rotated_at"] > work.means.rules.refresh_grace:  # 4
        await _end(work, [session_id])
        return None
    return _issue(work, row["member_id"], session_id, newest, expires_at - work.now)  # 3


def opened(tokens: SealedTokens, token: str) -> tuple[UUID, int] | None:
    """The session and the generation that a refresh token of ours names; None for every other text."""
    name = tokens.open(TokenUse.REFRESH, token)
    if name is None or len(name) != _NAME.size:
        return None
    session_id, generation = _NAME.unpack(name)
    return UUID(bytes=session_id), generation


async def end_session(work: Work, given: Mapping[str, Any]) -> None:
    """End one of the sessions of the member who asks.

    Raises:
        FieldErrors: it is none of hers.
        ForbiddenError: it is not a member who asks.
    """
    if not isinstance(work.principal, MemberPrincipal):
        raise ForbiddenError("only a member has sessions")
    session_id = parse_uuid(given["id"])
    owner = await work.connection.fetchval("SELECT member_id FROM session WHERE id = $1", session_id)
    if session_id is None or owner != work.principal.member_id:
        message = "`id` names none of your sessions: see `me.sessions`"
        raise FieldErrors([FieldProblem(("id",), "UNKNOWN", message)])
    await end_sessions(work, [session_id])


async def end_sessions(work: Work, sessions: list[UUID]) -> None:
    """End these sessions. One that is over already stays as it is."""
    rows = await work.connection.fetch(
        "SELECT id FROM session WHERE id = ANY($1::uuid[]) AND ended_at IS NULL ORDER BY id FOR UPDATE",
        sessions,
    )
    await _end(work, [row["id"] for row in rows])


async def end_all_sessions(work: Work, member_id: UUID, *, but: UUID | None = None) -> None:
    """End every session of a member, `but` one; without exception, also every other token she has.

    The member is locked, so that no sign-in with what was true before comes after.
    """
    await work.connection.execute("SELECT FROM member WHERE id = $1 FOR NO KEY UPDATE", member_id)
    rows = await work.connection.fetch(
        "SELECT id FROM session WHERE member_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $2"
        " ORDER BY id FOR UPDATE",
        member_id,
        but,
    )
    await _end(work, [row["id"] for row in rows])
    if but is None:
        # By the clock, not by `now`: a token that was made while this waited for the locks ends as well.
        await revoke(
            work.connection, RevocationKind.MEMBER, str(member_id), now=max(work.now, work.means.clock())
        )


async def _locked(work: Work, session_id: UUID) -> Record | None:
    return await work.connection.fetchrow(
        "SELECT session.*, member.status FROM session JOIN member ON member.id = session.member_id"
        " WHERE session.id = $1 FOR UPDATE OF session",
        session_id,
    )


def _is_live(work: Work, row: Record) -> bool:
    """By the row, and by rules that have become stricter since it was written."""
    rules = work.means.rules
    latest = min(row["created_at"] + rules.session_lifetime, row["last_used_at"] + rules.session_idle)
    return row["ended_at"] is None and min(row["expires_at"], latest) > work.now


def _expiry(work: Work, created_at: datetime) -> datetime:
    """When a session ends that is begun or renewed now, if nobody renews it again."""
    rules = work.means.rules
    return min(created_at + rules.session_lifetime, work.now + rules.session_idle)


async def _end(work: Work, sessions: list[UUID]) -> None:
    await work.connection.execute(
        "UPDATE session SET ended_at = $2 WHERE id = ANY($1::uuid[])", sessions, work.now
    )
    await revoke_sessions(work.connection, sessions, now=work.now)


def _issue(work: Work, member_id: UUID, session_id: UUID, generation: int, lasts: timedelta) -> Issued:
    token = work.means.tokens.seal(TokenUse.REFRESH, _NAME.pack(session_id.bytes, generation))
    return Issued(session_id, work.means.mint(member_id, session_id), token, lasts)
