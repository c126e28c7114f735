"""The public keys that a partner's statements of deletion are signed with, as officers register them.

Independent of what its clients sign in with. A key counts for statements dated within its validity, so that
an old statement still verifies after a rotation; a revoked one verifies nothing new. In the caller's
transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from asyncpg import Record

from resolvers.commands.partners import list_partners
from resolvers.connection import Link
from resolvers.statements import StatementKeyFacts
from schema.errors import InputError, NotFoundError

MOST_KEYS: Final = 20
"""Keys of one partner that are not revoked."""


async def add_statement_key(
    connection: Link,
    *,
    partner: str,
    kid: str,
    jwk: Mapping[str, Any],
    valid_from: datetime,
    valid_until: datetime | None,
    now: datetime,
) -> None:
    """Register a public key. The caller has made sure that it is one, and strong.

    Raises:
        InputError: the name was used before, or the dates contradict each other.
        NotFoundError: there is no such partner.
    """
    if valid_until is not None and valid_until <= valid_from:
        raise InputError("`until` has to be after `from`")
    (found,) = await list_partners(connection, partner)
    if len(await read_statement_keys(connection, found.id)) >= MOST_KEYS:
        raise InputError(
            f"a partner has {MOST_KEYS} keys at most: remove one with `gateway partner remove-key`"
        )
    made = await connection.fetchval(
        "INSERT INTO statement_key (partner_id, kid, jwk, added_at, valid_from, valid_until)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING kid",
        found.id,
        kid,
        json.dumps(dict(jwk), sort_keys=True),
        now,
        valid_from,
        valid_until,
    )
    if made is None:
        raise InputError("the partner has had a key of this `kid`: give the new one another")


async def remove_statement_key(connection: Link, *, partner: str, kid: str, now: datetime) -> None:
    """Let a key verify nothing any more. What it has signed stays as it was taken in.

    Raises:
        NotFoundError: there is no such key.
    """
    (found,) = await list_partners(connection, partner)
    done = await connection.fetchval(
        "UPDATE statement_key SET revoked_at = coalesce(revoked_at, $3)"
        " WHERE partner_id = $1 AND kid = $2 RETURNING kid",
        found.id,
        kid,
        now,
    )
    if done is None:
        raise NotFoundError("there is no such key: see `gateway partner keys`")


async def list_statement_keys(connection: Link, partner: str) -> Sequence[Record]:
    """Every key that the partner ever had, oldest first.

    Raises:
        NotFoundError: there is no such partner.
    """
    (found,) = await list_partners(connection, partner)
    return await connection.fetch(
        "SELECT kid, valid_from, valid_until, revoked_at FROM statement_key"
        " WHERE partner_id = $1 ORDER BY added_at, kid",
        found.id,
    )


async def read_statement_keys(connection: Link, partner_id: UUID) -> Sequence[StatementKeyFacts]:
    """The keys of a partner that are not revoked."""
    rows = await connection.fetch(
        "SELECT kid, jwk, valid_from, valid_until FROM statement_key"
        " WHERE partner_id = $1 AND revoked_at IS NULL",
        partner_id,
    )
    return [
        StatementKeyFacts(row["kid"], json.loads(row["jwk"]), row["valid_from"], row["valid_until"])
        for row in rows
    ]
