"""Many members at once, inserted or updated by member number, as one part of the caller's transaction.

A later record replaces what it states; what it does not state stays (`member_changes.compare`). Telephone
numbers replace those on file without being compared with them, and touch nothing of the member.

Records are applied one after the other, as if each came alone. Where a record takes the e-mail or user name
that an earlier one gives up, those up to there are written first; else all are written together.

`upsert_members` works in these steps, each a few statements for all records together:
1. lock and read the members on file, in the order of their ids;
2. set aside records whose e-mail or user name is another member's, or whose membership is closed;
   A record that an earlier one makes way for, and all after it, wait for the next time round;
3. insert new members, update changed ones, with address, billing method and choices;
4. replace telephone numbers; write the vault;
5. report which members changed in what, for `resolvers.shares`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from resolvers.commands.member_changes import CHOICE_MASK, MemberChange, StoredMember, compare
from resolvers.commands.member_reads import email_and_name_owners, read_import_choices, read_members
from resolvers.commands.member_records import ChoiceEntry, MemberRecord, OptionalColumn
from resolvers.commands.member_secrets import MemberSecrets, write_secrets
from resolvers.commands.member_writes import (
    insert_choices,
    insert_members,
    replace_phones,
    update_members,
    write_billing,
)
from schema.ids import new_id
from schema.tables.member import MemberStatus
from schema.vocabulary import ChoiceSource

if TYPE_CHECKING:
    from resolvers.connection import Link


class ConflictReason(StrEnum):
    """Why a checked record was not stored."""

    EMAIL_TAKEN = "email_taken"
    USERNAME_TAKEN = "username_taken"
    MEMBER_CLOSED = "member_closed"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A record that was set aside; `row` as in the record."""

    row: int
    reason: ConflictReason


@dataclass(slots=True)
class UpsertOutcome:
    """What became of the records. `touched` maps a mask of categories to the members changed in it."""

    created: list[UUID] = field(default_factory=list)
    touched: dict[int, list[UUID]] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)


async def upsert_members(
    connection: Link,
    records: Sequence[MemberRecord],
    *,
    stated: frozenset[OptionalColumn],
    key_id: str,
    now: datetime,
) -> UpsertOutcome:
    """Store `records`, whose member numbers are distinct, inside a transaction of the caller's.

    The caller must still call `refresh_shares` for everyone in the outcome, and try again when a
    concurrent command made one of the numbers, e-mail addresses or user names meanwhile (a unique violation).
    """
    outcome = UpsertOutcome()
    waiting = records
    while waiting:
        waiting = await _upsert(connection, waiting, stated, key_id, now, outcome)
    return outcome


async def _upsert(
    connection: Link,
    records: Sequence[MemberRecord],
    stated: frozenset[OptionalColumn],
    key_id: str,
    now: datetime,
    outcome: UpsertOutcome,
) -> Sequence[MemberRecord]:
    """All steps for the first of `records`, at least one; those that have to wait."""
    on_file = await read_members(connection, [record.number for record in records])  # 1
    kept, waiting = await _set_aside(connection, records, on_file, outcome)  # 2
    new = [(new_id(), record) for record in kept if record.number not in on_file]
    old = [compare(on_file[record.number], record, stated) for record in kept if record.number in on_file]
    ids = {record.row: member_id for member_id, record in new}
    ids.update((change.record.row, change.member.id) for change in old)
    await insert_members(connection, new, now)  # 3
    changed = [change for change in old if change.mask]
    await update_members(connection, changed, now)
    secrets = MemberSecrets()
    await write_billing(connection, new, old, secrets, now)
    chosen = await _write_choices(connection, kept, ids, old, now)
    await replace_phones(connection, [(ids[record.row], record) for record in kept], secrets, now)  # 4
    secrets.passwords.extend((ids[r.row], r.password_hash) for r in kept if r.password_hash is not None)
    await write_secrets(connection, secrets, key_id=key_id, now=now)
    _report(outcome, new, old, chosen)  # 5
    return waiting


async def _set_aside(
    connection: Link,
    records: Sequence[MemberRecord],
    on_file: Mapping[str, StoredMember],
    outcome: UpsertOutcome,
) -> tuple[list[MemberRecord], Sequence[MemberRecord]]:
    """The records that nothing speaks against, and those that have to wait until these are written.

    Of two with the same e-mail, the earlier row is kept. Only a record that is kept claims anything.
    """
    owners = await email_and_name_owners(connection, records)
    emails, names = dict(owners.emails), dict(owners.names)
    kept: list[MemberRecord] = []
    claims: dict[str, tuple[str, str | None]] = {}
    for place, (record, email, name) in enumerate(
        zip(records, owners.email_keys, owners.name_keys, strict=True)
    ):
        email_owner = emails.get(email, record.number)
        name_owner = record.number if name is None else names.get(name, record.number)
        member = on_file.get(record.number)
        if member is not None and member.status == MemberStatus.CLOSED:
            outcome.conflicts.append(Conflict(record.row, ConflictReason.MEMBER_CLOSED))
        elif (email_owner in claims and claims[email_owner][0] != email) or (
            name_owner in claims and claims[name_owner][1] != name
        ):
            return kept, records[place:]
        elif email_owner != record.number:
            outcome.conflicts.append(Conflict(record.row, ConflictReason.EMAIL_TAKEN))
        elif name_owner != record.number:
            outcome.conflicts.append(Conflict(record.row, ConflictReason.USERNAME_TAKEN))
        else:
            kept.append(record)
            claims[record.number] = (email, name)
            emails[email] = record.number
            if name is not None:
                names[name] = record.number
    return kept, ()


async def _write_choices(
    connection: Link,
    kept: Sequence[MemberRecord],
    ids: Mapping[int, UUID],
    old: Sequence[MemberChange],
    now: datetime,
) -> set[UUID]:
    """Append the choices that the ledger does not have yet; the members on file who got one."""
    known = await read_import_choices(
        connection, [change.member.id for change in old if change.record.choices]
    )
    entries: list[tuple[UUID, ChoiceEntry]] = []
    for record in kept:
        member_id = ids[record.row]
        before = known.get(member_id, frozenset())
        entries.extend((member_id, entry) for entry in dict.fromkeys(record.choices) if entry not in before)
    await insert_choices(connection, entries, source=ChoiceSource.IMPORT, now=now)
    return {member_id for member_id, _ in entries}


def _report(
    outcome: UpsertOutcome,
    new: Sequence[tuple[UUID, MemberRecord]],
    old: Sequence[MemberChange],
    chosen: set[UUID],
) -> None:
    outcome.created.extend(member_id for member_id, _ in new)
    for change in old:
        mask = change.mask | (CHOICE_MASK if change.member.id in chosen else 0)
        if mask:
            outcome.touched.setdefault(mask, []).append(change.member.id)
