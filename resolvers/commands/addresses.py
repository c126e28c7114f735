"""A member's postal addresses (C13): the primary one, which partners may be shown, and others, which none is.

The steps are those of `resolvers.commands.correction`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from asyncpg import Record

from policies.registration import WITHOUT_POSTAL_CODES, region_of
from resolvers.commands.correction import Checks, add_row, lock_member, write_member
from resolvers.commands.member_changes import ADDRESS_MASKS
from resolvers.context import Work
from schema.errors import FieldErrors, FieldProblem
from schema.ids import parse_uuid
from schema.tables.member import AddressKind

MAX_ADDRESSES: Final = 20
"""More than a household has; so a client that repeats itself fills nothing up."""

POSTAL_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{1,11}")
COUNTRY: Final = re.compile(r"[A-Z]{2}")


async def set_primary_address(work: Work, given: Mapping[str, Any]) -> None:
    """Put another primary address in place of the one before.

    CLAUSE (C13): postal addresses are the member's to change.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, given.get("version"))
    address = _checked(member, given)
    before = next((row for row in await _on_file(work, member) if row["is_primary"]), None)
    if before is not None and _same(before, address):
        return
    await work.connection.execute(
        "DELETE FROM postal_address WHERE member_id = $1 AND is_primary", member["id"]
    )
    await _add(work, member, address, is_primary=True)
    region = region_of(address["country"], address["state"])
    changed = {} if region == member["region"] else {"region": region}
    told = 0
    for name, bits in ADDRESS_MASKS.items():  # who sees the city alone is not told of another street
        if before is None or before[name] != address[name]:
            told |= bits
    await write_member(work, member["id"], changed, told=told)


async def add_address(work: Work, given: Mapping[str, Any]) -> None:
    """Add an address beside the primary one. No partner sees it; one that is on file is not added again.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None)
    address = _checked(member, given)
    rows = await _on_file(work, member)
    if any(_same(row, address) for row in rows):
        return
    if len(rows) >= MAX_ADDRESSES:
        message = f"you have {MAX_ADDRESSES} addresses, which is the most: remove one first"
        raise FieldErrors([FieldProblem((), "TOO_MANY", message)])
    await _add(work, member, address, is_primary=False)
    await write_member(work, member["id"], {})


async def remove_address(work: Work, given: Mapping[str, Any]) -> None:
    """Remove an address that is not the primary one. One that is not on file is removed already.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None)
    wanted = parse_uuid(given["id"])
    row = next((row for row in await _on_file(work, member) if row["id"] == wanted), None)
    if row is None:
        return
    if row["is_primary"]:
        message = "`id` is your primary address: put another in its place with `setPrimaryAddress`"
        raise FieldErrors([FieldProblem(("id",), "LAST_ONE", message)])
    await work.connection.execute("DELETE FROM postal_address WHERE id = $1", wanted)
    await write_member(work, member["id"], {})


async def _on_file(work: Work, member: Record) -> Sequence[Record]:
    rows: Sequence[Record] = await work.connection.fetch(
        "SELECT id, is_primary, kind, line1, line2, city, state, postal_code, country FROM postal_address"
        " WHERE member_id = $1",
        member["id"],
    )
    return rows


def _same(row: Record, address: Mapping[str, Any]) -> bool:
    return all(row[name] == value for name, value in address.items())


async def _add(work: Work, member: Record, address: Mapping[str, Any], *, is_primary: bool) -> None:
    owned = {"member_id": member["id"], "is_primary": is_primary, "created_at": work.now}
    await add_row(work, "postal_address", {**owned, **address})


def _checked(member: Record, given: Mapping[str, Any]) -> dict[str, Any]:
    """The address by column.

    Raises:
        FieldErrors: with all findings.
    """
    checks = Checks(member["region"])
    address = check_address(checks, given)
    checks.done()
    return address


def check_address(checks: Checks, given: Mapping[str, Any]) -> dict[str, Any]:
    """The address by column. From here on `checks` read texts as those of its country."""
    country = (given.get("country") or "").strip().upper()
    checks.country = country or checks.country
    if not country:
        checks.refuse("REQUIRED", "`country` is missing: give a value", "country")
    elif not COUNTRY.fullmatch(country):
        checks.refuse("BAD_FORMAT", "`country`: two letters, ISO 3166-1 alpha-2", "country")
    address: dict[str, Any] = {"kind": AddressKind(given["kind"]).value, "country": country}
    for name in ("line1", "city"):
        address[name] = checks.text(name, given.get(name))
    for name in ("line2", "state"):
        value = given.get(name)
        address[name] = checks.text(name, value) if value else None
    code = given.get("postal_code")
    address["postal_code"] = checks.text("postalCode", code) if code else None
    if code and not POSTAL_CODE.fullmatch(code.strip()) and not checks.refused("postalCode"):
        checks.refuse("BAD_FORMAT", "`postalCode`: 2 to 12 letters, digits, spaces and hyphens", "postalCode")
    if not code and country not in WITHOUT_POSTAL_CODES:
        checks.refuse("REQUIRED", "`postalCode` is missing: give a value", "postalCode")
    lines = {name: address[name] for name in ("line1", "line2", "city", "state") if address[name]}
    for (first, text), (second, after) in pairwise(lines.items()):
        checks.together(first, second, texts=(text, after))
    return address
