"""A member's password: changed with the one before, or set by a link that was mailed (C14).

Hashes are made outside, between two transactions (`resolvers.mutations.passwords`). The second one therefore
looks again at what the first one found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from policies.principal import MemberPrincipal
from resolvers.commands.letters import (
    dead_link,
    follow_link,
    lock_links,
    make_link,
    post,
    void_links,
)
from resolvers.commands.member_secrets import read_password_hash, write_password_hash
from resolvers.commands.sessions import ADMITTED, end_all_sessions, folded
from resolvers.context import Work
from resolvers.throttle import count_attempt, forget_attempts
from resolvers.tokens import TokenUse
from schema.errors import FieldErrors, FieldProblem, ForbiddenError
from schema.tables.account import LinkKind
from schema.tables.mail import LetterKind

RESET_PAUSE: Final = timedelta(minutes=5)
"""So long a link stays the newest one: who asks again and again fills no mailbox, and voids no link."""

STARTED_BY_PASSWORD: Final = (LinkKind.RESET_PASSWORD, LinkKind.CONFIRM_EMAIL)
"""Links that are void with the password: whoever knew the old one may have asked for them."""


@dataclass(frozen=True, slots=True)
class Resetter:
    """Whose password a link will set. `own` is the member's data, which may not be most of a password."""

    member_id: UUID
    own: Sequence[str]


async def own_data(work: Work, member_id: UUID) -> Sequence[str]:
    """What a guesser who knows the member would try first."""
    rows = await work.connection.fetch(
        "SELECT given_name, family_name, username, email, city FROM member"
        " LEFT JOIN postal_address ON postal_address.member_id = member.id WHERE member.id = $1",
        member_id,
    )
    texts = {text for row in rows for text in row.values() if text is not None}
    return sorted(texts | {part for text in texts for part in re.split(r"[^\w]+|_", text) if part})


async def change_password(work: Work, verified: str, new_hash: str) -> None:
    """Put `new_hash` in place of the hash that was verified, and end every other session.

    Raises:
        FieldErrors: the password was changed meanwhile.
        ForbiddenError: it is not a member who asks.
    """
    principal = work.principal
    if not isinstance(principal, MemberPrincipal):
        raise ForbiddenError("only a member has a password")
    await lock_links(work.connection, [principal.member_id])
    await void_links(work, principal.member_id, *STARTED_BY_PASSWORD)
    email = await work.connection.fetchval(
        "SELECT email FROM member WHERE id = $1 AND status = ANY($2::text[]) FOR NO KEY UPDATE",
        principal.member_id,
        list(ADMITTED),
    )
    if email is None or await read_password_hash(work.connection, principal.member_id) != verified:
        message = "your password has been changed since: sign in again"
        raise FieldErrors([FieldProblem(("currentPassword",), "WRONG_PASSWORD", message)])
    await _set(work, principal.member_id, email, new_hash, but=principal.session_id)


async def request_reset(work: Work, typed: str) -> None:
    """Mail a link to whoever may sign in with this address; nobody learns whether there is anybody."""
    email = await folded(work, typed)
    member_id = await work.connection.fetchval(
        "SELECT id FROM member WHERE lower(email) = $1 AND status <> 'PENDING'", email
    )
    # Whoever asks at the same moment goes first or comes after: the pause counts for both.
    await lock_links(work.connection, [] if member_id is None else [member_id])
    row = await work.connection.fetchrow(
        "SELECT id, email, status FROM member WHERE id = $4 AND lower(email) = $1 AND NOT EXISTS (SELECT"
        " FROM one_time_link WHERE member_id = member.id AND kind = $2 AND used_at IS NULL"
        " AND created_at > $3)",
        email,
        LinkKind.RESET_PASSWORD.value,
        work.now - RESET_PAUSE,
        member_id,
    )
    if row is not None and row["status"] in ADMITTED:
        link_id = await make_link(work, LinkKind.RESET_PASSWORD, row["id"], new_email=row["email"])
        await post(work, LetterKind.RESET_PASSWORD, row["email"], row["id"], link_id=link_id)


async def count_reset(work: Work, typed: str) -> None:
    """Count a request for a link, apart from attempts to sign in, which others may use up.

    Raises:
        ThrottledError: too many requests.
    """
    await count_attempt(work, f"reset {await folded(work, typed)}")


async def find_resetter(work: Work, token: str) -> Resetter:
    """Whom a link is for, without using it up.

    Raises:
        FieldErrors: it does not work.
    """
    name = work.means.tokens.open(TokenUse.LINK, token)
    member_id: UUID | None = None
    if name is not None:
        member_id = await work.connection.fetchval(
            "SELECT member_id FROM one_time_link JOIN member ON member.id = member_id"
            " WHERE one_time_link.id = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3"
            " AND new_email = email AND status = ANY($4::text[])",
            UUID(bytes=name),
            LinkKind.RESET_PASSWORD.value,
            work.now,
            list(ADMITTED),
        )
    if member_id is None:
        raise dead_link()
    return Resetter(member_id, await own_data(work, member_id))


async def reset_password(work: Work, token: str, new_hash: str) -> None:
    """Use up the link and set the password; the address has been shown to be the member's by that.

    Raises:
        FieldErrors: the link does not work any more, or went to an address that is not the member's now.
    """
    link = await follow_link(work, token, LinkKind.RESET_PASSWORD)
    await void_links(work, link["member_id"], *STARTED_BY_PASSWORD)
    email = await work.connection.fetchval(
        "SELECT email FROM member WHERE id = $1 AND email = $2 AND status = ANY($3::text[])"
        " FOR NO KEY UPDATE",
        link["member_id"],
        link["new_email"],
        list(ADMITTED),
    )
    if email is None:
        raise dead_link()
    await work.connection.execute(
        "UPDATE member SET email_verified_at = coalesce(email_verified_at, $2) WHERE id = $1",
        link["member_id"],
        work.now,
    )
    await forget_attempts(work, email)
    await _set(work, link["member_id"], email, new_hash, but=None)


async def _set(work: Work, member_id: UUID, email: str, new_hash: str, *, but: UUID | None) -> None:
    """Write the hash of the locked member, tell her, and end her sessions."""
    await write_password_hash(work.connection, member_id, new_hash, work.now)
    await post(work, LetterKind.PASSWORD_CHANGED, email, member_id)
    await end_all_sessions(work, member_id, but=but)
