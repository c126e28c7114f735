"""What members and visitors ask of the company: corrections of facts, access, contact (C12, C13, C15).

A request is a row of `member_request`, which its member reads in `me.requests`, and a mail that says that it
arrived. Officers work it off (`resolvers.commands.request_desk`). Texts hold no telephone number: officers'
screens and the member's own contract would show it (R1).

Nothing here looks a visitor's e-mail address up, so nobody learns whether it is a member's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from asyncpg import Record

from policies.age_recipients import read_age_recipient
from policies.email_addresses import read_email
from policies.free_text import find_phone_number
from policies.principal import MemberPrincipal
from resolvers.commands.correction import Checks, add_row, lock_member
from resolvers.commands.erasure import CANCELLED
from resolvers.commands.letters import post
from resolvers.context import Work
from resolvers.throttle import count_attempt
from schema.errors import FreeTextPhoneError
from schema.ids import parse_uuid
from schema.tables.activity import CommunicationDirection
from schema.tables.mail import LetterKind
from schema.tables.requests import CorrectionTarget, RequestKind, RequestStatus

ANSWER_OWED: Final = timedelta(days=30)
"""GDPR, Art. 12 (3), and CCPA, 1798.130: a month, 45 days. The shorter one."""

MAX_OPEN: Final = 20
"""Open requests of one member: more than anybody waits for, and a client that repeats itself stops there."""

MAX_SUBJECT: Final = 150
MAX_TEXT: Final = 4_000

_OWN_RECORD: Final = {
    CorrectionTarget.ORDER: "SELECT id FROM customer_order WHERE id = $1 AND member_id = $2",
    CorrectionTarget.COMMUNICATION: "SELECT id FROM communication WHERE id = $1 AND member_id = $2",
    CorrectionTarget.INTERACTION: "SELECT id FROM interaction WHERE id = $1 AND member_id = $2",
}

_UNDER_WAY: Final = (RequestStatus.OPEN.value, RequestStatus.IN_PROGRESS.value)


async def request_correction(work: Work, given: Mapping[str, Any]) -> None:
    """Ask for the correction of a record of fact of one's own (C13). What is open already is not asked again.

    CLAUSE (C2, C13): orders, communications, interactions and the member number are corrected on request.

    Raises:
        FieldErrors: nothing was stored.
    """
    member = await lock_member(work, None)
    checks = Checks(member["region"])
    kind = CorrectionTarget(given["kind"])
    text = check_lines(checks, "text", given["text"])
    target = await _target(work, member["id"], kind, given.get("id"), checks)
    checks.done()
    asked = {"kind": RequestKind.CORRECTION.value, "body": text, "target_kind": kind.value}
    open_now = await _under_way(work, member["id"])
    if any(row["target_id"] == target and all(row[n] == v for n, v in asked.items()) for row in open_now):
        return
    _not_too_many(checks, open_now)
    subject = f"Correction: {kind.value.replace('_', ' ').lower()}"
    await _open(work, member["id"], {**asked, "subject": subject, "target_id": target})


async def request_access(work: Work, given: Mapping[str, Any]) -> None:
    """Ask for an archive of everything that is stored (C12). One such request is open at a time.

    Asking again adds nothing, but a key: the archive is encrypted to the one that was given last.

    CLAUSE (C12): a member asks for the archive of everything stored.

    Raises:
        FieldErrors: nothing was stored.
    """
    member = await lock_member(work, None)
    checks = Checks(member["region"])
    note = given.get("note")
    body = check_lines(checks, "note", note) if note else ""
    recipient = _recipient(checks, given.get("recipient"))
    checks.done()
    open_now = await _under_way(work, member["id"])
    waiting = next((row for row in open_now if row["kind"] == RequestKind.ACCESS), None)
    if waiting is not None:
        if recipient is not None and recipient != waiting["recipient"]:
            await _change_recipient(work, waiting, recipient, checks)
        return
    asked = {"kind": RequestKind.ACCESS.value, "subject": "Access to your data", "body": body}
    await _open(work, member["id"], {**asked, "recipient": recipient})


async def _change_recipient(work: Work, waiting: Record, recipient: str, checks: Checks) -> None:
    changed = await work.connection.fetchval(
        "UPDATE member_request SET recipient = $2 WHERE id = $1 AND status = $3 RETURNING true",
        waiting["id"],
        recipient,
        RequestStatus.OPEN.value,
    )
    if not changed:
        message = "your request is worked on already: write to us if the key has to be another one"
        checks.refuse("NOT_OPEN", message, "recipient")
    checks.done()


def _recipient(checks: Checks, value: str | None) -> str | None:
    if not value:
        return None
    recipient = read_age_recipient(value)
    if recipient is None:
        message = "`recipient`: a public key of age, `age1` and 58 more characters; never the secret one"
        checks.refuse("BAD_FORMAT", message, "recipient")
    return recipient


async def cancel_request(work: Work, given: Mapping[str, Any]) -> None:
    """Take back a request of one's own that nobody works on yet; one that was taken back stays so.

    Raises:
        FieldErrors: there is none of that id, or it is not open any more. An erasure is taken back by the
            link that was mailed.
    """
    member = await lock_member(work, None)
    checks = Checks(member["region"])
    row = await work.connection.fetchrow(
        "SELECT id, status FROM member_request WHERE id = $1 AND member_id = $2 AND kind <> $3 FOR UPDATE",
        parse_uuid(given["id"]),
        member["id"],
        RequestKind.ERASURE.value,
    )
    if row is None:
        checks.refuse("UNKNOWN", "`id` names none of your requests: see `me.requests`", "id")
    elif row["status"] not in (RequestStatus.OPEN, RequestStatus.CANCELLED):
        checks.refuse("NOT_OPEN", "this request is worked on or over: see its `status`", "id")
    checks.done()
    await work.connection.execute(
        "UPDATE member_request SET status = $2, closed_at = $3, outcome = $4 WHERE id = $1 AND status = $5",
        row["id"] if row else None,
        RequestStatus.CANCELLED.value,
        work.now,
        CANCELLED,
        RequestStatus.OPEN.value,
    )


async def count_contact(work: Work, given: Mapping[str, Any]) -> None:
    """Count a message, in a transaction of its own.

    Raises:
        ThrottledError: there were too many from this member, to this address, or from this network.
    """
    principal = work.principal
    if isinstance(principal, MemberPrincipal):
        who = str(principal.member_id)
    else:
        who = given.get("email") or ""
        who = read_email(who) or who
    await count_attempt(work, f"contact {who}")


async def contact(work: Work, given: Mapping[str, Any]) -> None:
    """Take a message in (C15): a member's is part of the own thread, a visitor's names where to answer.

    CLAUSE (C15): questions of members and visitors come into the queue.

    Raises:
        FieldErrors: nothing was stored.
    """
    if isinstance(work.principal, MemberPrincipal):
        await _contact_of_member(work, given)
    else:
        await _contact_of_visitor(work, given)


async def _contact_of_member(work: Work, given: Mapping[str, Any]) -> None:
    member = await lock_member(work, None)
    checks = Checks(member["region"])
    message = _message(checks, given)
    for name in ("email", "name"):
        if given.get(name) is not None:
            checks.refuse("NOT_ALLOWED", f"leave `{name}` out: you are answered in your account", name)
    checks.done()
    open_now = await _under_way(work, member["id"])
    _not_too_many(checks, open_now)
    sent = {"member_id": member["id"], "direction": CommunicationDirection.FROM_MEMBER.value, **message}
    await add_row(work, "communication", {**sent, "sent_at": work.now})
    await _open(work, member["id"], {"kind": RequestKind.CONTACT.value, **message})


async def _contact_of_visitor(work: Work, given: Mapping[str, Any]) -> None:
    checks = Checks(None)
    message = _message(checks, given)
    email = _email(checks, given.get("email"))
    if given.get("name"):
        name = checks.text("name", given["name"])
        checks.together("text", "name", texts=(message["body"].rpartition("\n")[2], name))
        message["body"] += f"\n\n{name}"
    checks.done()
    waits = await work.connection.fetchval(
        "SELECT EXISTS (SELECT FROM member_request WHERE member_id IS NULL AND lower(reply_to) = lower($1)"
        " AND status = $2)",
        email,
        RequestStatus.OPEN.value,
    )
    await _store(work, {"kind": RequestKind.CONTACT.value, "reply_to": email, **message})
    if not waits:  # whoever else's address it is gets one mail, and no text that somebody wrote
        await post(work, LetterKind.REQUEST_RECEIVED, email, None)


def check_lines(checks: Checks, name: str, value: str | None, *, longest: int = MAX_TEXT) -> str:
    """A text of several lines, under the rules of `Checks.text`; numbers are found across lines as well."""
    lines = [line.strip() for line in (value or "").replace("\t", " ").splitlines()]
    text = "\n".join(lines).strip("\n")
    checks.text(name, text.replace("\n", " "), longest=longest)
    checks.together(name, texts=[line for line in lines if line])
    return text


def _message(checks: Checks, given: Mapping[str, Any]) -> dict[str, str]:
    subject = checks.text("subject", given["subject"], longest=MAX_SUBJECT)
    body = check_lines(checks, "text", given["text"])
    checks.together("subject", "text", texts=(subject, body.partition("\n")[0]))
    return {"subject": subject, "body": body}


def _email(checks: Checks, value: str | None) -> str:
    if not value:
        checks.refuse("REQUIRED", "`email` is missing: say where the answer goes", "email")
        return ""
    email = read_email(value)
    if email is None:
        checks.refuse("BAD_FORMAT", "`email`: an address such as name@example.org", "email")
        return ""
    if find_phone_number(email, region=checks.country):
        checks.refuse(FreeTextPhoneError.code, "`email` holds a telephone number: give another one", "email")
    return email


async def _target(
    work: Work, member_id: UUID, kind: CorrectionTarget, stated: str | None, checks: Checks
) -> UUID | None:
    """The record, which has to be the member's own: of others' it is not told whether they exist."""
    query = _OWN_RECORD.get(kind)
    if query is None:
        if stated is not None:
            checks.refuse("NOT_ALLOWED", "leave `id` out: you have one member number", "id")
        return None
    found: UUID | None = await work.connection.fetchval(query, parse_uuid(stated or ""), member_id)
    if stated is None:
        checks.refuse("REQUIRED", "`id` is missing: name the record", "id")
    elif found is None:
        checks.refuse("UNKNOWN", "`id` names no record of yours of that kind", "id")
    return found


async def _under_way(work: Work, member_id: UUID) -> list[Record]:
    return await work.connection.fetch(
        "SELECT id, kind, body, target_kind, target_id, recipient FROM member_request"
        " WHERE member_id = $1 AND status = ANY($2::text[])",
        member_id,
        list(_UNDER_WAY),
    )


def _not_too_many(checks: Checks, open_now: list[Record]) -> None:
    if len(open_now) >= MAX_OPEN:
        checks.refuse("TOO_MANY", f"you have {MAX_OPEN} open requests, which is the most: wait for answers")
    checks.done()


async def _open(work: Work, member_id: UUID, asked: Mapping[str, Any]) -> None:
    await _store(work, {"member_id": member_id, **asked})
    email = await work.connection.fetchval("SELECT email FROM member WHERE id = $1", member_id)
    await post(work, LetterKind.REQUEST_RECEIVED, email, member_id)


async def _store(work: Work, asked: Mapping[str, Any]) -> None:
    times = {"opened_at": work.now, "due_at": work.now + ANSWER_OWED}
    await add_row(work, "member_request", {**asked, "status": RequestStatus.OPEN.value, **times})
