"""What was asked about an address, put together: by the member who has it, and for the address itself.

In: members, rows of `refused_address`. Out: `Asked`, for `policies.suppression` to decide. It writes nothing.
Every row that it rests on is held until the transaction ends, so that no erasure goes unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from policies.age import age_date
from policies.email_addresses import comparable_email
from policies.suppression import AddressWord, Said, speaks
from resolvers.connection import Link
from resolvers.decision_facts import read_choices
from schema.vocabulary import ChoiceTopic, Direction


@dataclass(frozen=True, slots=True)
class AskedAddress:
    """An address, in the form in which it is compared, and all that was asked about it."""

    address: str
    said: Said
    member_id: UUID | None = None
    refused_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The addresses concerned, and of each member the one that she has."""

    addresses: Sequence[AskedAddress]
    owned: Mapping[UUID, str]


async def read_asked(
    connection: Link, members: Sequence[UUID], refused: Sequence[UUID], now: datetime
) -> Asked:
    """What was asked about the addresses of these members, and about these addresses."""
    owners = await _read_members(connection, [*members, *await _owners_of(connection, refused)])
    owned = {member: address for member, (address, _) in owners.items()}
    words = await _read_words(connection, refused, list(owned.values()))
    return Asked(await _read_addresses(connection, owners, words, now), owned)


async def _read_members(connection: Link, ids: Sequence[UUID]) -> dict[UUID, tuple[str, Record]]:
    """The comparable address of each member who has one, and the member's row, held until the end.

    Who has not shown yet that the address is hers does not have it.
    """
    rows = await connection.fetch(
        "SELECT id, email, birth_date FROM member WHERE id = ANY($1::uuid[]) AND status <> 'PENDING'"
        " ORDER BY id FOR KEY SHARE",
        ids,
    )
    pairs = ((row, comparable_email(row["email"])) for row in rows)
    return {row["id"]: (address, row) for row, address in pairs if address is not None}


async def _owners_of(connection: Link, refused: Sequence[UUID]) -> list[UUID]:
    """The members who have one of these addresses."""
    if not refused:
        return []
    rows = await connection.fetch(
        "SELECT m.id FROM refused_address r JOIN member m ON lower(m.email) = r.address"
        " WHERE r.id = ANY($1::uuid[]) AND m.status <> 'PENDING'",
        refused,
    )
    owners = [row["id"] for row in rows]
    unusual = await connection.fetch(
        "SELECT address FROM refused_address"
        " WHERE id = ANY($1::uuid[]) AND (address ~ '[^ -~]' OR address LIKE '%xn--%')",
        refused,
    )
    if unusual:
        # The database folds neither case beyond ASCII nor domains: we do, for the few whom it may concern.
        wanted = {row["address"] for row in unusual}
        rows = await connection.fetch("SELECT id, email FROM member WHERE email ~ '[^ -~]'")
        owners += [row["id"] for row in rows if comparable_email(row["email"]) in wanted]
    return owners


async def _read_words(
    connection: Link, refused: Sequence[UUID], addresses: Sequence[str]
) -> dict[str, tuple[UUID, AddressWord]]:
    rows = await connection.fetch(
        "SELECT id, address, refused_at, allowed_at FROM refused_address"
        " WHERE id = ANY($1::uuid[]) OR address = ANY($2::text[]) ORDER BY id FOR KEY SHARE",
        refused,
        addresses,
    )
    return {row["address"]: (row["id"], AddressWord(row["refused_at"], row["allowed_at"])) for row in rows}


async def _read_addresses(
    connection: Link,
    owners: Mapping[UUID, tuple[str, Record]],
    words: Mapping[str, tuple[UUID, AddressWord]],
    now: datetime,
) -> list[AskedAddress]:
    """Put together what was asked about each address. A protected member has said nothing (C17)."""
    today = age_date(now)
    speaking = [member for member, (_, row) in owners.items() if speaks(row["birth_date"], today)]
    choices = await read_choices(connection, speaking)
    newsletter = await _read_newsletter(connection, speaking)
    found = {
        address: AskedAddress(address, Said(address=word), refused_id=refused_id)
        for address, (refused_id, word) in words.items()
    }
    for member in speaking:
        address = owners[member][0]
        other = found.get(address, AskedAddress(address, Said()))
        said = replace(other.said, choices=choices.get(member, ()), newsletter=newsletter.get(member, ()))
        found[address] = replace(other, said=said, member_id=member)
    for address, _ in owners.values():
        # Decided as well: whose birth date was corrected may have said something before.
        found.setdefault(address, AskedAddress(address, Said()))
    return list(found.values())


async def _read_newsletter(
    connection: Link, members: Sequence[UUID]
) -> dict[UUID, list[tuple[datetime, Direction]]]:
    rows = await connection.fetch(
        "SELECT member_id, direction, max(requested_at) AS latest FROM choice"
        " WHERE member_id = ANY($1::uuid[]) AND topic = $2 GROUP BY member_id, direction",
        members,
        ChoiceTopic.NEWSLETTER.value,
    )
    said: dict[UUID, list[tuple[datetime, Direction]]] = {}
    for row in rows:
        said.setdefault(row["member_id"], []).append((row["latest"], Direction(row["direction"])))
    return said
