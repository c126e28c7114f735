"""What an access archive holds (C12): which rows of which tables are a member's.

A section is a table, whole: every column goes in but those that `schema.archive_left_out` names, with the
reason why not. Every table is a section here, or named there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Column
from sqlalchemy import Table as SATable

from schema.archive_left_out import COLUMNS_LEFT_OUT
from schema.categories import DataCategory
from schema.tables.base import CATEGORY_KEY, Table

VERSION: Final = "1"
"""Of `data.json`. It rises when something moves or means something else, not when something is added."""


class Found(StrEnum):
    """How the rows of a section are found to be the member's (`resolvers.archive_reading`)."""

    SELF = "SELF"
    """The row of `member`."""
    OWNER = "OWNER"
    """Their `member_id`."""
    WROTE = "WROTE"
    """Requests: `member_id`, or a visitor's message that is answered at the member's address."""
    MAILED = "MAILED"
    """Mails: `member_id`, or the member's address as recipient."""
    ADDRESS = "ADDRESS"
    """The member's e-mail address."""
    PAIRWISE = "PAIRWISE"
    """An id by which a partner knows the member."""
    LOG = "LOG"
    """The name under which the disclosure log knows the member."""
    ACTED_ON = "ACTED_ON"
    """The same name, in the log of officers' actions."""
    NAMED = "NAMED"
    """A legal case that names the member, and that two officers have approved."""
    SUBJECT = "SUBJECT"
    """The member's id, as a text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a record: how `data.json` calls it, and how people do."""

    name: str
    label: str
    column: Column[Any]
    is_mask: bool = False
    """A share mask: shown as the categories that it stands for."""

    @property
    def category(self) -> DataCategory:
        """Its data category."""
        category: DataCategory = self.column.info[CATEGORY_KEY]
        return category


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of another table that belong to a row of the section, and stand inside it."""

    name: str
    table: SATable
    parent: str
    """Its column that names the row that it belongs to."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Its columns, but the one that says where it stands."""
        return tuple(entry for entry in entries_of(self.table) if entry.column.name != self.parent)


@dataclass(frozen=True, slots=True)
class Section:
    """One list of `data.json`, one chapter of the readable page."""

    name: str
    title: str
    says: str
    table: SATable
    found: Found = Found.OWNER
    parts: tuple[Part, ...] = ()
    order: str = "id"
    newest_first: bool = False

    @property
    def deferred_with(self) -> str | None:
        """The column by which a record is not told yet, while an order defers a case (C8 b)."""
        if "agreement_id" in self.table.columns:
            return "agreement_id"
        return "partner_id" if self.found is Found.OWNER and self.name == "ids_at_partners" else None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Its columns, but those that stay out."""
        return entries_of(self.table)


_MASKS: Final = MappingProxyType(
    {"mask": "categories", "before": "categories_before", "after": "categories_after"}
)

_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "id": "Name of the record",
        "number": "Number",
        "given_name": "First name",
        "family_name": "Last name",
        "username": "User name",
        "email": "E-mail address",
        "new_email": "New e-mail address",
        "supervisor_email": "E-mail address of the supervising adult",
        "line1": "Street",
        "line2": "Street, second line",
        "is_primary": "The address that may be shared",
        "last_four": "Last four digits",
        "sku": "Article number",
        "unit_price": "Price of one",
        "ip_address": "IP address",
        "domain": "Provider",
        "joined_at": "Member since",
        "updated_at": "Last changed",
        "requested_at": "Date of the request",
        "received_at": "Arrived",
        "subject": "Subject",
        "told_at": "Partner told",
        "confirmed_at": "Deletion confirmed",
        "reply_to": "Answer goes to",
        "seconds": "Seconds",
        "refused_at": "Mail refused",
        "allowed_at": "Mail allowed",
        "categories": "Data categories",
        "categories_before": "Shared before",
        "categories_after": "Shared after",
        "recipient": "Recipient",
    }
)


def label_of(name: str) -> str:
    """What people call a value of this name."""
    words = name.removesuffix("_at").removesuffix("_id").replace("_", " ")
    return _LABELS.get(name, f"{words[:1].upper()}{words[1:]}")


def entries_of(table: SATable) -> tuple[Entry, ...]:
    """The columns of a table that go into an archive."""
    found = []
    for column in table.columns:
        if column.name == "member_id" or (table.name, column.name) in COLUMNS_LEFT_OUT:
            continue
        is_mask = table.name in _MASKED and column.name in _MASKS
        name = _MASKS[column.name] if is_mask else column.name
        label = "Your id there" if (name, table.name) in _PAIRWISE else label_of(name)
        found.append(Entry(name, label, column, is_mask))
    return tuple(found)


_MASKED: Final = frozenset({"share", "share_change", "deletion"})
_PAIRWISE: Final = frozenset(
    ("subject", table) for table in ("share", "share_change", "deletion", "pairwise_subject")
)


def _table(name: str) -> SATable:
    return Table.metadata.tables[name]


SECTIONS: Final[tuple[Section, ...]] = (
    Section("profile", "Who you are to us", "What you told us about yourself.", _table("member"), Found.SELF),
    Section("postal_addresses", "Postal addresses", "The addresses on file.", _table("postal_address")),
    Section(
        "telephone_numbers",
        "Telephone numbers",
        "What you call each number, and since when it is on file.",
        _table("phone"),
    ),
    Section(
        "billing_methods",
        "Ways to pay",
        "No card number is stored: only what lets you recognise the card.",
        _table("billing_method"),
    ),
    Section(
        "orders",
        "Orders",
        "What you bought.",
        _table("customer_order"),
        parts=(Part("lines", _table("order_line"), "order_id"),),
    ),
    Section(
        "carts",
        "Shopping carts",
        "What you put into a cart.",
        _table("cart"),
        parts=(Part("items", _table("cart_item"), "cart_id"),),
    ),
    Section(
        "interactions",
        "Forms, surveys and other interactions",
        "Data that reached us in other ways, with the source.",
        _table("interaction"),
    ),
    Section("communications", "Messages", "What you wrote to us, and we to you.", _table("communication")),
    Section(
        "visits",
        "Visits to the site",
        "Technical data of your visits, and the pages that you saw.",
        _table("visit"),
        parts=(Part("page_views", _table("page_view"), "visit_id"),),
    ),
    Section(
        "choices",
        "Your choices",
        "Every opt-in and opt-out, with the date that decides. What a choice does not name, it covers whole."
        " Each has a receipt in data.json.",
        _table("choice"),
    ),
    Section(
        "shares",
        "Who may receive what",
        "What each agreement with another company lets it receive about you today.",
        _table("share"),
        order="agreement_id",
    ),
    Section(
        "disclosures",
        "Who has received what",
        "Every response that left to another company with data about you, newest first. The categories are"
        " those of the whole response, so it may name one that was withheld of you.",
        _table("disclosure"),
        Found.LOG,
        order="place",
        newest_first=True,
    ),
    Section(
        "legal_cases",
        "Legal cases that name you",
        "What the law required us to give to a court or an authority, and until when. A case is told once no"
        " order of a court forbids it any more.",
        _table("legal_case"),
        Found.NAMED,
    ),
    Section(
        "changes_told",
        "What other companies were told of changes",
        "Each change in what a company may receive about you.",
        _table("share_change"),
        Found.PAIRWISE,
        order="seq",
    ),
    Section(
        "withdrawals",
        "What other companies have to delete",
        "What was withdrawn from a company, when it had to be deleted, and whether that was confirmed.",
        _table("deletion"),
    ),
    Section(
        "ids_at_partners",
        "How other companies know you",
        "The id by which each company knows you. No two know the same one.",
        _table("pairwise_subject"),
        order="partner_id",
    ),
    Section(
        "requests",
        "Your requests",
        "What you asked of us, and what came of it.",
        _table("member_request"),
        Found.WROTE,
    ),
    Section(
        "staff_actions",
        "What our staff did about you",
        "Each time somebody on our staff looked at your data or did something about you, and why. Of legal"
        " cases the disclosures tell, once they may be told.",
        _table("officer_action"),
        Found.ACTED_ON,
        order="seq",
        newest_first=True,
    ),
    Section(
        "mail_refusals",
        "Mail that was refused at your address",
        "What was asked for the address itself.",
        _table("refused_address"),
        Found.ADDRESS,
    ),
    Section(
        "suppressions",
        "Companies that must not mail you",
        "Under which agreements mail to your address is refused.",
        _table("suppression"),
        order="agreement_id",
    ),
    Section("sessions", "Sign-ins", "When, and from where, you signed in.", _table("session")),
    Section(
        "links",
        "Links that we mailed to you",
        "Links that work once, for confirming or resetting something.",
        _table("one_time_link"),
    ),
    Section(
        "mails_on_their_way",
        "Mails on their way to you",
        "Mails that wait to be sent. Those that were sent are not kept here.",
        _table("outgoing_mail"),
        Found.MAILED,
    ),
    Section(
        "commands_done",
        "Commands of yours that were done",
        "Kept for a day, so that a command that is sent twice is done once.",
        _table("done_command"),
        order="done_at",
    ),
    Section(
        "access_ended",
        "When all your sign-ins were ended",
        "Lines by which every part of the system learned of it.",
        _table("revocation"),
        Found.SUBJECT,
        order="seq",
    ),
)
"""In the order of the page."""
