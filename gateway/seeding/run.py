"""Stores seeded members, batch by batch: rows by COPY, numbers sealed, hashes in the vault, shares refreshed.

What is there already is left alone: an interrupted seeding goes on where it stopped, a repeated one
does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gateway.seeding.activity import draw_activity
from gateway.seeding.people import draw_person, member_number, outline
from gateway.seeding.secrets import password_hash_of, phone_numbers_of
from policies.matrix import Matrix
from resolvers.commands.member_secrets import MemberSecrets, write_secrets
from resolvers.commands.member_writes import (
    ADDRESS_COLUMNS,
    BILLING_COLUMNS,
    MEMBER_COLUMNS,
    PHONE_COLUMNS,
)
from resolvers.sealing import PhoneSealer
from resolvers.shares import refresh_shares

if TYPE_CHECKING:
    from resolvers.connection import Link

SEED_BATCH: Final = 1_000
"""Members in one transaction."""

_TABLES: Final[dict[str, Sequence[str]]] = {
    "member": MEMBER_COLUMNS,
    "postal_address": ADDRESS_COLUMNS,
    "phone": PHONE_COLUMNS,
    "billing_method": BILLING_COLUMNS,
    "cart": ("id", "member_id", "status", "created_at", "updated_at"),
    "cart_item": ("id", "cart_id", "sku", "name", "quantity", "unit_price", "currency"),
    "customer_order": ("id", "member_id", "number", "status", "placed_at", "total", "currency"),
    "order_line": ("id", "order_id", "sku", "name", "category", "quantity", "unit_price"),
    "interaction": ("id", "member_id", "kind", "source", "occurred_at", "content"),
    "visit": (
        "id",
        "member_id",
        "started_at",
        "ip_address",
        "domain",
        "browser",
        "referring_page",
        "exit_page",
    ),
    "page_view": ("id", "visit_id", "path", "viewed_at", "seconds"),
    "communication": ("id", "member_id", "direction", "subject", "body", "sent_at"),
    "choice": (
        "id",
        "member_id",
        "requested_at",
        "received_at",
        "direction",
        "source",
        "partner_id",
        "purpose",
        "categories",
    ),
}
"""In the order in which they are written: a row comes after the row that it belongs to."""


async def seed(
    connection: Link,
    members: int,
    seed_value: int,
    *,
    now: datetime,
    sealer: PhoneSealer,
    secret_value: int | None = None,
    matrix: Matrix | None = None,
    partners: Sequence[UUID] = (),
    on_progress: Callable[[int], None] = lambda _stored: None,
) -> int:
    """Make sure that the first `members` members of `seed_value` are stored; how many were added.

    `secret_value` (by default `seed_value`) alone decides telephone numbers and password hashes. With a
    `matrix`, `share` is refreshed for the members; `partners` may be named in choices. Each batch is one
    transaction on `connection`, which must be open under the role of commands and outside of another.
    """
    secret = seed_value if secret_value is None else secret_value
    first = await _stored(connection, seed_value, members)
    for start in range(first, members, SEED_BATCH):
        indices = range(start, min(start + SEED_BATCH, members))
        rows, secrets = _draw(indices, seed_value, secret, now, sealer, partners)
        async with connection.transaction():
            for table, columns in _TABLES.items():
                await connection.copy_records_to_table(table, columns=columns, records=rows[table])
            await write_secrets(connection, secrets, key_id=sealer.key_id, now=now)
            if matrix is not None:
                ids = [row[0] for row in rows["member"]]
                await refresh_shares(connection, matrix, now=now, members=ids)
        on_progress(indices.stop)
    return max(members - first, 0)


async def _stored(connection: Link, seed_value: int, members: int) -> int:
    """How many of the members are there already: they are stored in the order of their numbers."""
    numbers = [member_number(seed_value, index) for index in range(members)]
    count: int = await connection.fetchval(
        "SELECT count(*) FROM member WHERE number = ANY($1::text[])", numbers
    )
    return count


def _draw(
    indices: range,
    seed_value: int,
    secret_value: int,
    now: datetime,
    sealer: PhoneSealer,
    partners: Sequence[UUID],
) -> tuple[dict[str, list[Any]], MemberSecrets]:
    rows: dict[str, list[Any]] = {table: [] for table in _TABLES}
    secrets = MemberSecrets()
    for index in indices:
        start = outline(seed_value, index)
        person = draw_person(seed_value, index, start, now)
        draw_activity(start.rng, person, now, rows, partners)
        rows["member"].append(person.member)
        rows["postal_address"].append(person.address)
        rows["phone"].extend(person.phones)
        rows["billing_method"].extend(person.billing)
        secrets.tokens.extend(person.tokens)
        numbers = phone_numbers_of(secret_value, index, person.country, len(person.phones))
        for phone, number in zip(person.phones, numbers, strict=True):
            secrets.phones.append((phone[0], person.id, sealer.seal(number, phone[0])))
        if person.has_password:
            secrets.passwords.append((person.id, password_hash_of(secret_value, index)))
    return rows, secrets
