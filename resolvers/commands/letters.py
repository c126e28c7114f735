"""Links that work once, and mail: both written by the transaction that is their reason.

What is posted is sent after the commit, by `gateway.delivery`, which also makes the token of a link.
"""

from __future__ import annotations

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


async def void_links(work: Work, member_id: UUID, *kinds: LinkKind) -> None:
    """Links of these kinds work no more. Whoever locks the member as well does so after this."""
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
    """A new link; those of the same kind that the member had before work no more."""
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

    Raises:
        FieldErrors: it is no link of ours for this, it was used, or its time is over: always the same.
    """
    name = work.means.tokens.open(TokenUse.LINK, token)
    row = None
    if name is not None:
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
