"""The outbox, as the sender sees it: rows are claimed for a while, read, and removed or put off.

A claim is a lease: `due_at` moves ahead and that is committed before anything is sent. Who dies with a mail
in hand lets it fall due again, so each is sent at least once; two senders never hold the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from policies.choices import BASES_WITHOUT_CHOICE
from resolvers.commands.newsletters import WANTS_NEWSLETTER
from resolvers.connection import Link
from schema.tables.mail import LetterKind
from schema.vocabulary import Language


@dataclass(frozen=True, slots=True)
class NewsletterText:
    """What one issue of the newsletter says."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class MailedNotice:
    """What one notice says. `refusable`: members have a choice about it."""

    title: str
    body: str
    effective_at: datetime
    refusable: bool


@dataclass(frozen=True, slots=True)
class Announcement:
    """The notices that a mail tells, in the company's language. `version`: the publication that made them."""

    language: Language
    version: int | None
    notices: tuple[MailedNotice, ...]

    @property
    def refusable(self) -> bool:
        """Whether there is anything in it to refuse."""
        return any(notice.refusable for notice in self.notices)


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What a mail is made of, as it stands now.

    `superseded`: its link was used, has expired or is gone, the newsletter is not wanted any more, or all
    that was announced has been taken back.
    `answer`: what came of a visitor's request, who can read it nowhere else.
    """

    id: UUID
    kind: LetterKind
    recipient: str
    created_at: datetime
    attempts: int
    member_id: UUID | None
    given_name: str | None
    link_id: UUID | None
    link_expires_at: datetime | None
    newsletter: NewsletterText | None
    superseded: bool
    answer: str | None = None
    announcement: Announcement | None = None


_DUE_LETTERS: Final = (
    "SELECT id FROM outgoing_mail WHERE newsletter_id IS NULL AND mailing_id IS NULL AND due_at <= $1"
    " ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED"
)
_DUE_ANNOUNCEMENTS: Final = (
    "SELECT id FROM outgoing_mail WHERE mailing_id IS NOT NULL AND due_at <= $1"
    " ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED"
)
_DUE_NEWSLETTERS: Final = (
    "SELECT id FROM outgoing_mail WHERE newsletter_id IS NOT NULL AND due_at <= $1"
    " ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED"
)


async def claim(connection: Link, now: datetime, until: datetime, most: int) -> Sequence[UUID]:
    """Mails that are due, ours until `until`.

    Letters that somebody waits for go before announcements, and these before newsletters.
    """
    rows = await connection.fetch(
        f"UPDATE outgoing_mail SET due_at = $2 WHERE id IN ({_DUE_LETTERS}) RETURNING id", now, until, most
    )
    if not rows:
        rows = await connection.fetch(
            f"UPDATE outgoing_mail SET due_at = $2 WHERE id IN ({_DUE_ANNOUNCEMENTS}) RETURNING id",
            now,
            until,
            most,
        )
    if not rows:
        rows = await connection.fetch(
            f"UPDATE outgoing_mail SET due_at = $2 WHERE id IN ({_DUE_NEWSLETTERS}) RETURNING id",
            now,
            until,
            most,
        )
    return sorted(row["id"] for row in rows)


async def read_mail(connection: Link, mail_id: UUID, now: datetime) -> MailFacts | None:
    """What this mail is made of; None if it is not in the outbox any more, as when its member was erased."""
    row = await connection.fetchrow(
        "SELECT mail.id, mail.kind, mail.recipient, mail.created_at, mail.attempts, mail.member_id,"
        " member.email, member.given_name, mail.link_id, link.expires_at, newsletter.subject,"
        " newsletter.body, request.outcome, mail.mailing_id,"
        " CASE WHEN mail.newsletter_id IS NOT NULL THEN member.id IS NULL OR NOT coalesce("
        f"{WANTS_NEWSLETTER}, false)"
        " WHEN mail.mailing_id IS NOT NULL THEN coalesce(member.status <> 'ACTIVE', true)"
        " WHEN mail.link_id IS NOT NULL THEN link.used_at IS NOT NULL OR link.expires_at <= $2"
        " ELSE false END AS superseded"
        " FROM outgoing_mail mail LEFT JOIN member ON member.id = mail.member_id"
        " LEFT JOIN one_time_link link ON link.id = mail.link_id"
        " LEFT JOIN newsletter ON newsletter.id = mail.newsletter_id"
        " LEFT JOIN member_request request ON request.id = mail.request_id WHERE mail.id = $1",
        mail_id,
        now,
    )
    if row is None:
        return None
    issue = None if row["body"] is None else NewsletterText(row["subject"], row["body"])
    announcement = await _announcement(connection, row["mailing_id"])
    return MailFacts(
        id=row["id"],
        kind=LetterKind(row["kind"]),
        # What goes to everybody follows a member to a new address; a letter goes where its reason sent it.
        recipient=row["email"] if row["email"] and (issue or announcement) else row["recipient"],
        created_at=row["created_at"],
        attempts=row["attempts"],
        member_id=row["member_id"],
        given_name=row["given_name"],
        link_id=row["link_id"],
        link_expires_at=row["expires_at"],
        newsletter=issue,
        superseded=row["superseded"] or (row["mailing_id"] is not None and announcement is None),
        answer=row["outcome"],
        announcement=announcement,
    )


async def _announcement(connection: Link, mailing_id: UUID | None) -> Announcement | None:
    """What a mailing tells and nobody took back since; None: nothing."""
    if mailing_id is None:
        return None
    rows = await connection.fetch(
        "SELECT title, body, basis, effective_at, language, version FROM notice"
        " WHERE mailing_id = $1 AND withdrawn_at IS NULL ORDER BY id",
        mailing_id,
    )
    if not rows:
        return None
    return Announcement(
        Language(rows[0]["language"]),
        rows[0]["version"],
        tuple(
            MailedNotice(
                row["title"],
                row["body"],
                row["effective_at"],
                refusable=row["basis"] not in BASES_WITHOUT_CHOICE,
            )
            for row in rows
        ),
    )


async def remove_mail(connection: Link, mail_id: UUID) -> None:
    """It was sent, or nobody is to get it any more."""
    await connection.execute("DELETE FROM outgoing_mail WHERE id = $1", mail_id)


async def put_off(connection: Link, mail_id: UUID, due_at: datetime) -> None:
    """It could not be sent: try again then."""
    await connection.execute(
        "UPDATE outgoing_mail SET due_at = $2, attempts = attempts + 1 WHERE id = $1", mail_id, due_at
    )


async def give_back(connection: Link, mails: Sequence[UUID], due_at: datetime) -> None:
    """They were claimed and not tried: they are due again."""
    await connection.execute(
        "UPDATE outgoing_mail SET due_at = $2 WHERE id = ANY($1::uuid[])", list(mails), due_at
    )
