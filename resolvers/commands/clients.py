"""A partner's API clients, and taking back what they or members hold. In the caller's transaction.

What clients authenticate with is in `resolvers.commands.client_credentials`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from resolvers.connection import Link
from resolvers.revocations import RevocationKind, revoke
from schema.errors import InputError, NotFoundError
from schema.tables.sharing import ClientStatus
from schema.vocabulary import ClientAuth

_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,99}")
_TOKEN_ID: Final = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class ListedClient:
    """A client, and under what it acts."""

    client_id: str
    partner: str
    agreement_id: UUID
    status: str


def is_client_id(text: str) -> bool:
    """Whether a client could have this id: what could not is looked for nowhere."""
    return _CLIENT_ID.fullmatch(text) is not None


async def create_client(
    connection: Link,
    *,
    client_id: str,
    agreement_id: UUID,
    now: datetime,
    auth: ClientAuth | None = None,
    dpop: bool = False,
) -> None:
    """Let a client of that id act under the agreement. Its secret or its keys are given to it afterwards.

    The id is that of an agreement about members, or of one about aggregates: under which the client sees
    counts and no member.

    Raises:
        InputError: the id is taken (ids are never given again), or of another form.
        NotFoundError: there is no such agreement.
    """
    if not is_client_id(client_id):
        raise InputError("`client id`: 2 to 100 letters, digits, dots, hyphens and underscores")
    of_members = await connection.fetchval("SELECT 1 FROM agreement WHERE id = $1", agreement_id)
    of_counts = await connection.fetchval("SELECT 1 FROM aggregate_agreement WHERE id = $1", agreement_id)
    if not of_members and not of_counts:
        raise NotFoundError(
            "there is no such agreement: see `gateway agreement list` and `gateway aggregates agreement list`"
        )
    made = await connection.fetchval(
        "INSERT INTO partner_client"
        " (client_id, agreement_id, aggregate_agreement_id, status, created_at, auth_method, dpop)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING client_id",
        client_id,
        agreement_id if of_members else None,
        agreement_id if of_counts else None,
        ClientStatus.ACTIVE.value,
        now,
        None if auth is None else auth.value,
        dpop,
    )
    if made is None:
        raise InputError("a client has this id already: choose another")


async def list_clients(connection: Link) -> Sequence[ListedClient]:
    """Every client there is or was, by partner and id."""
    rows = await connection.fetch(
        "SELECT c.client_id, p.name AS partner, c.agreement_id, c.status FROM partner_client c"
        " JOIN agreement a ON a.id = c.agreement_id JOIN partner p ON p.id = a.partner_id"
        " ORDER BY p.name, c.client_id"
    )
    return [ListedClient(**row) for row in rows]


async def revoke_client(connection: Link, *, client_id: str, now: datetime) -> None:
    """Refuse the client and every token that it has, from the commit on.

    Raises:
        NotFoundError: there is no such client.
    """
    status = ClientStatus.REVOKED.value
    found = await connection.fetchval(
        "UPDATE partner_client SET status = $2 WHERE client_id = $1 RETURNING client_id", client_id, status
    )
    if found is None:
        raise NotFoundError("there is no such client: see `gateway client list`")
    await revoke(connection, RevocationKind.CLIENT, client_id, now=now)


async def revoke_token(
    connection: Link, *, token_id: str, now: datetime, expires_at: datetime | None
) -> None:
    """Refuse one token, by its `jti`. Without `expires_at` it is remembered for ever.

    Raises:
        InputError: no token can have this id.
    """
    if not _TOKEN_ID.fullmatch(token_id):
        raise InputError("`jti`: the id of a token, as `gateway token` prints it")
    await revoke(connection, RevocationKind.TOKEN, token_id, now=now, expires_at=expires_at)


async def only_client_of(connection: Link, partner: str, client_id: str | None = None) -> str:
    """The partner's active client: that of the given id, or the only one under an agreement about members.

    Raises:
        NotFoundError: there is none, or more than one and no id was given.
    """
    rows = await connection.fetch(
        "SELECT c.client_id FROM partner_client c LEFT JOIN agreement a ON a.id = c.agreement_id"
        " LEFT JOIN aggregate_agreement g ON g.id = c.aggregate_agreement_id"
        " JOIN partner p ON p.id = coalesce(a.partner_id, g.partner_id)"
        " WHERE p.name = $1 AND c.status = 'ACTIVE' AND ($2::text IS NULL OR c.client_id = $2)"
        " AND (a.status = 'ACTIVE' OR (g.status = 'ACTIVE' AND c.client_id = $2)) ORDER BY c.client_id",
        partner,
        client_id,
    )
    if len(rows) != 1:
        advice = "name one, as `--client ID` or `--as client:ID`" if rows else "see `gateway client list`"
        which = "active clients" if client_id is None else "active clients of that id"
        raise NotFoundError(f"the partner has {len(rows)} {which}: {advice}")
    found: str = rows[0]["client_id"]
    return found
