"""A member corrects the own profile (C13): checked, written, told to the partners who may see it.

Every command here is idempotent: what is already so changes nothing, not even the version.

1. the member is locked, after a turn was taken, so that changes of the same member follow each other;
2. the version that the caller read must still hold;
3. every field is checked, and all findings are reported at once;
4. what differs is written, and the shares are decided again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from asyncpg import Record
from asyncpg.exceptions import UniqueViolationError

from policies.free_text import find_phone_number
from policies.principal import MemberPrincipal
from policies.registration import WITHOUT_POSTAL_CODES, region_of
from resolvers.commands.member_changes import told_of
from resolvers.context import Work
from resolvers.shares import refresh_shares, take_turn
from schema.categories import DataCategory
from schema.errors import FieldErrors, FieldProblem, ForbiddenError, FreeTextPhoneError, UnauthenticatedError
from schema.ids import new_id
from schema.tables.member import AddressKind

MAX_NAME: Final = 100
"""Characters of a name or an address line: more than any name on record needs (ISO/IEC 7501 allows 39)."""

MAX_INTERESTS: Final = 50
MAX_INTEREST: Final = 60

USERNAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{2,39}")
POSTAL_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{1,11}")
COUNTRY: Final = re.compile(r"[A-Z]{2}")

_CATEGORY: Final[Mapping[str, DataCategory]] = {
    "given_name": DataCategory.FIRST_NAME,
    "family_name": DataCategory.LAST_NAME,
    "username": DataCategory.USERNAME,
    "interests": DataCategory.PROFILE,
    "region": DataCategory.REGION,
}
_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


class Checks:
    """Collects what is wrong with the fields of one input, and the values that are right."""

    def __init__(self, region: str | None) -> None:
        self.country = None if region is None else region.partition("-")[0]
        self.problems: list[FieldProblem] = []

    def refuse(self, code: str, message: str, *path: str) -> None:
        """Note a finding."""
        self.problems.append(FieldProblem(path, code, message))

    def text(self, name: str, value: str | None, *, longest: int = MAX_NAME) -> str:
        """A line of text: trimmed, one line, not empty, without a telephone number (R1)."""
        trimmed = unicodedata.normalize("NFC", value or "").strip()
        if not trimmed:
            self.refuse("REQUIRED", f"`{name}` is empty: give a value", name)
        elif len(trimmed) > longest:
            self.refuse("TOO_LONG", f"`{name}` has more than {longest} characters: shorten it", name)
        elif any(unicodedata.category(character) in _CONTROL for character in trimmed):
            self.refuse("CONTROL_CHARACTER", f"`{name}` has a control character: remove it", name)
        elif find_phone_number(trimmed, region=self.country):
            self.refuse(
                FreeTextPhoneError.code,
                f"`{name}` holds a telephone number, which others could read: leave it out",
                name,
            )
        return trimmed

    def done(self) -> None:
        """Go on only if nothing was found.

        Raises:
            FieldErrors: with all findings.
        """
        if self.problems:
            raise FieldErrors(self.problems)


async def correct_profile(work: Work, given: Mapping[str, Any]) -> None:
    """Correct names, user name and interests. `given` holds what the caller stated, by column.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, given.get("version"))  # 1, 2
    checks = Checks(member["region"])
    values: dict[str, Any] = {}
    for name in ("given_name", "family_name"):
        if name in given:
            values[name] = checks.text(_public(name), given[name])
    if "username" in given:
        values["username"] = _username(checks, given["username"])
    if "interests" in given:
        values["interests"] = _interests(checks, given["interests"])
    checks.done()  # 3
    changed = {name: value for name, value in values.items() if member[name] != value}
    try:
        await _write(work, member["id"], changed)  # 4
    except UniqueViolationError:
        problem = FieldProblem(("username",), "TAKEN", "`username` is taken: choose another")
        # The driver's error quotes the value: it is not kept, not even as a cause.
        raise FieldErrors([problem]) from None


async def set_primary_address(work: Work, given: Mapping[str, Any]) -> None:
    """Put another primary address in place of the one before.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, given.get("version"))  # 1, 2
    address = _address(member, given)  # 3
    before = await work.connection.fetchrow(
        "SELECT id, kind, line1, line2, city, state, postal_code, country FROM postal_address"
        " WHERE member_id = $1 AND is_primary",
        member["id"],
    )
    if before is not None and all(before[name] == value for name, value in address.items()):
        return
    await work.connection.execute(
        "DELETE FROM postal_address WHERE member_id = $1 AND is_primary", member["id"]
    )  # 4
    await work.connection.execute(
        "INSERT INTO postal_address (id, member_id, is_primary, created_at, kind, line1, line2, city, state,"
        " postal_code, country) VALUES ($1, $2, true, $3, $4, $5, $6, $7, $8, $9, $10)",
        new_id(),
        member["id"],
        work.now,
        *(address[name] for name in ("kind", "line1", "line2", "city", "state", "postal_code", "country")),
    )
    region = region_of(address["country"], address["state"])
    changed = {} if region == member["region"] else {"region": region}
    await _write(work, member["id"], changed, told_of(DataCategory.ADDRESS) | told_of(DataCategory.STREET))


async def lock_member(work: Work, version: int | None) -> Record:
    """The row of the member who asks, locked.

    Raises:
        FieldErrors: the profile has changed since the caller read it.
        UnauthenticatedError: the account does not exist any more.
        ForbiddenError: it is not a member who asks.
    """
    if not isinstance(work.principal, MemberPrincipal):
        raise ForbiddenError("only a member may correct a profile")
    await take_turn(work.connection)
    member = await work.connection.fetchrow(
        "SELECT id, version, given_name, family_name, username, interests, region FROM member"
        " WHERE id = $1 FOR NO KEY UPDATE",
        work.principal.member_id,
    )
    if member is None:
        raise UnauthenticatedError("this account does not exist any more: sign in again")
    if version is not None and version != member["version"]:
        message = "your profile has changed since you read it: read it again and correct that"
        raise FieldErrors([FieldProblem(("version",), "CONFLICT", message)])
    return member


async def _write(work: Work, member_id: UUID, changed: Mapping[str, Any], mask: int = 0) -> None:
    if not changed and not mask:
        return
    columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(changed, start=3))
    await work.connection.execute(
        f"UPDATE member SET version = version + 1, updated_at = $2{', ' if columns else ''}{columns}"
        " WHERE id = $1",
        member_id,
        work.now,
        *changed.values(),
    )
    for name in changed:
        mask |= told_of(_CATEGORY[name])
    await refresh_shares(work.connection, work.matrix, now=work.now, members=[member_id], changed=mask)


def _username(checks: Checks, value: str | None) -> str | None:
    if value is None:
        return None
    text = checks.text("username", value)
    if not USERNAME.fullmatch(text) and not checks.problems:
        checks.refuse(
            "BAD_FORMAT",
            "`username`: 3 to 40 letters, digits, dots, hyphens, underscores; a letter first",
            "username",
        )
    return text


def _interests(checks: Checks, values: Sequence[str] | None) -> list[str]:
    if values is None or len(values) > MAX_INTERESTS:
        checks.refuse("TOO_MANY", f"`interests`: a list of at most {MAX_INTERESTS}", "interests")
        return []
    return sorted({checks.text("interests", value, longest=MAX_INTEREST) for value in values})


def _address(member: Record, given: Mapping[str, Any]) -> dict[str, Any]:
    country = (given["country"] or "").strip().upper()
    checks = Checks(country or member["region"])
    if not COUNTRY.fullmatch(country):
        checks.refuse("BAD_FORMAT", "`country`: two letters, ISO 3166-1 alpha-2", "country")
    address: dict[str, Any] = {"kind": AddressKind(given["kind"]).value, "country": country}
    for name in ("line1", "city"):
        address[name] = checks.text(name, given[name])
    for name in ("line2", "state"):
        value = given.get(name)
        address[name] = checks.text(name, value) if value else None
    code = given.get("postal_code")
    address["postal_code"] = checks.text("postalCode", code) if code else None
    if code and not POSTAL_CODE.fullmatch(code.strip()):
        checks.refuse("BAD_FORMAT", "`postalCode`: 2 to 12 letters, digits, spaces and hyphens", "postalCode")
    if not code and country not in WITHOUT_POSTAL_CODES:
        checks.refuse("REQUIRED", "`postalCode` is missing: give a value", "postalCode")
    checks.done()
    return address


def _public(name: str) -> str:
    """The GraphQL name of a column."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
