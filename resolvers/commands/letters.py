"""Links that work once, and mail: both written by the transaction that is their reason.

What is posted is sent after the commit, by `gateway.delivery`, which also makes the token of a link.

INVARIANT (links-first): whoever makes, voids or follows links of a member there is holds all of them first,
by `lock_links`, and takes a turn and locks members after that; so no two of them wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from asyncpg import Record

from resolvers.connection import Link
from resolvers.context import Work
from resolvers.tokens import TokenUse
from schema.errors import FieldErrors, FieldProblem
from schema.ids import new_id
from schema.tables.account import LinkKind
from schema.tables.mail import LetterKind

LIFETIMES: Final = {
    LinkKind.CONFIRM_REGISTRATION: timedelta(hours=48),
    LinkKind.CONFIRM_SUPERVISION: timedelta(days=7),
    # OWASP Forgot Password Cheat Sheet: as short as a mail needs.
    LinkKind.RESET_PASSWORD: timedelta(hours=1),
    LinkKind.CONFIRM_EMAIL: timedelta(hours=48),
}
"""How long each link works. CANCEL_ERASURE works until the erasure."""

_LINKS: Final = 7_305_117
"""The class of the advisory locks of the links of a member."""

_NAMESAKES: Final = (
    "WITH followed AS (SELECT member.id, lower(email) AS email FROM one_time_link"
    " JOIN member ON member.id = member_id WHERE one_time_link.id = $1) SELECT id FROM followed"
    " UNION SELECT member.id FROM followed JOIN member ON lower(member.email) = followed.email"
    " AND member.status = 'PENDING'"
    " UNION SELECT member.id FROM followed JOIN member ON lower(member.email) = followed.email"
    " AND member.status <> 'PENDING'"
)
"""Whose link it is, and who has or claims the same address: a confirmed registration removes some of them."""


async def post(
    work: Work,
    kind: LetterKind,
    recipient: str,
    member_id: UUID | None,
    *,
    link_id: UUID | None = None,
    newsletter_id: UUID | None = None,
) -> None:
    """Put a letter into the outbox."""
    await put_letter(
        work.connection,
        kind,
        recipient,
        member_id,
        link_id=link_id,
        newsletter_id=newsletter_id,
        now=work.now,
    )


async def put_letter(
    connection: Link,
    kind: LetterKind,
    recipient: str,
    member_id: UUID | None,
    *,
    now: datetime,
    link_id: UUID | None = None,
    newsletter_id: UUID | None = None,
    request_id: UUID | None = None,
) -> None:
    """`post`, where no caller asked: by an officer, or because time has passed."""
    await connection.execute(
        "INSERT INTO outgoing_mail (id, member_id, recipient, kind, link_id, newsletter_id, request_id,"
        " created_at, due_at, attempts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 0)",
        new_id(),
        member_id,
        recipient,
        kind.value,
        link_id,
        newsletter_id,
        request_id,
        now,
    )


async def lock_links(connection: Link, members: Sequence[UUID]) -> None:
    """Hold the links of these members until the transaction ends; once in a transaction, all at once.

    Also those that another transaction is making, which no lock of rows would find: the first statement
    after this one sees them.
    """
    await connection.execute(
        "SELECT pg_advisory_xact_lock($1, place) FROM"
        " (SELECT DISTINCT hashtext(id::text) AS place FROM unnest($2::uuid[]) AS id ORDER BY place) places",
        _LINKS,
        list(members),
    )


async def void_links(work: Work, member_id: UUID, *kinds: LinkKind) -> None:
    """Links of these kinds work no more. The caller holds them all (`lock_links`)."""
    await work.connection.execute(
        "UPDATE one_time_link SET used_at = $3"
        " WHERE member_id = $1 AND kind = ANY($2::text[]) AND used_at IS NULL",
        member_id,
        [kind.value for kind in kinds],
        work.now,
    )


async def make_link(
    work: Work,
    kind: LinkKind,
    member_id: UUID,
    *,
    lifetime: timedelta | None = None,
    new_email: str | None = None,
) -> UUID:
    """A new link; those of the same kind that the member had before work no more.

    The caller holds them all (`lock_links`), unless nobody else knows of the member yet.
    """
    await void_links(work, member_id, kind)
    link_id = new_id()
    await work.connection.execute(
        "INSERT INTO one_time_link (id, member_id, kind, new_email, created_at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        link_id,
        member_id,
        kind.value,
        new_email,
        work.now,
        work.now + (LIFETIMES[kind] if lifetime is None else lifetime),
    )
    return link_id


async def follow_link(work: Work, token: str, *kinds: LinkKind) -> Record:
    """Use up the link that `token` stands for: its row, with `member_id`, `kind` and `new_email`.

    All links of the member are held from here on, and those of whoever has or claims her address.

    Raises:
        FieldErrors: it is no link of ours for this, it was used, or its time is over: always the same.
    """
    name = work.means.tokens.open(TokenUse.LINK, token)
    row = None
    if name is not None:
        members = await work.connection.fetch(_NAMESAKES, UUID(bytes=name))
        await lock_links(work.connection, [member["id"] for member in members])
        row = await work.connection.fetchrow(
            "UPDATE one_time_link SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2"
            " AND kind = ANY($3::text[]) RETURNING member_id, kind, new_email",
            UUID(bytes=name),
            work.now,
            [kind.value for kind in kinds],
        )
    if row is None:
        raise dead_link()
    return row


def dead_link() -> FieldErrors:
    """What every link that does nothing is answered with."""
    message = "this link does not work or does not work any more: ask for a new one"
    return FieldErrors([FieldProblem(("token",), "LINK_EXPIRED", message)])
