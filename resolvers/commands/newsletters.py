"""The newsletter (C9): written once, and put into the outbox for exactly those who asked for it.

A member gets it who is active, whose address was confirmed, and whose latest-dated choice about it is IN;
at equal dates OUT wins (C11), and who never chose gets none. The sender asks again before each mail.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from resolvers.connection import Link
from resolvers.newsletter_fold import NEWSLETTER_WANTED
from schema.errors import InputError
from schema.ids import new_id
from schema.tables.mail import LetterKind

MAX_SUBJECT: Final = 200
MAX_BODY: Final = 100_000
"""Characters: a mail of text beyond that is cut by the programs that show it."""

_SENDING: Final = 7_305_118
"""Key of the advisory lock of whoever sends an issue."""

WANTS_NEWSLETTER: Final = (
    f"(member.status = 'ACTIVE' AND member.email_verified_at IS NOT NULL AND {NEWSLETTER_WANTED})"
)
"""Whether the row of `member` at hand gets the newsletter; null if there is none."""


@dataclass(frozen=True, slots=True)
class NewsletterView:
    """One issue, as officers see it. `waiting`: mails of it that are still in the outbox."""

    id: UUID
    subject: str
    created_at: datetime
    waiting: int


async def post_newsletter(
    connection: Link, subject: str, body: str, now: datetime, *, again: bool = False
) -> int:
    """Put an issue into the outbox; to how many members it goes. One transaction, the caller's.

    CLAUSE (C9): an issue goes into the outbox for those alone whose latest choice asks for it.

    Raises:
        InputError: the subject is not one line, a text is empty or too long, or the same issue was sent
            before and `again` does not say that it is meant.
    """
    subject, body = subject.strip(), body.replace("\r\n", "\n").strip()
    if not subject or len(subject) > MAX_SUBJECT or _has_control(subject):
        raise InputError(f"`--subject`: one line of at most {MAX_SUBJECT} characters")
    if not body or len(body) > MAX_BODY or _has_control(body.replace("\n", "").replace("\t", "")):
        raise InputError(f"`FILE`: plain text of at most {MAX_BODY} characters")
    # Another officer may be sending the same issue at this moment: the second one finds what the first sent.
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _SENDING)
    sent = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM newsletter WHERE subject = $1 AND body = $2)", subject, body
    )
    if sent and not again:
        raise InputError("this newsletter was sent before: `--again` sends it once more")
    # A long list of members takes longer than any statement of a request may.
    await connection.execute("SET LOCAL statement_timeout = 0")
    newsletter_id = new_id()
    await connection.execute(
        "INSERT INTO newsletter (id, subject, body, created_at) VALUES ($1, $2, $3, $4)",
        newsletter_id,
        subject,
        body,
        now,
    )
    posted: int = await connection.fetchval(
        "WITH posted AS (INSERT INTO outgoing_mail (id, member_id, recipient, kind, newsletter_id,"
        " created_at, due_at, attempts) SELECT gen_random_uuid(), member.id, member.email, $2, $1, $3, $3, 0"
        f" FROM member WHERE {WANTS_NEWSLETTER} RETURNING id) SELECT count(*) FROM posted",
        newsletter_id,
        LetterKind.NEWSLETTER.value,
        now,
    )
    return posted


async def list_newsletters(connection: Link) -> Sequence[NewsletterView]:
    """Every issue, the latest first."""
    rows = await connection.fetch(
        "SELECT newsletter.id, subject, newsletter.created_at, count(mail.id) AS waiting FROM newsletter"
        " LEFT JOIN outgoing_mail mail ON mail.newsletter_id = newsletter.id"
        " GROUP BY newsletter.id ORDER BY newsletter.created_at DESC, newsletter.id DESC"
    )
    return [NewsletterView(**dict(row)) for row in rows]


def _has_control(text: str) -> bool:
    return any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text)
