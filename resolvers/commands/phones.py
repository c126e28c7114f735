"""A member's telephone numbers (C10, C13): checked, sealed at once, and never read, compared or shown again.

INVARIANT (numbers-change-nothing): these commands write `phone` and the vault and nothing else. No version,
date or share of the member moves, so nobody else can tell that a number was added, replaced or removed (R1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from asyncpg import Record

from policies.free_text import fold
from policies.phone_numbers import read_phone_number
from resolvers.commands.correction import Checks, add_row, lock_member
from resolvers.commands.member_secrets import MemberSecrets, remove_phone_secret, write_secrets
from resolvers.context import Work
from schema.errors import FreeTextPhoneError
from schema.ids import parse_uuid

MAX_PHONES: Final = 20
MAX_LABEL: Final = 60

MAX_LABEL_DIGITS: Final = 3
"""`Office 12` is a name for a number; its last four digits are a part of one (R1)."""


async def add_phone(work: Work, given: Mapping[str, Any]) -> None:
    """Seal another number. A label names one number: a repeated command adds none and is refused as TAKEN.

    CLAUSE (C10, C13): a number is sealed on arrival, and replaced by its owner without being shown.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None)
    rows = await _on_file(work, member)
    checks = Checks(member["region"])
    number = check_number(checks, given["number"])
    label = check_label(checks, given["label"], [row["label"] for row in rows])
    if not checks.problems and len(rows) >= MAX_PHONES:
        checks.refuse("TOO_MANY", f"you have {MAX_PHONES} numbers, which is the most: remove one first")
    checks.done()
    columns = {"member_id": member["id"], "label": label, "added_at": work.now}
    await _seal(work, member["id"], await add_row(work, "phone", columns), number)


async def replace_phone(work: Work, given: Mapping[str, Any]) -> None:
    """Put a number in place of the one with this id. It is written anew even if it is the same.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None)
    rows = await _on_file(work, member)
    checks = Checks(member["region"])
    phone_id = parse_uuid(given["id"])
    others = [row for row in rows if row["id"] != phone_id]
    if len(others) == len(rows):
        checks.refuse("UNKNOWN", "`id` names none of your telephone numbers: see `me.phones`", "id")
    number = check_number(checks, given["number"])
    label = check_label(checks, given["label"], [row["label"] for row in others])
    checks.done()
    await work.connection.execute(
        "UPDATE phone SET label = $2, added_at = $3 WHERE id = $1", phone_id, label, work.now
    )
    if phone_id is not None:
        await remove_phone_secret(work.connection, phone_id)
        await _seal(work, member["id"], phone_id, number)


async def remove_phone(work: Work, given: Mapping[str, Any]) -> None:
    """Remove a number; one stays (C1). One that is not on file is removed already.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None)
    rows = await _on_file(work, member)
    phone_id = parse_uuid(given["id"])
    if phone_id is None or all(row["id"] != phone_id for row in rows):
        return
    checks = Checks(member["region"])
    if len(rows) == 1:
        checks.refuse("LAST_ONE", "`id` is your only telephone number: add another one first", "id")
    checks.done()
    await work.connection.execute("DELETE FROM phone WHERE id = $1", phone_id)
    await remove_phone_secret(work.connection, phone_id)


async def _on_file(work: Work, member: Record) -> Sequence[Record]:
    rows: Sequence[Record] = await work.connection.fetch(
        "SELECT id, label FROM phone WHERE member_id = $1", member["id"]
    )
    return rows


def check_number(checks: Checks, value: str) -> str:
    """The number in E.164; empty if it was refused."""
    number = read_phone_number(value, checks.country)
    if number is None:
        message = "`number`: a telephone number, with `+` and country code if it is not of your country"
        checks.refuse("BAD_FORMAT", message, "number")
    return number or ""


def check_label(checks: Checks, value: str | None, others: Iterable[str]) -> str:
    """The label, which is none of `others`."""
    label = checks.text("label", value, longest=MAX_LABEL)
    if checks.refused("label"):
        return label
    if sum(character.isdigit() for character in fold(label)) > MAX_LABEL_DIGITS:
        message = f"`label`: a name with at most {MAX_LABEL_DIGITS} digits, no part of the number"
        checks.refuse(FreeTextPhoneError.code, message, "label")
    elif any(other.casefold() == label.casefold() for other in others):
        message = "`label` names another of your numbers: replace that one, or choose another label"
        checks.refuse("TAKEN", message, "label")
    return label


async def _seal(work: Work, member_id: UUID, phone_id: UUID, number: str) -> None:
    secrets = MemberSecrets(phones=[(phone_id, member_id, work.means.sealer.seal(number, phone_id))])
    await write_secrets(work.connection, secrets, key_id=work.means.sealer.key_id, now=work.now)
