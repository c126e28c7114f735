"""The counts of quotas in the database, which all replicas share.

INVARIANT (never-over): `taken` of a window rises by one atomic statement, which grants nothing when less is
left than needed; so what all replicas together were granted in a window never exceeds what is allowed. What
a replica loses when it dies counts as used.

A window never goes back: a replica whose clock is behind counts in the newest window that any has begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from policies.quotas import WINDOWS, window_start
from resolvers.connection import Link
from resolvers.revocations import RevocationKind, revoke
from schema.errors import GatewayError, NotFoundError
from schema.vocabulary import QuotaUnit


@dataclass(frozen=True, slots=True)
class QuotaKey:
    """One count. `client_id` is empty for that of the agreement itself."""

    agreement_id: UUID
    client_id: str
    unit: QuotaUnit


@dataclass(frozen=True, slots=True)
class Grant:
    """What the count says now. `allowed` is None where nothing limits; `taken` includes `granted`."""

    granted: int
    allowed: int | None
    taken: int
    window_start: datetime


@dataclass(frozen=True, slots=True)
class QuotaView:
    """A quota as an officer sees it. `allowed` is None where the setting holds."""

    key: QuotaKey
    allowed: int | None
    taken: int


SPARING: Final = 8
"""A lease takes an eighth of what is left at most: near the limit leases shrink to what is needed."""

_TAKEN: Final = "CASE WHEN held.window_start >= $4 THEN held.taken ELSE 0 END"
_LEFT: Final = f"(coalesce(held.allowed, $5::bigint) - {_TAKEN})"
_GRANT: Final = (
    f"CASE WHEN {_LEFT} < $6::bigint THEN 0"
    f" ELSE greatest($6::bigint, least($7::bigint, {_LEFT} / {SPARING})) END"
)
_FIRST_GRANT: Final = (
    "CASE WHEN $5::bigint < $6::bigint THEN 0"
    f" ELSE greatest($6::bigint, least($7::bigint, $5::bigint / {SPARING})) END"
)
_TAKE: Final = (
    "INSERT INTO quota AS held (agreement_id, client_id, unit, window_start, taken, granted)"
    f" VALUES ($1, $2, $3, $4, {_FIRST_GRANT}, {_FIRST_GRANT})"
    " ON CONFLICT (agreement_id, client_id, unit) DO UPDATE SET"
    f" granted = {_GRANT}, taken = {_TAKEN} + {_GRANT}, window_start = greatest(held.window_start, $4)"
    " RETURNING granted, coalesce(allowed, $5::bigint) AS allowed, taken, window_start"
)


async def take(
    connection: Link, key: QuotaKey, *, setting: int | None, need: int, want: int, now: datetime
) -> Grant:
    """Take at least `need` permits out of the window, `want` if there are plenty, or none at all.

    With `need` and `want` of 0 nothing is taken: the count is only looked at. `setting` is the limit where
    officers have set none; None for no limit.
    """
    row = await connection.fetchrow(
        _TAKE,
        key.agreement_id,
        key.client_id,
        key.unit.value,
        window_start(key.unit, now),
        setting,
        need,
        want,
    )
    if row is None:
        raise GatewayError("a count gave no answer")
    return Grant(**row)


async def give_back(connection: Link, key: QuotaKey, *, window: datetime, permits: int) -> None:
    """Give permits back that were taken out of the window that began then; if it is over, they are lost."""
    await connection.execute(
        "UPDATE quota SET taken = greatest(taken - $5, 0)"
        " WHERE agreement_id = $1 AND client_id = $2 AND unit = $3 AND window_start = $4",
        key.agreement_id,
        key.client_id,
        key.unit.value,
        window,
        permits,
    )


async def set_quota(connection: Link, key: QuotaKey, allowed: int | None, *, now: datetime) -> None:
    """Allow so many in a window from the commit on; None for what the setting says."""
    await connection.execute(
        "INSERT INTO quota AS held (agreement_id, client_id, unit, allowed, window_start)"
        " VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (agreement_id, client_id, unit) DO UPDATE SET allowed = excluded.allowed",
        key.agreement_id,
        key.client_id,
        key.unit.value,
        allowed,
        window_start(key.unit, now),
    )


async def tell_replicas(connection: Link, agreement_id: UUID, *, now: datetime) -> None:
    """Let every replica ask again for the quotas of this agreement. Last in the transaction, as `revoke`."""
    await revoke(connection, RevocationKind.AGREEMENT, str(agreement_id), now=now)


async def agreement_of(connection: Link, *, agreement_id: UUID | None, client_id: str) -> UUID:
    """The agreement of that id, or that of the client.

    Raises:
        NotFoundError: there is none.
    """
    if agreement_id is not None:
        found = await connection.fetchval("SELECT id FROM agreement WHERE id = $1", agreement_id)
        what = "agreement"
    else:
        found = await connection.fetchval(
            "SELECT agreement_id FROM partner_client WHERE client_id = $1", client_id
        )
        what = "client"
    if found is None:
        raise NotFoundError(f"there is no such {what}: see `gateway {what} list`")
    assert isinstance(found, UUID)  # noqa: S101 - the column's type
    return found


async def read_quotas(
    connection: Link, agreement_id: UUID, client_id: str, *, now: datetime
) -> Sequence[QuotaView]:
    """The quotas of an agreement, or of a client of it, with what is taken of the windows of now."""
    rows = await connection.fetch(
        "SELECT unit, allowed, taken, window_start FROM quota WHERE agreement_id = $1 AND client_id = $2",
        agreement_id,
        client_id,
    )
    found = {row["unit"]: row for row in rows}
    views = []
    for unit in WINDOWS:
        key, row = QuotaKey(agreement_id, client_id, unit), found.get(unit)
        current = row is not None and row["window_start"] >= window_start(unit, now)
        views.append(
            QuotaView(key, None if row is None else row["allowed"], row["taken"] if row and current else 0)
        )
    return views
