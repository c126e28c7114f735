"""Mail that is on its way, and the newsletter.

A row says who gets which letter. The text, and the token of a link in it, are made when it is sent.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Index, Integer, Text, func, text

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, member_key, row_id

_OPS = DataCategory.OPERATIONS


class LetterKind(StrEnum):
    """What a mail says. Account mails are always sent (C9); only the NEWSLETTER can be refused."""

    CONFIRM_REGISTRATION = "CONFIRM_REGISTRATION"
    CONFIRM_SUPERVISION = "CONFIRM_SUPERVISION"
    ALREADY_REGISTERED = "ALREADY_REGISTERED"
    WELCOME = "WELCOME"
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - a kind of letter
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - a kind of letter
    CONFIRM_EMAIL = "CONFIRM_EMAIL"
    EMAIL_CHANGING = "EMAIL_CHANGING"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    EMAIL_TAKEN = "EMAIL_TAKEN"
    REQUEST_RECEIVED = "REQUEST_RECEIVED"
    REQUEST_ANSWERED = "REQUEST_ANSWERED"
    ERASURE_SCHEDULED = "ERASURE_SCHEDULED"
    ERASURE_CANCELLED = "ERASURE_CANCELLED"
    ERASURE_DONE = "ERASURE_DONE"
    NEWSLETTER = "NEWSLETTER"
    NEW_PRACTICE = "NEW_PRACTICE"
    BUSINESS_TRANSFER = "BUSINESS_TRANSFER"


ANNOUNCEMENTS: Final = frozenset({LetterKind.NEW_PRACTICE, LetterKind.BUSINESS_TRANSFER})
"""Letters that say what notices say, to every member (C8 c, C16)."""


class OutgoingMail(Table, table=True):
    """The outbox: a mail to be sent, written by the transaction that is its reason; gone once it is sent.

    What it says is put together when it is sent (`gateway.delivery`): no token ever stands in a table.
    `member_id` is null for letters to those who are no members (any more). `request_id`: whose outcome the
    letter tells, because a visitor reads it nowhere else. `mailing_id`: whose notices it tells (C16).
    """

    __tablename__ = "outgoing_mail"

    id: UUID = row_id()
    member_id: UUID | None = member_key(nullable=True)
    recipient: str = column(DataCategory.EMAIL, Text)
    kind: str = column(_OPS, Text)
    link_id: UUID | None = column(_OPS, foreign_key="one_time_link.id", nullable=True)
    newsletter_id: UUID | None = column(_OPS, foreign_key="newsletter.id", nullable=True)
    request_id: UUID | None = column(_OPS, foreign_key="member_request.id", nullable=True)
    mailing_id: UUID | None = column(_OPS, foreign_key="notice_mailing.id", nullable=True)
    created_at: datetime = instant(_OPS)
    due_at: datetime = instant(_OPS, index=True)
    attempts: int = column(_OPS, Integer, default=0)

    __table_args__ = (
        # Letters that somebody waits for are found past any number of newsletters and announcements.
        Index(
            "ix_outgoing_mail_letters",
            "due_at",
            postgresql_where=text("newsletter_id IS NULL AND mailing_id IS NULL"),
        ),
        # What a mail goes with is removed without reading the outbox; most mails have none of each.
        *(
            Index(f"ix_outgoing_mail_{name}", name, postgresql_where=text(f"{name} IS NOT NULL"))
            for name in ("link_id", "newsletter_id", "request_id", "mailing_id")
        ),
        Index("ix_outgoing_mail_recipient_lower", func.lower(text("recipient"))),
    )


class Newsletter(Table, table=True):
    """One issue of the newsletter, as it is sent to those who want it."""

    __tablename__ = "newsletter"

    id: UUID = row_id()
    subject: str = column(_OPS, Text)
    body: str = column(_OPS, Text)
    created_at: datetime = instant(_OPS)
