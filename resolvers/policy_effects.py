"""Whom another policy would touch: members and partners, cell by cell, and what the disclosure log says.

Members are decided as reads would be (`policies.sharing.share_mask`), by both policies, under the agreements
that are in force. Nothing is written, and nothing of a member is returned: counts, and names of partners.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from policies.compare import Comparison
from policies.sharing import share_mask
from resolvers.connection import Link
from resolvers.decision_facts import read_choices, read_facts, read_named, read_terms
from resolvers.shares import CHUNK
from schema.categories import SHARE_BITS, Basis, DataCategory, Purpose
from schema.tables.sharing import ClientStatus
from schema.vocabulary import AgreementStatus


@dataclass(slots=True)
class Touched:
    """Members of whom a category would be shared, or shared no more, and with which partners."""

    members: int = 0
    partners: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Released:
    """What one client received in answers to one document, since a date."""

    partner: str
    client_id: str
    operation_name: str | None
    operation_hash: str
    basis: Basis
    purpose: Purpose
    categories: frozenset[DataCategory]
    responses: int


@dataclass(frozen=True, slots=True)
class ClientDocument:
    """A document that a client has registered, with the terms that the client acts under."""

    partner: str
    client_id: str
    document_id: str
    sha256: str
    body: str
    basis: Basis
    purpose: Purpose
    categories: frozenset[DataCategory]


Effects = Mapping[tuple[Basis, Purpose, DataCategory, bool], Touched]
"""By basis, purpose, category, and whether it is gained."""


async def touched_members(
    connection: Link,
    comparison: Comparison,
    now: datetime,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Effects:
    """Decide every member by both policies under each agreement in force that the difference concerns.

    A member counts once for a cell, however many partners it is about.
    """
    rows = await connection.fetch(
        "SELECT agreement.*, partner.name AS partner FROM agreement JOIN partner ON partner.id = partner_id"
        " WHERE status = $1 ORDER BY agreement.id",
        AgreementStatus.ACTIVE.value,
    )
    agreements = [(read_terms(row), row["partner"]) for row in rows]
    concerned = [
        (terms, partner)
        for terms, partner in agreements
        if terms.in_force(now) and comparison.mask(terms.basis, terms.purpose) & terms.mask
    ]
    effects: defaultdict[tuple[Basis, Purpose, DataCategory, bool], Touched] = defaultdict(Touched)
    legal = any(terms.basis is Basis.LEGAL for terms, _ in concerned)
    done = 0
    async for members in _members(connection) if concerned else _nobody():
        ids = [row["id"] for row in members]
        choices = await read_choices(connection, ids)
        named = await read_named(connection, ids) if legal else {}
        for row in members:
            facts, ledger = read_facts(row, named.get(row["id"], frozenset())), choices.get(row["id"], ())
            gained: defaultdict[tuple[Basis, Purpose], int] = defaultdict(int)
            lost: defaultdict[tuple[Basis, Purpose], int] = defaultdict(int)
            for terms, partner in concerned:
                old = share_mask(comparison.before, terms, facts, ledger, now)
                new = share_mask(comparison.after, terms, facts, ledger, now)
                if old != new:
                    cell = (terms.basis, terms.purpose)
                    gained[cell] |= new & ~old
                    lost[cell] |= old & ~new
                    _name(effects, cell, new & ~old, partner, gained=True)
                    _name(effects, cell, old & ~new, partner, gained=False)
            _count(effects, gained, gained=True)
            _count(effects, lost, gained=False)
        done += len(members)
        on_progress(done)
    return effects


def _name(
    effects: defaultdict[tuple[Basis, Purpose, DataCategory, bool], Touched],
    cell: tuple[Basis, Purpose],
    mask: int,
    partner: str,
    *,
    gained: bool,
) -> None:
    for category in _categories(mask):
        effects[*cell, category, gained].partners.add(partner)


def _count(
    effects: defaultdict[tuple[Basis, Purpose, DataCategory, bool], Touched],
    masks: Mapping[tuple[Basis, Purpose], int],
    *,
    gained: bool,
) -> None:
    for cell, mask in masks.items():
        for category in _categories(mask):
            effects[*cell, category, gained].members += 1


def _categories(mask: int) -> Sequence[DataCategory]:
    return [category for category, bit in SHARE_BITS.items() if mask >> bit & 1]


async def count_members(connection: Link) -> int:
    """How many members `touched_members` goes through."""
    count: int = await connection.fetchval("SELECT count(*) FROM member")
    return count


async def _members(connection: Link) -> AsyncIterator[Sequence[Record]]:
    last = UUID(int=0)
    while rows := await connection.fetch(
        "SELECT id, birth_date, region, status FROM member WHERE id > $1 ORDER BY id LIMIT $2", last, CHUNK
    ):
        yield rows
        last = rows[-1]["id"]


async def _nobody() -> AsyncIterator[Sequence[Record]]:
    return
    yield


async def released_since(connection: Link, since: datetime) -> Sequence[Released]:
    """What the disclosure log says was released: an entry a client, document and set of categories."""
    rows = await connection.fetch(
        "SELECT partner.name AS partner, client_id, operation_name, operation_hash, basis, purpose,"
        " categories, count(*) AS responses"
        " FROM disclosure JOIN partner ON partner.id = disclosure.partner_id"
        " WHERE recorded_at >= $1 GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7",
        since,
    )
    return [
        Released(
            partner=row["partner"],
            client_id=row["client_id"],
            operation_name=row["operation_name"],
            operation_hash=row["operation_hash"],
            basis=Basis(row["basis"]),
            purpose=Purpose(row["purpose"]),
            categories=frozenset(DataCategory(key) for key in row["categories"]),
            responses=row["responses"],
        )
        for row in rows
    ]


async def client_documents(connection: Link, now: datetime) -> Sequence[ClientDocument]:
    """Every document of a client that may sign in, under an agreement in force: no other is answered."""
    rows = await connection.fetch(
        "SELECT partner.name AS partner, client_id, document_id, sha256, body, basis, purpose, categories"
        " FROM persisted_document JOIN partner_client USING (client_id)"
        " JOIN agreement ON agreement.id = partner_client.agreement_id"
        " JOIN partner ON partner.id = agreement.partner_id"
        " WHERE partner_client.status = $1 AND agreement.status = $2 AND valid_from <= $3"
        " AND (valid_until IS NULL OR valid_until > $3) ORDER BY partner.name, client_id, document_id",
        ClientStatus.ACTIVE.value,
        AgreementStatus.ACTIVE.value,
        now,
    )
    return [
        ClientDocument(
            partner=row["partner"],
            client_id=row["client_id"],
            document_id=row["document_id"],
            sha256=row["sha256"],
            body=row["body"],
            basis=Basis(row["basis"]),
            purpose=Purpose(row["purpose"]),
            categories=frozenset(DataCategory(key) for key in row["categories"]),
        )
        for row in rows
    ]
