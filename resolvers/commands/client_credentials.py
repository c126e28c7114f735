"""Secrets and public keys of partners' clients: given, replaced with an overlap, taken back.

Each function works in the caller's transaction, under a lock on the client. A credential that stops at once
is taken for stolen: the tokens that it may have got stop with it, in every replica.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from resolvers.commands.member_secrets import vault_role
from resolvers.connection import Link
from resolvers.revocations import RevocationKind, revoke
from schema.errors import InputError, NotFoundError
from schema.ids import new_id
from schema.tables.sharing import ClientStatus
from schema.vocabulary import ClientAuth

SECRET_BYTES: Final = 32
"""256 bits: nobody finds one by trying, so a plain digest of it tells nothing (NIST SP 800-63B-4, 3.1.3)."""

MOST_KEYS: Final = 10
"""Keys of a client that count at the same time: two are enough to change, sites may have their own."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that was looked at (`gateway.oauth.client_keys`): its name, and the JWK as JSON."""

    kid: str
    jwk: str


@dataclass(frozen=True, slots=True)
class Held:
    """A credential of a client, as an officer sees it. `name` is a key's; a secret has none."""

    name: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ClientView:
    """A client with what it authenticates with."""

    client_id: str
    status: str
    auth: ClientAuth | None
    dpop: bool
    credentials: tuple[Held, ...]


async def replace_secret(connection: Link, *, client_id: str, overlap: timedelta, now: datetime) -> str:
    """Give the client a new secret, and return it: it is nowhere else. The one before counts for `overlap`.

    Older ones stop now. Without an overlap all of them do, and so do the client's tokens.

    Raises:
        InputError: the client authenticates by keys, or is revoked.
        NotFoundError: there is no such client.
    """
    await _lock(connection, client_id, ClientAuth.SECRET)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    async with vault_role(connection):
        await connection.execute(
            "DELETE FROM vault.client_secret WHERE client_id = $1 AND id NOT IN (SELECT id"
            " FROM vault.client_secret WHERE client_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1)",
            client_id,
        )
        replaced = await connection.fetchval(
            "UPDATE vault.client_secret SET expires_at = least(expires_at, $2) WHERE client_id = $1"
            " RETURNING true",
            client_id,
            now + overlap,
        )
        await connection.execute(
            "INSERT INTO vault.client_secret (id, client_id, digest, created_at) VALUES ($1, $2, $3, $4)",
            new_id(),
            client_id,
            sha256(secret.encode()).digest(),
            now,
        )
    if replaced and not overlap:
        await revoke(connection, RevocationKind.CLIENT, client_id, now=now)
    return secret


async def add_keys(connection: Link, *, client_id: str, keys: Sequence[PublicKey], now: datetime) -> None:
    """Let the client sign with these keys as well, from now on.

    Raises:
        InputError: a name is taken, there are too many, the client
            authenticates by secret, or is revoked.
        NotFoundError: there is no such client.
    """
    await _lock(connection, client_id, ClientAuth.KEY)
    known = await connection.fetch("SELECT kid, expires_at FROM client_key WHERE client_id = $1", client_id)
    names = [row["kid"] for row in known]
    taken = [str(place) for place, key in enumerate(keys, start=1) if key.kid in names]
    if taken:
        raise InputError(f"the `kid` of key {', '.join(taken)} is taken: give a new key a new name")
    alive = sum(row["expires_at"] is None or row["expires_at"] > now for row in known)
    if alive + len(keys) > MOST_KEYS:
        raise InputError(
            f"a client has at most {MOST_KEYS} keys: remove one with `gateway client remove-key`"
        )
    await connection.executemany(
        "INSERT INTO client_key (client_id, kid, jwk, added_at) VALUES ($1, $2, $3, $4)",
        [(client_id, key.kid, key.jwk, now) for key in keys],
    )


async def remove_key(
    connection: Link, *, client_id: str, kid: str, overlap: timedelta, now: datetime
) -> None:
    """Let a key stop counting after `overlap`; without one at once, and with it the client's tokens.

    Raises:
        NotFoundError: the client has no such key.
    """
    until = now + overlap
    found = await connection.fetchval(
        "UPDATE client_key SET expires_at = least(expires_at, $3) WHERE client_id = $1 AND kid = $2"
        " RETURNING true",
        client_id,
        kid,
        until,
    )
    if not found:
        raise NotFoundError("the client has no such key: see `gateway client show`")
    if not overlap:
        await revoke(connection, RevocationKind.CLIENT, client_id, now=now)


async def show_client(connection: Link, client_id: str, now: datetime) -> ClientView:
    """The client with the credentials that count now.

    Raises:
        NotFoundError: there is no such client.
    """
    row = await connection.fetchrow(
        "SELECT status, auth_method, dpop FROM partner_client WHERE client_id = $1", client_id
    )
    if row is None:
        raise _unknown()
    held = await connection.fetch(
        "SELECT kid AS name, added_at AS since, expires_at AS until FROM client_key"
        " WHERE client_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY added_at, kid",
        client_id,
        now,
    )
    async with vault_role(connection):
        held += await connection.fetch(
            "SELECT '' AS name, created_at AS since, expires_at AS until FROM vault.client_secret"
            " WHERE client_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at",
            client_id,
            now,
        )
    auth = None if row["auth_method"] is None else ClientAuth(row["auth_method"])
    return ClientView(client_id, row["status"], auth, row["dpop"], tuple(Held(**found) for found in held))


async def _lock(connection: Link, client_id: str, auth: ClientAuth) -> None:
    """Hold the client, which authenticates in this way: from now on, if it did in none yet."""
    row = await connection.fetchrow(
        "SELECT status, auth_method FROM partner_client WHERE client_id = $1 FOR NO KEY UPDATE", client_id
    )
    if row is None:
        raise _unknown()
    if row["status"] != ClientStatus.ACTIVE:
        raise InputError("the client is revoked, which is for good: create a new one")
    if row["auth_method"] is None:
        await connection.execute(
            "UPDATE partner_client SET auth_method = $2 WHERE client_id = $1", client_id, auth.value
        )
    elif row["auth_method"] != auth:
        message = f"the client authenticates by `{row['auth_method']}`, and only so"
        raise InputError(f"{message}: create another client for another way")


def _unknown() -> NotFoundError:
    return NotFoundError("there is no such client: see `gateway client list`")
