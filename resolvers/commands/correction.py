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

from policies.card_numbers import has_card_number
from policies.free_text import find_phone_number, fold
from policies.officer_lines import has_control
from policies.principal import MemberPrincipal
from policies.split_texts import find_split_number
from resolvers.commands.letters import lock_links
from resolvers.commands.member_changes import COLUMN_MASKS
from resolvers.context import Work
from resolvers.member_shares import DECIDED_FROM, TOLD
from resolvers.shares import TURN_TAKEN, refresh_member
from schema.errors import FieldErrors, FieldProblem, ForbiddenError, FreeTextPhoneError, UnauthenticatedError
from schema.ids import new_id

MAX_NAME: Final = 100
"""Characters of a name or an address line: more than any name on record needs (ISO/IEC 7501 allows 39)."""

MAX_INTERESTS: Final = 50
MAX_INTEREST: Final = 60

USERNAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{2,39}")


class Checks:
    """Collects what is wrong with the fields of one input.

    `problems` are shared with the checks `below`, of an input inside this one.
    """

    def __init__(self, region: str | None) -> None:
        self.country = None if region is None else region.partition("-")[0]
        self.problems: list[FieldProblem] = []
        self._at: tuple[str, ...] = ()

    def below(self, *path: str) -> Checks:
        """For the fields of the input at `path`: what they refuse is refused here, at its place."""
        inner = Checks(self.country)
        inner.problems, inner._at = self.problems, (*self._at, *path)
        return inner

    def refuse(self, code: str, message: str, *path: str) -> None:
        """Note a finding."""
        self.problems.append(FieldProblem((*self._at, *path), code, message))

    def refused(self, *names: str) -> bool:
        """Whether one of these fields was refused."""
        places = {(*self._at, name) for name in names}
        return any(problem.path[: len(self._at) + 1] in places for problem in self.problems)

    def stated(self, name: str, value: Any) -> bool:
        """Whether a mandatory field was stated; if it was not, it is refused."""
        if value is None:
            self.refuse("REQUIRED", f"`{name}` is missing: give a value", name)
        return value is not None

    def text(self, name: str, value: str | None, *, longest: int = MAX_NAME) -> str:
        """A line of text: trimmed, one line, not empty, without a telephone (R1) or card number."""
        trimmed = unicodedata.normalize("NFC", value or "").strip()
        if not trimmed:
            self.refuse("REQUIRED", f"`{name}` is empty: give a value", name)
        elif len(trimmed) > longest:
            self.refuse("TOO_LONG", f"`{name}` has more than {longest} characters: shorten it", name)
        elif has_control(trimmed):
            self.refuse("CONTROL_CHARACTER", f"`{name}` has a control character: remove it", name)
        elif find_phone_number(trimmed, region=self.country):
            self.refuse(
                FreeTextPhoneError.code,
                f"`{name}` holds a telephone number, which others could read: leave it out",
                name,
            )
        elif has_card_number(fold(trimmed)):
            self.refuse("CARD_NUMBER_IN_TEXT", f"`{name}` holds a card number: leave it out", name)
        return trimmed

    def together(self, *names: str, texts: Sequence[str | None]) -> None:
        """What others read next to each other holds no telephone number either (R1)."""
        if not self.refused(*names) and find_split_number(texts, region=self.country):
            for name in names:
                self.refuse(
                    FreeTextPhoneError.code,
                    f"`{name}` holds a part of a telephone number, which others could read: leave it out",
                    name,
                )

    def done(self) -> None:
        """Go on only if nothing was found.

        Raises:
            FieldErrors: with all findings.
        """
        if self.problems:
            raise FieldErrors(self.problems)


async def correct_profile(work: Work, given: Mapping[str, Any]) -> None:
    """Correct names, user name and interests. `given` holds what the caller stated, by column.

    CLAUSE (C13): names, user name and interests are the member's to correct.

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
        values["username"] = check_username(checks, given["username"])
    if "interests" in given:
        values["interests"] = check_interests(checks, given["interests"])
    names = [values.get(name, member[name]) for name in ("given_name", "family_name")]
    if values.keys() & {"given_name", "family_name"}:
        checks.together(*(_public(name) for name in values if name.endswith("_name")), texts=names)
    checks.done()  # 3
    changed = {name: value for name, value in values.items() if member[name] != value}
    if not changed:
        return
    try:
        await write_member(work, member["id"], changed)  # 4
    except UniqueViolationError:
        problem = FieldProblem(("username",), "TAKEN", "`username` is taken: choose another")
        # The driver's error quotes the value: it is not kept, not even as a cause.
        raise FieldErrors([problem]) from None


async def lock_member(work: Work, version: int | None, *, links: bool = False) -> Record:
    """The row of the member who asks, locked; with `links`, after those of the member.

    Raises:
        FieldErrors: the profile has changed since the caller read it.
        UnauthenticatedError: the account does not exist any more.
        ForbiddenError: it is not a member who asks.
    """
    if not isinstance(work.principal, MemberPrincipal):
        raise ForbiddenError("only a member may correct a profile")
    if links:
        await lock_links(work.connection, [work.principal.member_id])
    member = await work.connection.fetchrow(
        f"{TURN_TAKEN} SELECT id, version, given_name, family_name, username, birth_date, interests, region"
        " FROM turn, member WHERE id = $1 FOR NO KEY UPDATE OF member",
        work.principal.member_id,
    )
    if member is None:
        raise UnauthenticatedError("this account does not exist any more: sign in again")
    if version is not None and version != member["version"]:
        message = "your profile has changed since you read it: read it again and correct that"
        raise FieldErrors([FieldProblem(("version",), "CONFLICT", message)])
    return member


async def write_member(work: Work, member_id: UUID, changed: Mapping[str, Any], *, told: int = 0) -> None:
    """Write columns of the locked member, raise the version, and decide the shares again.

    The caller holds the turn and the member's row, as `lock_member` takes them.

    `told` is the mask of what the same transaction changed elsewhere: partners who see it are told, as they
    are of `changed`.
    """
    columns = "".join(f", {name} = ${place}" for place, name in enumerate(changed, start=4))
    for name in changed:
        told |= COLUMN_MASKS[name]
    rows = await work.connection.fetch(
        f"WITH decided AS (UPDATE member SET version = version + 1, updated_at = $2{columns} WHERE id = $1"
        f" RETURNING birth_date, region, status){TOLD}{DECIDED_FROM}",
        member_id,
        work.now,
        told,
        *changed.values(),
    )
    await refresh_member(
        work.connection,
        work.matrix,
        member_id,
        rows,
        now=work.now,
        changed=told,
        announced=work.announced,
    )


async def add_row(work: Work, table: str, columns: Mapping[str, Any]) -> UUID:
    """Insert a row under a new id, and return the id. `table` and the names are ours, never a caller's."""
    new = new_id()
    places = ", ".join(f"${place}" for place in range(2, len(columns) + 2))
    await work.connection.execute(
        f"INSERT INTO {table} (id, {', '.join(columns)}) VALUES ($1, {places})", new, *columns.values()
    )
    return new


def check_username(checks: Checks, value: str | None) -> str | None:
    """A user name, or None for none."""
    if value is None:
        return None
    text = checks.text("username", value)
    if not USERNAME.fullmatch(text) and not checks.refused("username"):
        checks.refuse(
            "BAD_FORMAT",
            "`username`: 3 to 40 letters, digits, dots, hyphens, underscores; a letter first",
            "username",
        )
    return text


def check_interests(checks: Checks, values: Sequence[str] | None) -> list[str]:
    """Interests as they are stored: each once, in order."""
    if values is None or len(values) > MAX_INTERESTS:
        checks.refuse("TOO_MANY", f"`interests`: a list of at most {MAX_INTERESTS}", "interests")
        return []
    interests = sorted({checks.text("interests", value, longest=MAX_INTEREST) for value in values})
    checks.together("interests", texts=values)
    checks.together("interests", texts=interests)
    return interests


def _public(name: str) -> str:
    """The GraphQL name of a column."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
