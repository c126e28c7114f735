"""What following a mailed link does, by the kind of the link. It works once; refused, it changes nothing.

INVARIANT (one-at-a-time-for-an-address): whoever confirms an address holds its lock until the end of the
transaction, so that of several who claim it one becomes its owner and the others are told.

1. take the lock of the address that the link is about;
2. use the link up, then take a turn: members are locked after links (`resolvers.commands.letters`);
3. do what it is for. A registration counts when every link of it was followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from asyncpg import Record
from asyncpg.exceptions import UniqueViolationError

from policies.age import age_date
from policies.registration import needs_supervisor
from resolvers.commands.completion import complete_if_whole
from resolvers.commands.correction import write_member
from resolvers.commands.email_change import change_email
from resolvers.commands.erasure import cancel
from resolvers.commands.invitation import inherit
from resolvers.commands.letters import dead_link, follow_link, post
from resolvers.commands.member_secrets import read_password_hash
from resolvers.commands.registration import remove_registrations
from resolvers.context import Work
from resolvers.shares import take_turn
from resolvers.throttle import count_attempt
from resolvers.tokens import TokenUse
from schema.errors import FieldErrors, FieldProblem
from schema.tables.account import LinkKind
from schema.tables.mail import LetterKind
from schema.tables.member import MemberStatus

_ADDRESSES: Final = 7_305_116
"""The class of the advisory locks of addresses."""

_COLUMNS: Final = (
    "id, number, status, email, email_verified_at, username, birth_date, supervisor_email,"
    " supervision_confirmed_at, interests, purchase_categories, joined_at"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A registration that a link confirms, and the hash of the password that was chosen with it."""

    member_id: UUID
    password_hash: str | None = field(repr=False)


async def find_claim(work: Work, token: str) -> Claim | None:
    """The registration that the link of `token` confirms; None if it is for anything else, or for nothing.

    Raises:
        ThrottledError: its password was tried too often.
    """
    name = work.means.tokens.open(TokenUse.LINK, token)
    member_id = None
    if name is not None:
        member_id = await work.connection.fetchval(
            "SELECT member_id FROM one_time_link WHERE id = $1 AND kind = $2 AND used_at IS NULL",
            UUID(bytes=name),
            LinkKind.CONFIRM_REGISTRATION.value,
        )
    if member_id is None:
        return None
    await count_attempt(work, f"claim {member_id}")
    return Claim(member_id, await read_password_hash(work.connection, member_id))


async def follow(work: Work, given: Mapping[str, Any], vouched: Claim | None = None) -> None:
    """Do what the link is for. `vouched`: whoever follows it knows the password of this registration.

    Raises:
        FieldErrors: the link does not work, or what it is for cannot be done; nothing was changed.
    """
    await _hold_address(work, given["token"])  # 1
    link = await follow_link(  # 2
        work,
        given["token"],
        LinkKind.CONFIRM_REGISTRATION,
        LinkKind.CONFIRM_SUPERVISION,
        LinkKind.CONFIRM_EMAIL,
        LinkKind.CANCEL_ERASURE,
    )
    await take_turn(work.connection)
    match LinkKind(link["kind"]):  # 3
        case LinkKind.CONFIRM_EMAIL:
            await change_email(work, link["member_id"], link["new_email"])
        case LinkKind.CONFIRM_SUPERVISION:
            await _confirm_supervision(work, link["member_id"])
        case LinkKind.CANCEL_ERASURE:
            await cancel(work, link["member_id"])
        case _:
            await _confirm_registration(work, link["member_id"], vouched)


async def _hold_address(work: Work, token: str) -> None:
    name = work.means.tokens.open(TokenUse.LINK, token)
    if name is None:
        return
    await work.connection.execute(
        "SELECT pg_advisory_xact_lock($1, hashtext(lower(coalesce(l.new_email, m.email))))"
        " FROM one_time_link l JOIN member m ON m.id = l.member_id WHERE l.id = $2",
        _ADDRESSES,
        UUID(bytes=name),
    )


async def _confirm_registration(work: Work, member_id: UUID, vouched: Claim | None) -> None:
    claim = Claim(member_id, await read_password_hash(work.connection, member_id))
    if vouched != claim and await _is_contested(work, member_id):
        message = "somebody else may have registered with this address: give the password that you chose"
        raise FieldErrors([FieldProblem(("password",), "PASSWORD_REQUIRED", message)])
    await work.connection.execute(
        "UPDATE member SET email_verified_at = $2 WHERE id = $1", member_id, work.now
    )
    await _admit_if_confirmed(work, await _locked(work, member_id))


async def _is_contested(work: Work, member_id: UUID) -> bool:
    """Whether others claim the address as well, or an invitation went to it.

    Then the mailbox alone does not tell which registration is its owner's: a stranger's would begin a
    membership with the stranger's password, and take over what an invitation has.
    """
    # Asked in two parts, each by the partial index that holds those members.
    contested: bool = await work.connection.fetchval(
        "SELECT EXISTS (SELECT FROM member mine JOIN member other ON lower(other.email) = lower(mine.email)"
        " WHERE mine.id = $1 AND other.id <> $1 AND other.status = 'PENDING') OR EXISTS (SELECT FROM member"
        " mine JOIN member other ON lower(other.email) = lower(mine.email)"
        " WHERE mine.id = $1 AND other.status <> 'PENDING' AND other.status = 'INVITED')",
        member_id,
    )
    return contested


async def _confirm_supervision(work: Work, member_id: UUID) -> None:
    await work.connection.execute(
        "UPDATE member SET supervision_confirmed_at = $2 WHERE id = $1", member_id, work.now
    )
    member = await _locked(work, member_id)
    if member["status"] == MemberStatus.INVITED:
        await complete_if_whole(work, member_id)
    elif member["status"] != MemberStatus.ACTIVE:  # a member who told the birth date late stays one
        await _admit_if_confirmed(work, member)


async def _locked(work: Work, member_id: UUID) -> Record:
    """The member, who is there: the link that was used up belongs to her, and is locked."""
    rows = await work.connection.fetch(f"SELECT {_COLUMNS} FROM member WHERE id = $1 FOR UPDATE", member_id)
    return rows[0]


async def _admit_if_confirmed(work: Work, member: Record) -> None:
    """Make a registration a membership, once every link of it was followed."""
    if member["status"] != MemberStatus.PENDING:
        raise dead_link()
    waits = member["supervisor_email"] is not None and member["supervision_confirmed_at"] is None
    if waits or member["email_verified_at"] is None:
        return
    values: dict[str, Any] = {"status": MemberStatus.ACTIVE.value}
    owner = await work.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM member WHERE lower(email) = lower($1) AND status <> 'PENDING' FOR UPDATE",
        member["email"],
    )
    if owner is not None:
        if owner["status"] != MemberStatus.INVITED:
            raise _taken()
        values |= await inherit(work, owner, member)
    birth_date = values.get("birth_date", member["birth_date"])
    if member["supervisor_email"] is None and needs_supervisor(birth_date, age_date(work.now)):
        message = "by the birth date on file you are under 18: register again, and name the adult's address"
        raise FieldErrors([FieldProblem(("token",), "SUPERVISOR_REQUIRED", message)])
    rivals = await work.connection.fetch(
        "SELECT id FROM member WHERE lower(email) = lower($1) AND status = 'PENDING' AND id <> $2 FOR UPDATE",
        member["email"],
        member["id"],
    )
    await remove_registrations(work.connection, [rival["id"] for rival in rivals])
    try:
        await write_member(work, member["id"], values)
    except UniqueViolationError:
        # The driver's error quotes the value: it is not kept, not even as a cause.
        raise _taken() from None
    await post(work, LetterKind.WELCOME, member["email"], member["id"])


def _taken() -> FieldErrors:
    message = "somebody became a member with this address or user name meanwhile: register again"
    return FieldErrors([FieldProblem(("token",), "TAKEN", message)])
