"""Puts a mail together: from the facts of a row to the bytes that travel.

Comes in: `MailFacts`, read when the mail is sent. Goes out: `Mail`, in plain text (RFC 5322, UTF-8), under an
id that is made of the row's, so that a repetition is recognised.

INVARIANT (no-header-from-members): of what members typed, the headers hold the address and nothing else, and
that only in the form in which it was parsed anew.
"""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Any, Final
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from gateway.delivery.notice_letters import notice_letter
from gateway.delivery.texts import TEXTS, Leads
from gateway.web.addresses import Addresses
from resolvers.outbox import MailFacts
from schema.errors import SettingsError
from schema.tables.mail import ANNOUNCEMENTS

MAX_GREETED: Final = 40
"""Characters of a name that is used in a greeting."""


class _Folding(EmailPolicy):
    """Folds headers at 78 characters, but never an address in angle brackets, which would be broken by it."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The header as it travels."""
        if name == _UNSUBSCRIBE:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_UNSUBSCRIBE: Final = "List-Unsubscribe"
_HEADERS: Final = _Folding(linesep="\r\n")
# Lines of a text, such as links, stay whole; 998 is the limit (RFC 5322, 2.1.1).
_POLICY: Final = SMTP.clone(max_line_length=900, cte_type="7bit")
_WIDTH: Final = 72
_NAME_MARKS: Final = frozenset(" '’-")


class UndeliverableError(Exception):
    """Nobody will ever get this mail: it is not tried again."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it travels. `id` is that of its row."""

    id: UUID
    sender: str
    recipient: str = field(repr=False)
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes, and where links lead."""

    sender: Address
    addresses: Addresses

    @property
    def name(self) -> str:
        """The sender, as people know it."""
        return self.sender.display_name or self.sender.domain


def read_letterhead(mail_from: str, addresses: Addresses) -> Letterhead:
    """The letterhead with the sender of the settings.

    Raises:
        SettingsError: it is not one address, with or without a name.
    """
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = mail_from
        (sender,) = message["From"].addresses
        parsed = parse_address(sender.addr_spec)
    except (ValueError, IndexError, UndeliverableError):
        raise SettingsError("`GATEWAY_MAIL_FROM`: an address such as `Shop <members@shop.example>`") from None
    return Letterhead(Address(sender.display_name, addr_spec=parsed), addresses)


def parse_address(address: str) -> str:
    """An address as it travels: its domain in ASCII.

    Raises:
        UndeliverableError: it is not an address.
    """
    try:
        parsed = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise UndeliverableError from None
    return f"{parsed.local_part}@{parsed.ascii_domain}"


def compose(facts: MailFacts, head: Letterhead, now: datetime) -> Mail:
    """The mail that these facts make.

    Raises:
        UndeliverableError: the recipient is not an address, or the letter lacks its link.
    """
    recipient = parse_address(facts.recipient)
    message = EmailMessage(policy=_POLICY)
    message["From"] = head.sender
    message["To"] = recipient
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{facts.id}@{head.sender.domain}>"
    if facts.newsletter is not None:
        if facts.member_id is None:
            raise UndeliverableError
        address = head.addresses.unsubscribe(facts.member_id)
        message["Subject"] = facts.newsletter.subject
        # RFC 2919; RFC 8058: one click, which the program that shows the mail may make.
        message["List-Id"] = f"<newsletter.{head.sender.domain}>"
        message[_UNSUBSCRIBE] = f"<{address}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(_newsletter(facts.newsletter.body, head, address), charset="utf-8")
    else:
        subject, content = _announcement(facts, head) if facts.kind in ANNOUNCEMENTS else _letter(facts, head)
        message["Subject"] = subject
        # RFC 3834: no automatic answer to this, please.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(content, charset="utf-8")
    # An address that is not ASCII is understood by servers that speak RFC 6531, as it stands.
    folding = _HEADERS if recipient.isascii() else _HEADERS.clone(utf8=True)
    return Mail(facts.id, head.sender.addr_spec, recipient, message.as_bytes(policy=folding))


def greeted(given_name: str | None) -> str | None:
    """The name, if it reads as one: what holds anything but letters may be an advertisement."""
    if given_name is None or not 0 < len(given_name) <= MAX_GREETED:
        return None
    if all(unicodedata.category(c)[0] in "LM" or c in _NAME_MARKS for c in given_name):
        return given_name
    return None


def _letter(facts: MailFacts, head: Letterhead) -> tuple[str, str]:
    """Subject and text of a letter."""
    text = TEXTS[facts.kind]
    name = greeted(facts.given_name) if text.named else None
    parts = [_filled("Hello," if name is None else f"Hello {name},"), _filled(text.why)]
    if facts.answer is not None:
        parts.append("\n".join(_filled(line) for line in facts.answer.split("\n")))
    elif text.action is not None:
        parts.append(_filled(text.action))
    if text.leads is not Leads.NOWHERE:
        if facts.link_id is None or facts.link_expires_at is None:
            raise UndeliverableError
        make = head.addresses.reset if text.leads is Leads.RESET else head.addresses.confirm
        parts.append(make(facts.link_id))
        parts.append(f"The link works once, until {facts.link_expires_at:%-d %B %Y, %H:%M} UTC.")
    if text.otherwise is not None:
        parts.append(_filled(text.otherwise))
    parts.append(
        _filled(
            f"{head.name} sends you this mail because it concerns your account or your request, whatever you"
            " chose about newsletters. We never ask for your password."
        )
    )
    return text.subject, "\n\n".join([*parts, _signature(head)])


def _announcement(facts: MailFacts, head: Letterhead) -> tuple[str, str]:
    """Subject and text of a letter about notices."""
    if facts.announcement is None or facts.member_id is None:
        raise UndeliverableError
    told = notice_letter(
        facts.kind,
        facts.announcement,
        facts.member_id,
        name=greeted(facts.given_name),
        sender=head.name,
        addresses=head.addresses,
    )
    # An address stands on a line of its own, and whole.
    parts = ["\n".join(_filled(line) for line in part.split("\n")) for part in told.parts]
    return told.subject, "\n\n".join([*parts, _signature(head)])


def _newsletter(body: str, head: Letterhead, address: str) -> str:
    why = _filled(f"{head.name} sends you this newsletter because you asked for it. To get no more of them:")
    return "\n\n".join([body, f"-- \n{why}", f"{address}\n"])


def _signature(head: Letterhead) -> str:
    return f"-- \n{head.name}\n{head.addresses.public_url}/\n"


def _filled(paragraph: str) -> str:
    return textwrap.fill(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False)
