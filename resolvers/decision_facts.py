"""Reads what a decision about a member rests on: terms, facts, choices, legal cases (`policies.sharing`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from policies.agreement import AgreementTerms
from policies.choices import Choice, Ledger
from policies.sharing import MemberFacts
from resolvers.connection import Link
from schema.categories import Basis, DataCategory, Purpose
from schema.tables.member import MemberStatus
from schema.vocabulary import AgreementStatus, ChoiceSource, ChoiceTopic, Direction


def read_terms(row: Record) -> AgreementTerms:
    """The terms in a row of `agreement`."""
    return terms_of(
        row["id"],
        row["partner_id"],
        row["basis"],
        row["purpose"],
        row["categories"],
        row["valid_from"],
        row["valid_until"],
        row["status"],
        row["version"],
    )


def terms_of(
    agreement_id: UUID,
    partner_id: UUID,
    basis: str,
    purpose: str,
    categories: Iterable[str],
    valid_from: datetime,
    valid_until: datetime | None,
    status: str,
    version: int,
) -> AgreementTerms:
    """The terms in these columns of an agreement."""
    return AgreementTerms(
        id=agreement_id,
        partner_id=partner_id,
        basis=Basis(basis),
        purpose=Purpose(purpose),
        categories=_categories(categories),
        valid_from=valid_from,
        valid_until=valid_until,
        status=AgreementStatus(status),
        version=version,
    )


async def read_choices(
    connection: Link, members: Iterable[UUID], *, received_by: datetime | None = None
) -> dict[UUID, Ledger]:
    """The choices of these members, as the fold takes them; members without any are absent.

    `received_by` leaves out what arrived later: the ledger as it was at a date. Of requests about the same in
    the same direction only the latest is read: no other can win anything.
    """
    rows = await connection.fetch(
        "SELECT DISTINCT ON (member_id, partner_id, purpose, basis, categories, direction) member_id,"
        " requested_at, direction, partner_id, purpose, categories, basis, source, ends_at FROM choice"
        " WHERE member_id = ANY($1::uuid[]) AND topic = $2"
        " AND ($3::timestamptz IS NULL OR received_at <= $3)"
        " ORDER BY member_id, partner_id, purpose, basis, categories, direction, requested_at DESC, ends_at,"
        " id",
        list(members),
        ChoiceTopic.SHARING.value,
        received_by,
    )
    choices: dict[UUID, list[Choice]] = {}
    for row in rows:
        entry = read_choice(row, row["direction"], row["categories"], row["requested_at"], row["ends_at"])
        choices.setdefault(row["member_id"], []).append(entry)
    return {member_id: Ledger(entries) for member_id, entries in choices.items()}


def read_choice(
    row: Record,
    direction: str,
    keys: Iterable[str] | None,
    requested_at: datetime,
    ends_at: datetime | None,
) -> Choice:
    """The choice in a row that has its partner, purpose, basis and source; the rest is given apart."""
    return Choice(
        requested_at=requested_at,
        direction=Direction(direction),
        partner_id=row["partner_id"],
        purpose=None if row["purpose"] is None else Purpose(row["purpose"]),
        categories=None if keys is None else _categories(keys),
        source=ChoiceSource(row["source"]),
        basis=None if row["basis"] is None else Basis(row["basis"]),
        ends_at=ends_at,
    )


def _categories(keys: Iterable[str]) -> frozenset[DataCategory]:
    return frozenset(DataCategory(key) for key in keys)


def read_facts(row: Record, named_by: frozenset[UUID] = frozenset()) -> MemberFacts:
    """What the decision needs of a row of `member`, and of the legal cases that name her (`read_named`)."""
    return MemberFacts(row["birth_date"], row["region"], row["status"] == MemberStatus.ACTIVE, named_by)


async def read_named(
    connection: Link, members: Iterable[UUID], *, at: datetime | None = None
) -> dict[UUID, frozenset[UUID]]:
    """By member, the agreements of the legal cases that name her: of approved ones that are not closed.

    `at` a date: of those that were approved by then, and not closed yet.
    """
    rows = await connection.fetch(
        "SELECT member_id, array_agg(agreement_id) AS agreements FROM legal_case_member"
        " JOIN legal_case ON legal_case.id = case_id WHERE member_id = ANY($1::uuid[])"
        " AND approved_at <= coalesce($2::timestamptz, approved_at)"
        " AND (closed_at IS NULL OR closed_at > $2) GROUP BY member_id",
        list(members),
        at,
    )
    return {row["member_id"]: frozenset(row["agreements"]) for row in rows}
