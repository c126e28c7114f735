"""Reads all that is stored about one member, section by section, as `schema.archive` lists it (C12).

Comes in: a connection in a transaction that sees one moment, and a member. Goes out: the rows as they stand,
one after the other; a reader that holds none of them needs the same memory for ten rows and for a million.
Nothing is read of the vault.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import orjson
from asyncpg import Record

from policies.email_addresses import comparable_email
from resolvers.connection import Link
from resolvers.means import Company
from resolvers.receipts import read_receipt
from schema.archive import Found, Part, Section

AHEAD: Final = 500
"""Rows that are read at a time, and whose parts are read together."""

_ADDRESS: Final = "(SELECT lower(email) FROM member WHERE id = $1)"

_LOG: Final = "(SELECT log_id FROM member WHERE id = $1)"

_NAMED_IN: Final = (
    "(SELECT c.agreement_id FROM legal_case c JOIN legal_case_member n ON n.case_id = c.id"
    " WHERE n.member_id = $1 AND c.approved_at IS NOT NULL)"
)
"""The agreements of legal cases that name the member."""

_UNTOLD: Final = (
    "(SELECT d.partner_id FROM agreement d GROUP BY d.partner_id"
    " HAVING bool_or(d.deferred_until > moment.at) AND NOT bool_or("
    "(d.deferred_until IS NULL OR d.deferred_until <= moment.at)"
    f" AND (d.basis <> 'LEGAL' OR d.id IN {_NAMED_IN})))"
)
"""Companies that an order keeps untold: with a case that is deferred now, and nothing else that the member
may read of. A case that names others only is nothing of hers."""

_SOURCES: Final[Mapping[Found, str]] = MappingProxyType(
    {
        Found.SELF: "member t WHERE t.id = $1",
        Found.WROTE: "member_request t WHERE t.member_id = $1"
        f" OR (t.member_id IS NULL AND lower(t.reply_to) = {_ADDRESS})",
        Found.MAILED: f"outgoing_mail t WHERE t.member_id = $1 OR lower(t.recipient) = {_ADDRESS}",
        Found.ADDRESS: "refused_address t WHERE t.address = $1",
        Found.PAIRWISE: "pairwise_subject p JOIN agreement a ON a.partner_id = p.partner_id"
        " JOIN share_change t ON t.agreement_id = a.id AND t.subject = p.subject WHERE p.member_id = $1",
        Found.LOG: f"disclosures_of({_LOG}, NULL, 4611686018427387904) AS f (found)"
        " JOIN disclosure t ON t.place = f.found WHERE true",
        Found.NAMED: f"legal_case t WHERE t.agreement_id IN {_NAMED_IN}",
        # What a case has disclosed is told with the disclosures, once it may be: not here before.
        Found.ACTED_ON: f"officer_action t WHERE t.member_log_id = {_LOG} AND t.act NOT LIKE 'case.%'"
        f" AND NOT EXISTS (SELECT FROM partner p WHERE p.id IN {_UNTOLD}"
        " AND split_part(t.about, ',', 1) = 'partner ' || p.name)",
        Found.SUBJECT: "revocation t WHERE t.kind = 'MEMBER' AND t.subject = $1::uuid::text",
    }
)
"""Where the rows are that are not found by their `member_id` alone."""


_SHOWN: Final[Mapping[str | None, str]] = MappingProxyType(
    {
        "agreement_id": " AND NOT EXISTS"
        " (SELECT FROM agreement d WHERE d.id = t.agreement_id AND d.deferred_until > moment.at)",
        "partner_id": f" AND t.partner_id NOT IN {_UNTOLD}",
    }
)
"""Nothing that rests on an agreement whose case an order defers now, as in the member's contract (C8 b).

INVARIANT (deferred-unseen): every section with such a column asks this (`schema.archive`).
"""


@dataclass(frozen=True, slots=True)
class ArchiveRecord:
    """A row by its columns; the rows that belong to it, by the name of their part; a choice's receipt."""

    row: Mapping[str, Any]
    parts: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    receipt: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AgreementName:
    """An agreement, as people tell it from others."""

    partner: str
    basis: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Names:
    """What ids of companies, agreements and notices stand for."""

    partners: Mapping[UUID, str]
    agreements: Mapping[UUID, AgreementName]
    notices: Mapping[UUID, str]


async def read_names(connection: Link) -> Names:
    """The names of all companies, agreements and notices there are."""
    partners = await connection.fetch("SELECT id, display_name FROM partner")
    agreements = await connection.fetch(
        "SELECT a.id, p.display_name, a.basis, a.purpose FROM agreement a JOIN partner p ON p.id = partner_id"
    )
    notices = await connection.fetch("SELECT id, title FROM notice")
    return Names(
        {row["id"]: row["display_name"] for row in partners},
        {row["id"]: AgreementName(row["display_name"], row["basis"], row["purpose"]) for row in agreements},
        {row["id"]: row["title"] for row in notices},
    )


async def lift_time_limit(connection: Link) -> None:
    """Let the statements of this transaction take as long as they take."""
    await connection.execute("SET LOCAL statement_timeout = 0")


async def count_section(connection: Link, section: Section, member_id: UUID, now: datetime) -> int:
    """How many records a section has."""
    sought = await _sought(connection, section, member_id)
    found: int = await connection.fetchval(f"SELECT count(*) FROM {_source(section)}", sought, now)
    return found


async def read_section(
    connection: Link,
    section: Section,
    member_id: UUID,
    company: Company,
    *,
    now: datetime,
    most: int | None = None,
) -> AsyncIterator[ArchiveRecord]:
    """The records of a section, in its order; with `most`, so many from its beginning."""
    waiting: list[Record] = []
    sought = await _sought(connection, section, member_id)
    query = f"SELECT {_columns(section)} FROM {_source(section)} ORDER BY {_order(section)} LIMIT $3"
    async for row in connection.cursor(query, sought, now, most, prefetch=AHEAD):
        waiting.append(row)
        if len(waiting) == AHEAD:
            for record in await _completed(connection, section, member_id, waiting, company):
                yield record
            waiting.clear()
    for record in await _completed(connection, section, member_id, waiting, company):
        yield record


async def _sought(connection: Link, section: Section, member_id: UUID) -> UUID | str | None:
    """What the rows are found by."""
    if section.found is not Found.ADDRESS:
        return member_id
    email = await connection.fetchval("SELECT email FROM member WHERE id = $1", member_id)
    return comparable_email(email or "")


def _columns(section: Section) -> str:
    return ", ".join(f't."{entry.column.name}"' for entry in section.entries)


def _source(section: Section) -> str:
    source = _SOURCES.get(section.found, f"{section.table.name} t WHERE t.member_id = $1")
    shown = _SHOWN.get(section.deferred_with, "")
    return f"(SELECT $2::timestamptz AS at) AS moment, {source}{shown}"


def _order(section: Section) -> str:
    return f't."{section.order}" {"DESC" if section.newest_first else "ASC"}'


async def _completed(
    connection: Link, section: Section, member_id: UUID, rows: Sequence[Record], company: Company
) -> Sequence[ArchiveRecord]:
    found: dict[str, Mapping[Any, list[Mapping[str, Any]]]] = {}
    for part in section.parts:
        found[part.name] = await _parts(connection, part, [row["id"] for row in rows])
    records = []
    for row in rows:
        parts = {name: by_parent.get(row["id"], []) for name, by_parent in found.items()}
        receipt = None
        if section.table.name == "choice":
            made = await read_receipt(connection, member_id, row["id"], company)
            receipt = None if made is None else orjson.loads(made.json)
        records.append(ArchiveRecord(dict(row), parts, receipt))
    return records


async def _parts(
    connection: Link, part: Part, parents: Sequence[UUID]
) -> Mapping[Any, list[Mapping[str, Any]]]:
    columns = ", ".join(f't."{name}"' for name in (part.parent, *_names(part)))
    rows = await connection.fetch(
        f"SELECT {columns} FROM {part.table.name} t WHERE t.{part.parent} = ANY($1::uuid[]) ORDER BY t.id",
        list(parents),
    )
    found: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row[part.parent], []).append({name: row[name] for name in _names(part)})
    return found


def _names(part: Part) -> Sequence[str]:
    return [entry.column.name for entry in part.entries]
