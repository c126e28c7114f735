"""What a client authenticates with, as it is read, and that nothing is used twice.

Secrets are in the vault as SHA-256 digests, public keys beside the client. Whether they fit is decided by
`gateway.oauth.authentication`. Reads are of the moment: nothing here is cached, so a secret that was
taken back counts nowhere any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from resolvers.commands.member_secrets import vault_role
from resolvers.connection import Link


async def read_secret_digests(connection: Link, client_id: str, now: datetime) -> Sequence[bytes]:
    """The digests of the client's secrets that count now, at most two. In the caller's transaction."""
    async with vault_role(connection):
        rows = await connection.fetch(
            "SELECT digest FROM vault.client_secret"
            " WHERE client_id = $1 AND (expires_at IS NULL OR expires_at > $2)",
            client_id,
            now,
        )
    return [row["digest"] for row in rows]


async def read_client_key(connection: Link, client_id: str, kid: str, now: datetime) -> str | None:
    """The JWK of that name, if the client has it and it counts now."""
    jwk: str | None = await connection.fetchval(
        "SELECT jwk FROM client_key"
        " WHERE client_id = $1 AND kid = $2 AND (expires_at IS NULL OR expires_at > $3)",
        client_id,
        kid,
        now,
    )
    return jwk


async def use_once(connection: Link, maker: str, jti: str, expires_at: datetime, *, durable: bool) -> bool:
    """Whether this is the first use of `jti` by `maker`, in whichever replica; from now on it is used.

    INVARIANT (used-once): the primary key decides between replicas, before anything is given for it.
    `durable`: the row survives a crash of the database. Without it the commit waits for no disk, as it may
    for what expires in a minute: a crash can forget the last fraction of a second.
    """
    key = sha256(f"{len(maker)} {maker} {jti}".encode()).digest()
    first = await connection.fetchval(
        "WITH how AS (SELECT set_config('synchronous_commit', CASE WHEN $3 THEN 'on' ELSE 'off' END, true))"
        " INSERT INTO used_jti (key, expires_at) SELECT $1, $2 FROM how"
        " ON CONFLICT (key) DO NOTHING RETURNING true",
        key,
        expires_at,
        durable,
    )
    return first is not None
