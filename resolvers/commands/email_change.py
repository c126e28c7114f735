"""A member takes another e-mail address (C13): it counts once the link that was mailed there was followed.

INVARIANT (taken-or-free-alike): the answer is the same whether the address is another member's or nobody's;
its owner is told by mail. The address that counted so far is told of both the wish and the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from asyncpg.exceptions import UniqueViolationError

from policies.email_addresses import same_email
from resolvers.commands.correction import Checks, lock_member, write_member
from resolvers.commands.letters import dead_link, make_link, post, void_links
from resolvers.commands.member_secrets import read_password_hash
from resolvers.commands.registration import count_mail_to
from resolvers.commands.registration_checks import check_email
from resolvers.context import Work
from schema.errors import FieldErrors, FieldProblem
from schema.tables.account import LinkKind
from schema.tables.mail import LetterKind
from schema.tables.member import MemberStatus


async def admit_change(work: Work, given: Mapping[str, Any]) -> None:
    """Count the mail that is about to be sent to an address that somebody named, in a transaction of its own.

    Raises:
        ThrottledError: too many were sent there.
    """
    await count_mail_to(work, given["new_email"])


async def request_change(work: Work, given: Mapping[str, Any], verified: str) -> None:
    """Mail a link to the new address, or tell its owner; nothing of the profile changes yet.

    `verified` is the hash that the password was checked against (`resolvers.reauthentication`). A link that
    was mailed for an earlier wish works no more, whoever has the address that is wanted now.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None, links=True)
    checks = Checks(member["region"])
    if await read_password_hash(work.connection, member["id"]) != verified:
        checks.refuse("WRONG_PASSWORD", "your password has been changed since: sign in again", "password")
    new = check_email(checks, "newEmail", given["new_email"], ())
    (row,) = await work.connection.fetch(
        "SELECT email, supervisor_email FROM member WHERE id = $1", member["id"]
    )
    _refuse_supervisors(checks, "newEmail", new, row["supervisor_email"])
    checks.done()
    if new == row["email"]:
        return
    owner = await work.connection.fetchrow(
        "SELECT id, email FROM member WHERE lower(email) = lower($1) AND status <> $2 AND id <> $3",
        new,
        MemberStatus.PENDING.value,
        member["id"],
    )
    await void_links(work, member["id"], LinkKind.CONFIRM_EMAIL)
    if owner is None:
        link = await make_link(work, LinkKind.CONFIRM_EMAIL, member["id"], new_email=new)
        await post(work, LetterKind.CONFIRM_EMAIL, new, member["id"], link_id=link)
    else:
        await post(work, LetterKind.EMAIL_TAKEN, owner["email"], owner["id"])
    await post(work, LetterKind.EMAIL_CHANGING, row["email"], member["id"])


async def change_email(work: Work, member_id: UUID, new: str) -> None:
    """The link was followed: `new` is the address from now on. The caller holds the member and all links.

    CLAUSE (C13): the e-mail address is the member's to change.

    Links that went to the address before work no more.

    Raises:
        FieldErrors: somebody else has the address by now, or the member's supervisor; nothing was changed.
    """
    (member,) = await work.connection.fetch(
        "SELECT email, status, supervisor_email FROM member WHERE id = $1 FOR NO KEY UPDATE", member_id
    )
    if member["status"] not in (MemberStatus.ACTIVE, MemberStatus.INVITED):
        raise dead_link()
    checks = Checks(None)
    _refuse_supervisors(checks, "token", new, member["supervisor_email"])
    checks.done()
    await work.connection.execute(
        "UPDATE member SET email_verified_at = $2 WHERE id = $1", member_id, work.now
    )
    await void_links(work, member_id, LinkKind.RESET_PASSWORD, LinkKind.CONFIRM_EMAIL)
    try:
        await write_member(work, member_id, {"email": new})
    except UniqueViolationError:
        # The driver's error quotes the value: it is not kept, not even as a cause.
        message = "this address is another member's by now: choose another"
        raise FieldErrors([FieldProblem(("token",), "TAKEN", message)]) from None
    await post(work, LetterKind.EMAIL_CHANGED, member["email"], member_id)


def _refuse_supervisors(checks: Checks, name: str, new: str, supervisor: str | None) -> None:
    if new and supervisor is not None and same_email(new, supervisor):
        message = "the new address is that of the adult who supervises you: give your own"
        checks.refuse("SAME_AS_SUPERVISOR", message, name)
