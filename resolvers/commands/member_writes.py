"""How bulk commands write members: COPY for what is new, one prepared UPDATE for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from resolvers.commands.member_changes import MemberChange
from resolvers.commands.member_records import AddressRecord, ChoiceEntry, MemberRecord
from resolvers.commands.member_secrets import MemberSecrets
from schema.ids import new_id
from schema.tables.member import AddressKind, MemberStatus
from schema.vocabulary import ChoiceSource

if TYPE_CHECKING:
    from resolvers.connection import Link

MEMBER_COLUMNS: Final = (
    "id",
    "number",
    "status",
    "username",
    "given_name",
    "family_name",
    "email",
    "email_verified_at",
    "birth_date",
    "region",
    "interests",
    "purchase_categories",
    "joined_at",
    "updated_at",
    "version",
)
ADDRESS_COLUMNS: Final = (
    "id",
    "member_id",
    "kind",
    "is_primary",
    "line1",
    "line2",
    "city",
    "state",
    "postal_code",
    "country",
    "created_at",
)
BILLING_COLUMNS: Final = (
    "id",
    "member_id",
    "brand",
    "last_four",
    "expiry_month",
    "expiry_year",
    "added_at",
)
CHOICE_COLUMNS: Final = ("id", "member_id", "requested_at", "received_at", "direction", "source", "purpose")
PHONE_COLUMNS: Final = ("id", "member_id", "label", "added_at")


async def insert_members(connection: Link, new: Sequence[tuple[UUID, MemberRecord]], now: datetime) -> None:
    """Insert members with their primary addresses."""
    if not new:
        return
    members = [
        (
            member_id,
            record.number,
            (MemberStatus.ACTIVE if record.complete else MemberStatus.INVITED).value,
            record.username,
            record.given_name,
            record.family_name,
            record.email,
            None,
            record.birth_date,
            record.region,
            record.interests,
            record.purchase_categories,
            record.joined_at or now,
            now,
            1,
        )
        for member_id, record in new
    ]
    await connection.copy_records_to_table("member", columns=MEMBER_COLUMNS, records=members)
    await _insert_addresses(connection, new, now)


async def update_members(connection: Link, changed: Sequence[MemberChange], now: datetime) -> None:
    """Write the values of changed members; an e-mail address that changed is unverified again."""
    if not changed:
        return
    await connection.executemany(
        "UPDATE member SET status = $2, username = $3, given_name = $4, family_name = $5,"
        " email_verified_at = CASE WHEN email = $6 THEN email_verified_at END, email = $6, birth_date = $7,"
        " region = $8, interests = $9, purchase_categories = $10, updated_at = $11, version = version + 1"
        " WHERE id = $1",
        [
            (
                change.member.id,
                str(change.values["status"]),
                change.values["username"],
                change.values["given_name"],
                change.values["family_name"],
                change.values["email"],
                change.values["birth_date"],
                change.values["region"],
                change.values["interests"],
                change.values["purchase_categories"],
                now,
            )
            for change in changed
        ],
    )
    moved = [change for change in changed if change.address_differs]
    await _insert_addresses(
        connection, [(c.member.id, c.record) for c in moved if c.member.address_id is None], now
    )
    await connection.executemany(
        "UPDATE postal_address SET line1 = $2, line2 = $3, city = $4, state = $5, postal_code = $6,"
        " country = $7 WHERE id = $1",
        [
            (change.member.address_id, *_address_values(change.record.address))
            for change in moved
            if change.member.address_id is not None and change.record.address is not None
        ],
    )


def _address_values(address: AddressRecord) -> tuple[str | None, ...]:
    return (
        address.line1,
        address.line2,
        address.city,
        address.state,
        address.postal_code,
        address.country,
    )


async def _insert_addresses(
    connection: Link, members: Sequence[tuple[UUID, MemberRecord]], now: datetime
) -> None:
    home = AddressKind.HOME.value
    rows = [
        (new_id(), member_id, home, True, *_address_values(record.address), now)
        for member_id, record in members
        if record.address is not None
    ]
    if rows:
        await connection.copy_records_to_table("postal_address", columns=ADDRESS_COLUMNS, records=rows)


async def write_billing(
    connection: Link,
    new: Sequence[tuple[UUID, MemberRecord]],
    old: Sequence[MemberChange],
    secrets: MemberSecrets,
    now: datetime,
) -> None:
    """Add billing methods, or move the expiry of one with the same brand and last four digits.

    None is ever removed: the member may have added it. Tokens go to `secrets`.
    """
    known = {change.member.id: change.member.billing for change in old}
    stated = [*new, *((change.member.id, change.record) for change in old)]
    rows, moved = [], []
    for member_id, record in stated:
        method = record.billing
        if method is None:
            continue
        on_file = known.get(member_id, {}).get((method.brand, method.last_four))
        expiry = (method.expiry_month, method.expiry_year)
        method_id = on_file[0] if on_file else new_id()
        if on_file is None:
            rows.append((method_id, member_id, method.brand, method.last_four, *expiry, now))
        elif on_file[1:] != expiry:
            moved.append((method_id, *expiry))
        if method.token is not None:
            secrets.tokens.append((method_id, member_id, method.token))
    if rows:
        await connection.copy_records_to_table("billing_method", columns=BILLING_COLUMNS, records=rows)
    await connection.executemany(
        "UPDATE billing_method SET expiry_month = $2, expiry_year = $3 WHERE id = $1", moved
    )


async def insert_choices(
    connection: Link, entries: Sequence[tuple[UUID, ChoiceEntry]], *, source: ChoiceSource, now: datetime
) -> None:
    """Append to the ledger, for every partner and category."""
    if entries:
        await connection.copy_records_to_table(
            "choice",
            columns=CHOICE_COLUMNS,
            records=[
                (
                    new_id(),
                    member_id,
                    entry.requested_at,
                    now,
                    entry.direction.value,
                    source.value,
                    entry.purpose and entry.purpose.value,
                )
                for member_id, entry in entries
            ],
        )


async def replace_phones(
    connection: Link,
    members: Sequence[tuple[UUID, MemberRecord]],
    secrets: MemberSecrets,
    now: datetime,
) -> None:
    """Replace the telephone numbers of each member whose record has any. The numbers go to `secrets`."""
    rows = []
    for member_id, record in members:
        if record.phones:
            secrets.replaced.append(member_id)
        for phone in record.phones:
            rows.append((phone.phone_id, member_id, phone.label, now))
            secrets.phones.append((phone.phone_id, member_id, phone.ciphertext))
    if rows:
        await connection.execute("DELETE FROM phone WHERE member_id = ANY($1::uuid[])", secrets.replaced)
        await connection.copy_records_to_table("phone", columns=PHONE_COLUMNS, records=rows)
