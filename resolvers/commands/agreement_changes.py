"""Changes of the terms of an agreement: fewer categories, other dates, other duties. Never more categories.

Each works in the caller's transaction, raises the version, brings `share` up to date, lets what is withdrawn
be owed, and appends to the revocation log, so no replica serves the old terms after the commit. What is to
be granted in addition is a new agreement, with reasons and approvals of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from policies.agreement import parse_categories
from policies.matrix import Matrix
from resolvers.commands.partners import as_of, lock_agreement
from resolvers.connection import Link
from resolvers.deletions import restrict
from resolvers.revocations import RevocationKind, revoke
from resolvers.shares import ShareChanges, refresh_shares, take_turn
from schema.errors import InputError
from schema.vocabulary import AgreementStatus


@dataclass(frozen=True, slots=True)
class Changes:
    """What an officer wants changed; None leaves it as it is.

    `endless` takes the end away. Days of -1 mean never, where that can be.
    """

    valid_from: datetime | None = None
    valid_until: datetime | None = None
    endless: bool = False
    deletion_days: int | None = None
    narrow_after_days: int | None = None
    suspend_after_days: int | None = None


async def narrow_agreement(
    connection: Link, matrix: Matrix, *, agreement_id: UUID, categories: Collection[str], now: datetime
) -> ShareChanges:
    """Take categories back. A key below one that the agreement names is refused: name what it names.

    Raises:
        InputError: it does not name one of them, nothing would be left, or it has ended.
        NotFoundError: there is no such agreement.
    """
    removed = {key.value for key in parse_categories(categories)}
    await take_turn(connection, alone=True)
    await as_of(connection, now)
    before = await _changeable(connection, agreement_id)
    if stray := sorted(removed - set(before["categories"])):
        raise InputError(f"the agreement does not name `{stray[0]}`: see `gateway agreement show`")
    kept = [key for key in before["categories"] if key not in removed]
    if not removed or not kept:
        raise InputError(
            "name at least one category, and leave at least one: end it with `gateway agreement end`"
        )
    await connection.execute(
        "UPDATE agreement SET categories = $2, version = version + 1 WHERE id = $1", agreement_id, kept
    )
    await connection.execute(
        "UPDATE agreement_category SET removed_at = $3"
        " WHERE agreement_id = $1 AND category = ANY($2::text[])",
        agreement_id,
        sorted(removed),
        now,
    )
    return await _followed(connection, matrix, agreement_id, now)


async def change_agreement(
    connection: Link, matrix: Matrix, *, agreement_id: UUID, changes: Changes, now: datetime
) -> ShareChanges:
    """Change dates and duties. What is due already stays due when it was.

    Raises:
        InputError: the dates contradict each other or the past, a number of days is out of bounds, or it has
            ended.
        NotFoundError: there is no such agreement.
    """
    await take_turn(connection, alone=True)
    await as_of(connection, now)
    before = await _changeable(connection, agreement_id)
    begins = changes.valid_from or before["valid_from"]
    ends = None if changes.endless else changes.valid_until or before["valid_until"]
    if changes.valid_from is not None and min(before["valid_from"], changes.valid_from) <= now:
        raise InputError(
            "`from`: an agreement that has begun keeps its first day, and none begins in the past"
        )
    if ends is not None and ends <= begins:
        raise InputError("`until` has to be after `from`")
    await connection.execute(
        "UPDATE agreement SET valid_from = $2, valid_until = $3, deletion_days = $4, narrow_after_days = $5,"
        " suspend_after_days = $6, version = version + 1 WHERE id = $1",
        agreement_id,
        begins,
        ends,
        _days("deletion days", changes.deletion_days, before["deletion_days"], 1, 90),
        _days("narrow after", changes.narrow_after_days, before["narrow_after_days"], 0, 365),
        _days("suspend after", changes.suspend_after_days, before["suspend_after_days"], 0, 365),
    )
    result = await _followed(connection, matrix, agreement_id, now)
    await restrict(connection, now, before["partner_id"])
    return result


async def _changeable(connection: Link, agreement_id: UUID) -> Record:
    row = await lock_agreement(connection, agreement_id)
    if row["status"] == AgreementStatus.ENDED:
        raise InputError("the agreement has ended, which is for good: create a new one")
    return row


async def _followed(connection: Link, matrix: Matrix, agreement_id: UUID, now: datetime) -> ShareChanges:
    changes = await refresh_shares(connection, matrix, now=now, agreements=[agreement_id])
    await revoke(connection, RevocationKind.AGREEMENT, str(agreement_id), now=now)
    return changes


def _days(name: str, wanted: int | None, before: int | None, least: int, most: int) -> int | None:
    if wanted is None:
        return before
    if wanted == -1 and least == 0:
        return None
    if not least <= wanted <= most:
        never = ", or `never`" if least == 0 else ""
        raise InputError(f"`{name}`: {least} to {most} days{never}")
    return wanted
