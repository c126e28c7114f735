"""What an access archive holds (C12): which rows of which tables are a member's, and what stays out, and why.

A section is a table, whole: every column goes in unless it is named here with the reason why not. Every other
table is named with the reason why none of its rows is in an archive. `tests/schema/test_archive.py` holds
that nothing is forgotten: a new table or column has to be thought about here.

CLAUSE (C12): what an archive leaves out is listed with its reason; everything else is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Column
from sqlalchemy import Table as SATable

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

COLUMNS_LEFT_OUT: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("member", "log_id"): "after an erasure it would tell whose the records of the log were",
        ("officer_action", "seq"): "orders the lines of all",
        ("officer_action", "told"): "whether the line stands in your account as well",
        ("officer_action", "officer"): "it names somebody on the staff",
        ("officer_action", "member_log_id"): "after an erasure it would tell whose the lines of the log were",
        ("disclosure", "members"): "it names the others whose data were in the same response",
        ("disclosure", "token_id"): "it names a credential of the company that asked",
        ("disclosure", "operation_hash"): "a digest of what the company's program asked",
        ("disclosure", "writer"): "where the record stands in the proof of the log",
        ("disclosure", "position"): "where the record stands in the proof of the log",
        ("disclosure", "digest"): "where the record stands in the proof of the log",
        ("disclosure", "place"): "where the record stands in the proof of the log",
        ("legal_case", "ground"): "it may speak of others whom the case is about",
        ("legal_case", "opened_by"): "it names somebody on the staff",
        ("legal_case", "approved_by"): "it names somebody on the staff",
        ("legal_case", "closed_by"): "it names somebody on the staff",
        ("share_change", "seq"): "orders the feed of one company",
        ("share_change", "transaction"): "orders the feed of one company",
        ("suppression", "digest"): "the address once more, under a key of the company's",
        ("suppression", "generation"): "names that key",
        ("suppression", "transaction"): "orders the feed of one company",
        ("suppression", "seq"): "orders the feed of one company",
        ("done_command", "caller"): "the member's id once more",
        ("done_command", "fingerprint"): "a digest of what was sent",
        ("revocation", "seq"): "orders the lines of all",
        ("revocation", "subject"): "the member's id once more",
    }
)
"""Columns of the tables above that stay out. `member_id` does everywhere: it is the `id` of the profile."""

TABLES_LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "attempt": "keyed digests that name nobody; gone in minutes",
        "suppression_due": "that something is to be decided again; gone in a moment",
        "suppression_watch": "what companies brought, under keys of theirs",
        "suppression_key": "that a company has a key",
        "suppression_use": "counts of companies",
        "webhook_endpoint": "addresses of companies",
        "webhook_message": "made of the changes told, and recorded as disclosures",
        "deletion_statement": "a company's signed word; what it confirmed stands in the withdrawals",
        "statement_key": "public keys of companies",
        "disclosure_of": "where the disclosures of each member stand",
        "disclosure_part": "how far the log has been gone through",
        "disclosure_writer": "processes",
        "disclosure_checkpoint": "digests",
        "partner": "companies; their names stand beside their ids",
        "partner_client": "programs of companies",
        "client_key": "public keys of companies",
        "used_jti": "digests of what companies' programs sent",
        "agreement": "companies; what it says of sharing stands beside its id",
        "agreement_category": "companies",
        "quota": "counts of companies",
        "persisted_document": "documents of companies' programs",
        "notice": "announced to everybody; the title stands beside a choice that answers it",
        "newsletter": "sent to everybody",
        "applied_policy": "a digest",
        "agreement_version": "companies",
        "business_transfer": "companies; what was received stands in the disclosures",
        "legal_case_member": "whom a case names; the case itself is told",
        "legal_deferral": "orders of courts; when they end, the case is told",
        "officer": "accounts of our staff",
        "officer_session": "sign-ins of our staff",
        "policy_version": "published to everybody",
        "policy_mailing": "how far a notice has been mailed",
        "aggregate_agreement": "companies",
        "aggregate_release": "counts of groups with noise, of nobody",
        "aggregate_answer": "which company or officer was given which of them",
        "aggregate_ledger": "sums that were spent on them",
        "import_job": "counts; which rows a file had is not kept",
    }
)
"""Tables none of whose rows is a member's own."""

VAULT_LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "vault.sealed_phone": "opened with an officer's key, or not shown at all (R1, C10)",
        "vault.credential": "the hash of a password is never read back (R1, C14)",
        "vault.billing_token": "the payment processor's own token: it pays, and tells nothing",
        "vault.client_secret": "companies",
        "vault.officer_credential": "our staff",
        "vault.officer_recovery": "our staff",
    }
)
"""The sealed tables, none of which is read for an archive."""
