"""Why each category of an agreement is granted: the partner's stated reason, and the officer who approved it.

In the caller's transaction. A draft may lack either; `require_grounds` lets nothing be activated that does. A
category that is taken back keeps its row, with the date.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from policies.agreement import parse_categories
from policies.officer_lines import read_line
from resolvers.connection import Link
from schema.categories import DataCategory
from schema.errors import InputError, NotFoundError

MAX_REASON: Final = 500
MAX_OFFICER: Final = 80


@dataclass(frozen=True, slots=True)
class Ground:
    """What one category was asked for, and who allowed it, when."""

    category: DataCategory
    reason: str | None
    approved_by: str | None
    approved_at: datetime | None


async def store_grounds(
    connection: Link,
    agreement_id: UUID,
    categories: Collection[DataCategory],
    reasons: Mapping[str, str],
    *,
    officer: str | None,
    now: datetime,
) -> None:
    """Write down why a new agreement names these categories; with `officer`, as approved by that one.

    Raises:
        InputError: a reason is for a category that the agreement does not name, or a text may not be shown.
    """
    texts = {key: _text(f"reason for {key}", text, MAX_REASON) for key, text in _stated(reasons).items()}
    stray = texts.keys() - categories
    if stray:
        raise InputError(f"`{min(stray)}`: a reason for what the agreement does not name")
    approved_by = None if officer is None else _text("officer", officer, MAX_OFFICER)
    await connection.executemany(
        "INSERT INTO agreement_category (agreement_id, category, reason, approved_by, approved_at)"
        " VALUES ($1, $2, $3, $4, $5)",
        [
            (agreement_id, key.value, texts.get(key), approved_by, None if officer is None else now)
            for key in sorted(categories)
        ],
    )


async def state_reasons(connection: Link, agreement_id: UUID, reasons: Mapping[str, str]) -> None:
    """Write down reasons of a partner. A reason that changes is to be approved anew.

    Raises:
        InputError: a text may not be shown.
        NotFoundError: the agreement does not name such a category.
    """
    for key, text in _stated(reasons).items():
        found = await connection.fetchval(
            "UPDATE agreement_category SET reason = $3,"
            " approved_by = CASE WHEN reason = $3 THEN approved_by END,"
            " approved_at = CASE WHEN reason = $3 THEN approved_at END"
            " WHERE agreement_id = $1 AND category = $2 AND removed_at IS NULL RETURNING category",
            agreement_id,
            key.value,
            _text(f"reason for {key}", text, MAX_REASON),
        )
        if found is None:
            raise NotFoundError(f"the agreement does not name `{key}`: see `gateway agreement show`")


async def approve_grounds(
    connection: Link, agreement_id: UUID, keys: Collection[str], *, officer: str, now: datetime
) -> Sequence[DataCategory]:
    """Approve these categories, or all that are stated and not yet approved; and return which.

    Raises:
        InputError: a category has no reason yet, or the name may not be shown.
        NotFoundError: the agreement names no such category.
    """
    approved_by = _text("officer", officer, MAX_OFFICER)
    grounds = {ground.category: ground for ground in await read_grounds(connection, agreement_id)}
    if not grounds:
        raise NotFoundError("there is no such agreement: see `gateway agreement list`")
    wanted = parse_categories(keys) if keys else {k for k, g in grounds.items() if g.approved_by is None}
    if stray := wanted - grounds.keys():
        raise NotFoundError(f"the agreement does not name `{min(stray)}`: see `gateway agreement show`")
    if unstated := [key for key in sorted(wanted) if grounds[key].reason is None]:
        raise InputError(f"`{unstated[0]}` has no reason: state it with `gateway agreement state`")
    await connection.execute(
        "UPDATE agreement_category SET approved_by = $3, approved_at = $4"
        " WHERE agreement_id = $1 AND category = ANY($2::text[])",
        agreement_id,
        sorted(key.value for key in wanted),
        approved_by,
        now,
    )
    return sorted(wanted)


async def require_grounds(connection: Link, agreement_id: UUID, categories: Collection[DataCategory]) -> None:
    """Return if each of these categories has its reason and its approval.

    Raises:
        InputError: naming those that do not.
    """
    complete = {
        ground.category
        for ground in await read_grounds(connection, agreement_id)
        if ground.reason is not None and ground.approved_by is not None
    }
    if missing := sorted(set(categories) - complete):
        raise InputError(
            f"{', '.join(f'`{key}`' for key in missing)}: each category needs the partner's reason and an"
            " officer's approval; see `gateway agreement state` and `gateway agreement approve`"
        )


async def read_grounds(connection: Link, agreement_id: UUID) -> Sequence[Ground]:
    """The grounds of the categories that the agreement names now, by category."""
    rows = await connection.fetch(
        "SELECT category, reason, approved_by, approved_at FROM agreement_category"
        " WHERE agreement_id = $1 AND removed_at IS NULL ORDER BY category",
        agreement_id,
    )
    return [
        Ground(DataCategory(row["category"]), row["reason"], row["approved_by"], row["approved_at"])
        for row in rows
    ]


def _stated(reasons: Mapping[str, str]) -> dict[DataCategory, str]:
    parse_categories(reasons)
    return {DataCategory(key): text for key, text in reasons.items()}


def _text(name: str, value: str, longest: int) -> str:
    """A line that officers, members and the partner may read (R1).

    Raises:
        InputError: it is empty or too long, or may not be shown.
        FreeTextPhoneError: it holds a telephone number.
    """
    return read_line(name, value, longest=longest)
