"""How officers get in: a password and a second factor, a session that is short, and renewed while it is used.

What is true of members' sessions (`resolvers.commands.sessions`) is true of these: nothing in the database
opens anything, each renewal begins a generation, and a refresh token older than the one before has been
copied and ends the session. Differently, no token of an officer is believed without asking the database: a
session that
has ended, or an officer who was disabled, counts nowhere from that commit on.

INVARIANT (code-counts-once): a code of the second factor is used by one statement that raises `last_step`; of
two replicas that are given the same code, one lets in.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from policies.officers import Act, Channel, Officer, Role
from policies.second_factor import step_of
from resolvers.commands.member_secrets import vault_role
from resolvers.commands.officer_accounts import recovery_digest
from resolvers.connection import Link
from resolvers.context import Work
from resolvers.desk import Desk
from resolvers.means import AccessToken
from resolvers.throttle import count_officer_attempt, forget_officer_attempts
from resolvers.tokens import TokenUse
from schema.ids import new_id
from schema.tables.officers import OfficerStatus

SESSION_LIFE: Final = timedelta(hours=12)
"""NIST SP 800-63B-4, 2.2.3: reauthentication at least every 12 hours at AAL2 ..."""

SESSION_IDLE: Final = timedelta(minutes=15)
"""... and within an hour of inactivity; this is the stricter value of its former edition."""

NOBODY: Final = UUID(int=0)
"""Stands for officers who do not exist or have no right to sign in: the same statements find nothing."""

_NAME: Final = struct.Struct(">16sI")


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of the account that a typed name names."""

    name: str
    officer_id: UUID
    factor: UUID
    password_hash: str | None = field(repr=False)

    def unknown(self) -> Candidate:
        """The same as if there were no such officer."""
        return replace(self, officer_id=NOBODY, factor=NOBODY, password_hash=None)


@dataclass(frozen=True, slots=True)
class OfficerSession:
    """What an officer's client gets for a session. `until`: for so long it may stay unused."""

    session_id: UUID
    access: AccessToken = field(repr=False)
    refresh_token: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class OfficerStanding:
    """An officer who is signed in at this moment."""

    officer: Officer
    display_name: str


async def find_candidate(work: Work, typed: str) -> Candidate:
    """Count an attempt on the account of this name, and find it: the same statements for every name.

    Raises:
        ThrottledError: too many attempts.
    """
    name = typed.strip().replace("\x00", "\ufffd")[:100]
    await count_officer_attempt(work, name)
    row = await work.connection.fetchrow(
        "SELECT id, factor FROM officer WHERE name = $1 AND status = $2", name, OfficerStatus.ACTIVE.value
    )
    officer_id, factor = (NOBODY, NOBODY) if row is None else (row["id"], row["factor"])
    return Candidate(name, officer_id, factor, await _password_hash(work.connection, officer_id))


async def begin_session(work: Work, candidate: Candidate, code: str) -> OfficerSession | None:
    """Begin a session, if the second factor fits as well. The password has been verified.

    1. the officer may sign in still, with the very password and factor that were looked at;
    2. the code is of the second factor and was not used before, or it is a recovery code, which is gone then;
    3. the session is new, and it is written down.

    None: 1 or 2 does not hold. Every way takes the same statements, up to the one that lets in.
    """
    row = await work.connection.fetchrow(  # 1
        "SELECT roles FROM officer WHERE id = $1 AND factor = $2 AND status = $3 FOR NO KEY UPDATE",
        candidate.officer_id,
        candidate.factor,
        OfficerStatus.ACTIVE.value,
    )
    current = await _password_hash(work.connection, candidate.officer_id)
    used = await _use_code(work, candidate, code)  # 2
    if row is None or current is None or current != candidate.password_hash or not used:
        return None
    await forget_officer_attempts(work, candidate.name)
    session_id = new_id()  # 3
    await work.connection.execute(
        "INSERT INTO officer_session (id, officer_id, created_at, expires_at, generation, rotated_at)"
        " VALUES ($1, $2, $3, $4, 0, $3)",
        session_id,
        candidate.officer_id,
        work.now,
        work.now + SESSION_IDLE,
    )
    officer = Officer(candidate.name, frozenset(Role(role) for role in row["roles"]), Channel.CONTRACT)
    await Desk(work.connection, officer, work.now, lambda: work.matrix).act(Act.SESSION_BEGIN)
    return _issue(work, candidate.officer_id, session_id, 0, work.now + SESSION_IDLE)


async def renew_officer_session(work: Work, token: str) -> OfficerSession | None:
    """A new access token, and the refresh token of the session's newest generation; None: it is over.

    A token of the generation before, whose answer may have been lost, gets that answer again for a moment.
    An older one was copied: the session ends for whoever has it.
    """
    name = work.means.tokens.open(TokenUse.OFFICER_REFRESH, token)
    if name is None or len(name) != _NAME.size:
        return None
    raw, generation = _NAME.unpack(name)
    session_id = UUID(bytes=raw)
    row = await work.connection.fetchrow(
        "SELECT s.officer_id, s.created_at, s.expires_at, s.generation, s.rotated_at FROM officer_session s"
        " JOIN officer o ON o.id = s.officer_id WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2"
        " AND o.status = $3 FOR UPDATE OF s",
        session_id,
        work.now,
        OfficerStatus.ACTIVE.value,
    )
    if row is None:
        return None
    newest, expires_at = row["generation"], row["expires_at"]
    if generation == newest:
        newest, expires_at = newest + 1, min(row["created_at"] + SESSION_LIFE, work.now + SESSION_IDLE)
        await work.connection.execute(
            "UPDATE officer_session SET generation = $2, rotated_at = $3, expires_at = $4 WHERE id = $1",
            session_id,
            newest,
            work.now,
            expires_at,
        )
    elif generation != newest - 1 or work.now - row["rotated_at"] > work.means.rules.refresh_grace:
        await work.connection.execute(
            "UPDATE officer_session SET ended_at = $2 WHERE id = $1", session_id, work.now
        )
        return None
    return _issue(work, row["officer_id"], session_id, newest, expires_at)


async def end_officer_sessions(desk: Desk, officer_id: UUID, session_id: UUID | None) -> None:
    """End one session of the officer who asks, or all of them, from the commit on."""
    await desk.act(Act.SESSION_END)
    await desk.connection.execute(
        "UPDATE officer_session SET ended_at = $3 WHERE officer_id = $1 AND ended_at IS NULL"
        " AND ($2::uuid IS NULL OR id = $2)",
        officer_id,
        session_id,
        desk.now,
    )


async def read_officer_standing(
    connection: Link, officer_id: UUID, session_id: UUID, now: datetime
) -> OfficerStanding | None:
    """The officer of a session that counts at this moment; None if it does not."""
    row = await connection.fetchrow(
        "SELECT o.name, o.display_name, o.roles FROM officer_session s JOIN officer o ON o.id = s.officer_id"
        " WHERE s.id = $1 AND o.id = $2 AND o.status = $3 AND s.ended_at IS NULL AND s.expires_at > $4",
        session_id,
        officer_id,
        OfficerStatus.ACTIVE.value,
        now,
    )
    if row is None:
        return None
    roles = frozenset(Role(role) for role in row["roles"])
    return OfficerStanding(Officer(row["name"], roles, Channel.CONTRACT), row["display_name"])


async def _password_hash(connection: Link, officer_id: UUID) -> str | None:
    async with vault_role(connection):
        found: str | None = await connection.fetchval(
            "SELECT password_hash FROM vault.officer_credential WHERE officer_id = $1", officer_id
        )
    return found


async def _use_code(work: Work, candidate: Candidate, code: str) -> bool:
    """Whether the code lets in; it never does again."""
    secret = work.means.factor_secret(candidate.officer_id, candidate.factor)
    step = step_of(secret, code, work.now)
    by_factor = await work.connection.fetchval(
        "UPDATE officer SET last_step = $2 WHERE id = $1 AND last_step < $2 RETURNING id",
        candidate.officer_id,
        -1 if step is None else step,
    )
    async with vault_role(work.connection):
        by_recovery = await work.connection.fetchval(
            "DELETE FROM vault.officer_recovery WHERE officer_id = $1 AND digest = $2 RETURNING officer_id",
            candidate.officer_id,
            recovery_digest(code),
        )
    return by_factor is not None or by_recovery is not None


def _issue(
    work: Work, officer_id: UUID, session_id: UUID, generation: int, until: datetime
) -> OfficerSession:
    token = work.means.tokens.seal(TokenUse.OFFICER_REFRESH, _NAME.pack(session_id.bytes, generation))
    return OfficerSession(session_id, work.means.mint_for_officer(officer_id, session_id), token, until)
