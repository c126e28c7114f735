"""What bulk commands read of the members that they are about to write, locked where they will write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from resolvers.commands.member_changes import StoredMember
from resolvers.commands.member_records import AddressRecord, ChoiceEntry, MemberRecord
from schema.categories import Purpose
from schema.vocabulary import ChoiceSource, Direction

if TYPE_CHECKING:
    from asyncpg import Record

    from resolvers.connection import Link


@dataclass(frozen=True, slots=True)
class Owners:
    """Who has the e-mails and user names of some records, as the unique indexes compare them.

    `emails` and `names` map a key to a member number; `email_keys` and `name_keys` are the records' own keys.
    """

    emails: Mapping[str, str]
    names: Mapping[str, str]
    email_keys: Sequence[str]
    name_keys: Sequence[str | None]


async def read_members(connection: Link, numbers: Sequence[str]) -> dict[str, StoredMember]:
    """The members with these numbers, by number, locked until the end of the transaction."""
    rows = await connection.fetch(
        "SELECT m.id, m.number, m.status, m.email, m.given_name, m.family_name, m.username, m.birth_date,"
        " m.region, m.interests, m.purchase_categories, a.id AS address_id, a.line1, a.line2, a.city,"
        " a.state, a.postal_code, a.country"
        " FROM member m LEFT JOIN postal_address a ON a.member_id = m.id AND a.is_primary"
        " WHERE m.number = ANY($1::text[]) ORDER BY m.id FOR NO KEY UPDATE OF m",
        list(numbers),
    )
    if not rows:
        return {}
    billing = await _read_billing(connection, [row["id"] for row in rows])
    return {row["number"]: _stored(row, billing.get(row["id"], {})) for row in rows}


def _stored(row: Record, billing: Mapping[tuple[str, str], tuple[UUID, int, int]]) -> StoredMember:
    address = None
    if row["address_id"] is not None:
        address = AddressRecord(
            row["line1"], row["line2"], row["city"], row["state"], row["postal_code"], row["country"]
        )
    return StoredMember(
        id=row["id"],
        number=row["number"],
        status=row["status"],
        email=row["email"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        username=row["username"],
        birth_date=row["birth_date"],
        region=row["region"],
        interests=tuple(row["interests"]),
        purchase_categories=tuple(row["purchase_categories"]),
        address_id=row["address_id"],
        address=address,
        billing=billing,
    )


async def _read_billing(
    connection: Link, members: Sequence[UUID]
) -> dict[UUID, dict[tuple[str, str], tuple[UUID, int, int]]]:
    rows = await connection.fetch(
        "SELECT id, member_id, brand, last_four, expiry_month, expiry_year FROM billing_method"
        " WHERE member_id = ANY($1::uuid[]) ORDER BY id",
        members,
    )
    methods: dict[UUID, dict[tuple[str, str], tuple[UUID, int, int]]] = {}
    for row in rows:
        key = (row["brand"], row["last_four"])
        methods.setdefault(row["member_id"], {})[key] = (row["id"], row["expiry_month"], row["expiry_year"])
    return methods


async def email_and_name_owners(connection: Link, records: Sequence[MemberRecord]) -> Owners:
    """Who has the e-mail addresses and user names of `records`, whoever that is.

    The database folds the case, so that this and its unique indexes cannot disagree.
    """
    rows = await connection.fetch(
        "SELECT lower(g.email) AS email, lower(g.name) AS name, e.number AS email_owner,"
        " n.number AS name_owner"
        " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS g (email, name, position)"
        " LEFT JOIN member e ON lower(e.email) = lower(g.email) AND e.status <> 'PENDING'"
        " LEFT JOIN member n ON lower(n.username) = lower(g.name) AND n.status <> 'PENDING'"
        " ORDER BY g.position",
        [record.email for record in records],
        [record.username for record in records],
    )
    return Owners(
        emails={row["email"]: row["email_owner"] for row in rows if row["email_owner"] is not None},
        names={row["name"]: row["name_owner"] for row in rows if row["name_owner"] is not None},
        email_keys=[row["email"] for row in rows],
        name_keys=[row["name"] for row in rows],
    )


async def read_import_choices(
    connection: Link, members: Sequence[UUID]
) -> dict[UUID, frozenset[ChoiceEntry]]:
    """The choices that earlier imports entered for these members."""
    if not members:
        return {}
    rows = await connection.fetch(
        "SELECT member_id, requested_at, direction, purpose FROM choice"
        " WHERE member_id = ANY($1::uuid[]) AND source = $2 AND topic = 'SHARING'"
        " AND partner_id IS NULL AND categories IS NULL",
        members,
        ChoiceSource.IMPORT.value,
    )
    known: dict[UUID, set[ChoiceEntry]] = {}
    for row in rows:
        purpose = None if row["purpose"] is None else Purpose(row["purpose"])
        entry = ChoiceEntry(row["requested_at"], Direction(row["direction"]), purpose)
        known.setdefault(row["member_id"], set()).add(entry)
    return {member_id: frozenset(entries) for member_id, entries in known.items()}
