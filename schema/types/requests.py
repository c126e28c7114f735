"""Sessions, requests and notices, as the member they concern reads them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import stored
from schema.categories import Basis, Purpose
from schema.tables import Notice, OfficerAction, RequestRecord, Session
from schema.tables.requests import RequestKind, RequestStatus


@strawberry.type(name="Session", description="One sign-in: when, where from, with which browser.")
class SessionType:
    """One row of `session`."""

    id: strawberry.ID = stored(Session.id, "Names the session, as in `endSession`.")
    created_at: datetime = stored(Session.created_at, "When you signed in.")
    last_used_at: datetime = stored(Session.last_used_at, "When it was last renewed.")
    expires_at: datetime = stored(Session.expires_at, "When it ends by itself, unless it is renewed before.")
    ended_at: datetime | None = stored(Session.ended_at, "When it was ended; null: it was not.")
    ip_address: str | None = stored(Session.ip_address, "The address you came from.")
    browser: str | None = stored(Session.browser, "With which browser, as `Firefox 143, Linux`.")


@strawberry.type(name="Request", description="Something you asked of us, and what came of it.")
class RequestType:
    """One row of `member_request`."""

    id: strawberry.ID = stored(RequestRecord.id, "Names the request.")
    kind: RequestKind = stored(RequestRecord.kind, "What was asked.")
    status: RequestStatus = stored(RequestRecord.status, "Where it stands.")
    subject: str = stored(RequestRecord.subject, "What it is about.")
    body: str = stored(RequestRecord.body, "What you wrote.")
    target_kind: str | None = stored(
        RequestRecord.target_kind,
        "The kind of record to correct; of an erasure, where the membership stood before.",
    )
    target_id: strawberry.ID | None = stored(RequestRecord.target_id, "The record to correct.")
    reply_to: str | None = stored(RequestRecord.reply_to, "Where the answer goes, if not to your address.")
    recipient: str | None = stored(
        RequestRecord.recipient, "The public key that your archive is to be encrypted to, if you gave one."
    )
    outcome: str | None = stored(RequestRecord.outcome, "What came of it, once it is over.")
    opened_at: datetime = stored(RequestRecord.opened_at, "When you asked.")
    due_at: datetime = stored(RequestRecord.due_at, "When an answer is owed, or when the erasure happens.")
    closed_at: datetime | None = stored(RequestRecord.closed_at, "When it was over.")


@strawberry.type(name="Notice", description="The announcement of a new practice (C16).")
class NoticeType:
    """One row of `notice`."""

    id: strawberry.ID = stored(Notice.id, "Names the notice, as in `choose`.")
    title: str = stored(Notice.title, "What it is about.")
    body: str = stored(Notice.body, "What is new.")
    basis: Basis = stored(Notice.basis, "Why data may leave.")
    purpose: Purpose = stored(Notice.purpose, "What it is used for.")
    categories: list[str] = stored(Notice.categories, "The data categories that it opens.")
    published_at: datetime = stored(Notice.published_at, "When it was announced.")
    effective_at: datetime = stored(Notice.effective_at, "From when on it is applied to who did not opt out.")


@strawberry.type(name="StaffAccess", description="That somebody of our staff saw or used data of yours.")
class StaffAccessType:
    """One line of `officer_action` about the member: when, what and why, and not who."""

    seq: strawberry.ID = stored(OfficerAction.seq, "The number of the line.")
    done_at: datetime = stored(OfficerAction.done_at, "When.")
    act: str = stored(OfficerAction.act, "What was done, such as `profile.read`.")
    reason: str | None = stored(OfficerAction.reason, "The reason that was stated.")
