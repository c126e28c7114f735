"""A partner's API clients, and taking back what they or members hold. In the caller's transaction."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from resolvers.connection import Link
from resolvers.revocations import RevocationKind, revoke
from schema.errors import InputError, NotFoundError
from schema.tables.sharing import ClientStatus

_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,99}")
_TOKEN_ID: Final = re.compile(r"[\x21-\x7e]{1,255}")


async def create_client(connection: Link, *, client_id: str, agreement_id: UUID, now: datetime) -> None:
    """Let a client of that id act under the agreement.

    Raises:
        InputError: the id is taken (ids are never given again), or of another form.
        NotFoundError: there is no such agreement.
    """
    if not _CLIENT_ID.fullmatch(client_id):
        raise InputError("`client id`: 2 to 100 letters, digits, dots, hyphens and underscores")
    if not await connection.fetchval("SELECT 1 FROM agreement WHERE id = $1", agreement_id):
        raise NotFoundError(f"there is no agreement `{agreement_id}`: see `gateway agreement list`")
    made = await connection.fetchval(
        "INSERT INTO partner_client (client_id, agreement_id, status, created_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING RETURNING client_id",
        client_id,
        agreement_id,
        ClientStatus.ACTIVE.value,
        now,
    )
    if made is None:
        raise InputError(f"client `{client_id}` exists already: choose another id")


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
        raise NotFoundError(f"there is no client `{client_id}`: see `gateway agreement list`")
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
    """The partner's active client: that of the given id, or the only one.

    Raises:
        NotFoundError: there is none, or more than one and no id was given.
    """
    rows = await connection.fetch(
        "SELECT c.client_id FROM partner_client c JOIN agreement a ON a.id = c.agreement_id"
        " JOIN partner p ON p.id = a.partner_id"
        " WHERE p.name = $1 AND c.status = 'ACTIVE' AND a.status = 'ACTIVE'"
        " AND ($2::text IS NULL OR c.client_id = $2) ORDER BY c.client_id",
        partner,
        client_id,
    )
    if len(rows) != 1:
        advice = "name one with `--client`" if rows else "make one with `gateway client create`"
        which = "active clients" if client_id is None else "active clients of that id"
        raise NotFoundError(f"partner `{partner}` has {len(rows)} {which}: {advice}")
    found: str = rows[0]["client_id"]
    return found
