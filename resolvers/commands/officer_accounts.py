"""Officers' accounts: made, enrolled, given roles, disabled. In the caller's transaction.

An account is made with a code that enrols once: whoever has it sets the password and confirms a second
factor. The secret of that factor follows from the installation's key (`Means.factor_secret`) and stands
in no table.

INVARIANT (somebody-is-left): through the contract, nobody takes the last active privacy officer away.

INVARIANT (nobody-is-two): through the contract, nobody is given a code that makes a privacy officer. Who was
shown one could be the other of two officers as well (`resolvers.commands.two_officers`).
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.officer_lines import read_line
from policies.officers import Role
from resolvers.commands.member_secrets import vault_role
from resolvers.connection import Link
from resolvers.tokens import SealedTokens, TokenUse
from schema.errors import ForbiddenError, InputError, NotFoundError
from schema.ids import new_id
from schema.tables.officers import OfficerStatus

ENROLMENT_LIFE: Final = timedelta(hours=24)
"""A working day anywhere: the code travels by another way than the account."""

RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 10
"""80 bits each: a plain digest of one tells nothing (NIST SP 800-63B-4, 3.1.2)."""

MAX_DISPLAY_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class OfficerView:
    """An officer's account as other officers see it."""

    name: str
    display_name: str
    roles: tuple[Role, ...]
    status: OfficerStatus
    created_at: datetime
    enrolment_until: datetime | None


@dataclass(frozen=True, slots=True)
class Enrolling:
    """Whose enrolment a code is: it works still."""

    officer_id: UUID
    factor: UUID
    name: str
    display_name: str
    roles: tuple[Role, ...]
    last_step: int


async def create_officer(
    connection: Link,
    tokens: SealedTokens,
    *,
    name: str,
    display_name: str,
    roles: Sequence[Role],
    by_contract: bool,
    now: datetime,
) -> str:
    """Make an account that cannot sign in yet, and return the code that enrols it.

    Raises:
        ForbiddenError: it would be a privacy officer's.
        InputError: the name is taken or of another form, there is no role, or a text may not be shown.
    """
    if not _is_name(name):
        raise InputError("`name`: 1 to 40 lower-case letters, digits, dots, hyphens; a letter first")
    shown = read_line("display name", display_name, longest=MAX_DISPLAY_NAME)
    _refuse_another_self(by_contract, roles)
    officer_id, factor = new_id(), new_id()
    made = await connection.fetchval(
        "INSERT INTO officer (id, name, display_name, roles, status, created_at, factor, enrolment_until)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING RETURNING id",
        officer_id,
        name,
        shown,
        _stated(roles),
        OfficerStatus.INVITED.value,
        now,
        factor,
        now + ENROLMENT_LIFE,
    )
    if made is None:
        raise InputError("an officer has this name already: choose another")
    return enrolment_code(tokens, officer_id, factor)


async def list_officers(connection: Link) -> Sequence[OfficerView]:
    """Every account, by name."""
    rows = await connection.fetch(
        "SELECT name, display_name, roles, status, created_at, enrolment_until FROM officer ORDER BY name"
    )
    return [_view(row) for row in rows]


async def change_roles(
    connection: Link, name: str, roles: Sequence[Role], *, by_contract: bool
) -> OfficerView:
    """Give an officer these roles in place of those before; they count from the next request on.

    Raises:
        ForbiddenError: it would make a privacy officer.
        InputError: there is no role, or nobody would be left.
        NotFoundError: there is no such officer.
    """
    await _lock_all(connection)
    if Role.PRIVACY_OFFICER not in await _roles_of(connection, name):
        _refuse_another_self(by_contract, roles)
    row = await connection.fetchrow(
        "UPDATE officer SET roles = $2 WHERE name = $1"
        " RETURNING name, display_name, roles, status, created_at, enrolment_until",
        name,
        _stated(roles),
    )
    if row is None:
        raise _unknown()
    await _require_one(connection, by_contract)
    return _view(row)


async def disable_officer(connection: Link, name: str, *, by_contract: bool, now: datetime) -> None:
    """Let an officer sign in no more, and end every session, in every replica with the next request.

    Raises:
        InputError: nobody would be left.
        NotFoundError: there is no such officer.
    """
    await _lock_all(connection)
    officer_id = await connection.fetchval(
        "UPDATE officer SET status = $2, enrolment_until = NULL WHERE name = $1 RETURNING id",
        name,
        OfficerStatus.DISABLED.value,
    )
    await _forget(connection, officer_id, now)
    await _require_one(connection, by_contract)


async def reset_factor(
    connection: Link, tokens: SealedTokens, name: str, *, by_contract: bool, now: datetime
) -> str:
    """Enrol an officer anew: password, second factor and recovery codes of before count no more.

    Raises:
        ForbiddenError: it is a privacy officer's.
        NotFoundError: there is no such officer.
    """
    await _lock_all(connection)
    _refuse_another_self(by_contract, await _roles_of(connection, name))
    factor = new_id()
    officer_id = await connection.fetchval(
        "UPDATE officer SET status = $2, factor = $3, enrolment_until = $4, last_step = 0 WHERE name = $1"
        " RETURNING id",
        name,
        OfficerStatus.INVITED.value,
        factor,
        now + ENROLMENT_LIFE,
    )
    await _forget(connection, officer_id, now)
    return enrolment_code(tokens, officer_id, factor)


def enrolment_code(tokens: SealedTokens, officer_id: UUID, factor: UUID) -> str:
    """The code that enrols this officer with this second factor. Only we can make it."""
    return tokens.seal(TokenUse.OFFICER_ENROLMENT, officer_id.bytes + factor.bytes)


async def find_enrolling(
    connection: Link, tokens: SealedTokens, code: str, now: datetime
) -> Enrolling | None:
    """Whose enrolment this is, kept from changing; None if it is none of ours, was used, or is too old."""
    named = tokens.open(TokenUse.OFFICER_ENROLMENT, code)
    if named is None or len(named) != 2 * 16:
        return None
    row = await connection.fetchrow(
        "SELECT id AS officer_id, factor, name, display_name, roles, last_step FROM officer"
        " WHERE id = $1 AND factor = $2 AND status = $3 AND enrolment_until > $4 FOR NO KEY UPDATE",
        UUID(bytes=named[:16]),
        UUID(bytes=named[16:]),
        OfficerStatus.INVITED.value,
        now,
    )
    if row is None:
        return None
    return Enrolling(**{**row, "roles": tuple(Role(role) for role in row["roles"])})


async def enrol(
    connection: Link, enrolling: Enrolling, *, step: int, password_hash: str, now: datetime
) -> list[str]:
    """Let the officer sign in from now on, and return the recovery codes: they are nowhere else.

    The code that enrolled works no more, and the code of this `step` is used.
    """
    await connection.execute(
        "UPDATE officer SET status = $2, enrolment_until = NULL, last_step = $3 WHERE id = $1",
        enrolling.officer_id,
        OfficerStatus.ACTIVE.value,
        step,
    )
    codes = [b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    async with vault_role(connection):
        await connection.execute(
            "INSERT INTO vault.officer_credential (officer_id, password_hash, changed_at) VALUES ($1, $2, $3)"
            " ON CONFLICT (officer_id) DO UPDATE SET password_hash = excluded.password_hash,"
            " changed_at = excluded.changed_at",
            enrolling.officer_id,
            password_hash,
            now,
        )
        await connection.execute(
            "INSERT INTO vault.officer_recovery (officer_id, digest) SELECT $1, unnest($2::bytea[])",
            enrolling.officer_id,
            [recovery_digest(code) for code in codes],
        )
    return codes


def recovery_digest(code: str) -> bytes:
    """What is kept of a recovery code, however it was spaced."""
    return sha256("".join(code.split()).lower().encode("utf-8", "surrogatepass")).digest()


async def _forget(connection: Link, officer_id: UUID | None, now: datetime) -> None:
    """End the sessions of an officer, and remove what signs in.

    Raises:
        NotFoundError: there is no such officer.
    """
    if officer_id is None:
        raise _unknown()
    await connection.execute(
        "UPDATE officer_session SET ended_at = $2 WHERE officer_id = $1 AND ended_at IS NULL", officer_id, now
    )
    async with vault_role(connection):
        await connection.execute("DELETE FROM vault.officer_credential WHERE officer_id = $1", officer_id)
        await connection.execute("DELETE FROM vault.officer_recovery WHERE officer_id = $1", officer_id)


async def _lock_all(connection: Link) -> None:
    """Two officers who disable each other at the same moment do so one after the other."""
    await connection.fetch("SELECT id FROM officer ORDER BY id FOR NO KEY UPDATE")


async def _roles_of(connection: Link, name: str) -> Sequence[Role]:
    """The roles of an officer, whose account is locked; none of one who does not exist."""
    found = await connection.fetchval("SELECT roles FROM officer WHERE name = $1", name)
    return [Role(role) for role in found or ()]


def _refuse_another_self(by_contract: bool, roles: Sequence[Role]) -> None:
    # INVARIANT (nobody-is-two)
    if by_contract and Role.PRIVACY_OFFICER in roles:
        raise ForbiddenError(
            "who becomes a privacy officer, or is enrolled anew as one, is decided at the command line:"
            " see `gateway officer --help`"
        )


async def _require_one(connection: Link, by_contract: bool) -> None:
    left: int = await connection.fetchval(
        "SELECT count(*) FROM officer WHERE status = 'ACTIVE' AND 'PRIVACY_OFFICER' = ANY (roles)"
    )
    if by_contract and not left:
        raise InputError(
            "nobody would be left who runs this: the last privacy officer is changed at the command line"
        )


def _stated(roles: Sequence[Role]) -> list[str]:
    if not roles:
        raise InputError("`roles`: at least one")
    return sorted({role.value for role in roles})


def _view(row: Record) -> OfficerView:
    values = {**row, "roles": tuple(Role(role) for role in row["roles"])}
    return OfficerView(**{**values, "status": OfficerStatus(row["status"])})


def _is_name(name: str) -> bool:
    """The form that the table's check constraint demands."""
    return (
        1 <= len(name) <= 40  # noqa: PLR2004 - as in the constraint
        and "a" <= name[0] <= "z"
        and all(character in "abcdefghijklmnopqrstuvwxyz0123456789._-" for character in name)
    )


def _unknown() -> NotFoundError:
    return NotFoundError("there is no such officer: see `gateway officer list`")
