"""A member's billing methods (C13): what the member recognises them by; the processor's token is sealed away.

A card number has no place here, nor in the token (`policies.card_numbers`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from asyncpg import Record

from policies.card_numbers import has_card_number
from policies.free_text import fold
from resolvers.commands.correction import Checks, add_row, lock_member, write_member
from resolvers.commands.member_changes import BILLING_MASK
from resolvers.commands.member_secrets import MemberSecrets, remove_billing_secret, write_secrets
from resolvers.context import Work
from schema.ids import parse_uuid

MAX_METHODS: Final = 20
MAX_BRAND: Final = 40
MONTHS: Final = 12

MOST_YEARS: Final = 20
"""So long no issuer's card is valid; beyond it a year is a slip."""

LAST_FOUR: Final = re.compile(r"[0-9]{4}")
TOKEN: Final = re.compile(r"[\x21-\x7e]{1,255}")


async def add_billing_method(work: Work, given: Mapping[str, Any]) -> None:
    """Add a billing method, or move the expiry and the token of the one with this brand and last four digits.

    CLAUSE (C13): billing methods are the member's to change.

    The token is written without being compared with the one before.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None)
    rows = await _on_file(work, member)
    checks = Checks(member["region"])
    method = check_method(checks, given, work.now.date())
    known = next((r for r in rows if all(r[name] == method[name] for name in ("brand", "last_four"))), None)
    if not checks.problems and known is None and len(rows) >= MAX_METHODS:
        checks.refuse("TOO_MANY", f"you have {MAX_METHODS} billing methods, which is the most: remove one")
    checks.done()
    if known is None:
        owned = {"member_id": member["id"], "added_at": work.now}
        method_id = await add_row(work, "billing_method", {**owned, **method})
    else:
        method_id = known["id"]
        await work.connection.execute(
            "UPDATE billing_method SET expiry_month = $2, expiry_year = $3 WHERE id = $1",
            method_id,
            method["expiry_month"],
            method["expiry_year"],
        )
    secrets = MemberSecrets(tokens=[(method_id, member["id"], given["processor_token"])])
    await write_secrets(work.connection, secrets, key_id=work.means.sealer.key_id, now=work.now)
    if known is None or any(known[name] != value for name, value in method.items()):
        await write_member(work, member["id"], {}, told=BILLING_MASK)


async def remove_billing_method(work: Work, given: Mapping[str, Any]) -> None:
    """Remove a billing method; one stays (C1). One that is not on file is removed already.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None)
    rows = await _on_file(work, member)
    method_id = parse_uuid(given["id"])
    if method_id is None or all(row["id"] != method_id for row in rows):
        return
    checks = Checks(member["region"])
    if len(rows) == 1:
        checks.refuse("LAST_ONE", "`id` is your only billing method: add another one first", "id")
    checks.done()
    await work.connection.execute("DELETE FROM billing_method WHERE id = $1", method_id)
    await remove_billing_secret(work.connection, method_id)
    await write_member(work, member["id"], {}, told=BILLING_MASK)


async def _on_file(work: Work, member: Record) -> Sequence[Record]:
    rows: Sequence[Record] = await work.connection.fetch(
        "SELECT id, brand, last_four, expiry_month, expiry_year FROM billing_method WHERE member_id = $1",
        member["id"],
    )
    return rows


def check_method(checks: Checks, given: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The columns of `billing_method`; the token is checked, and is the caller's to seal away."""
    method: dict[str, Any] = {"brand": checks.text("brand", given.get("brand"), longest=MAX_BRAND)}
    for name in ("last_four", "expiry_month", "expiry_year"):
        method[name] = given.get(name)
    month, year, token = given.get("expiry_month"), given.get("expiry_year"), given.get("processor_token")
    if checks.stated("lastFour", given.get("last_four")) and not LAST_FOUR.fullmatch(given["last_four"]):
        checks.refuse("BAD_FORMAT", "`lastFour`: the last four digits of the card, no more", "lastFour")
    _check_expiry(checks, month, year, today)
    if checks.stated("processorToken", token) and not TOKEN.fullmatch(token or ""):
        message = "`processorToken`: the token that the payment processor gave, up to 255 characters"
        checks.refuse("BAD_FORMAT", message, "processorToken")
    elif has_card_number(fold(token or "")):
        message = "`processorToken` is a card number: have the payment processor make a token of it"
        checks.refuse("CARD_NUMBER_IN_TEXT", message, "processorToken")
    return method


def _check_expiry(checks: Checks, month: int | None, year: int | None, today: date) -> None:
    checks.stated("expiryMonth", month)
    checks.stated("expiryYear", year)
    if month is not None and not 1 <= month <= MONTHS:
        checks.refuse("BAD_FORMAT", "`expiryMonth`: 1 to 12", "expiryMonth")
    elif year is not None and year > today.year + MOST_YEARS:
        checks.refuse("BAD_FORMAT", "`expiryYear`: a year of four digits, as on the card", "expiryYear")
    elif year is not None and (year, month or MONTHS) < (today.year, today.month):
        checks.refuse("EXPIRED", "the card has expired: give one that is valid", "expiryYear")
