"""Writes to the vault: sealed numbers, password hashes, billing tokens. The one place that takes on its role.

All of it happens inside the caller's transaction, as `gateway_vault` for exactly these statements.

INVARIANT (replaced-unseen): sealed numbers are deleted and inserted, never compared: the service cannot read
them, and nothing depends on whether one changed (R1).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from resolvers.connection import Link


@dataclass(slots=True)
class MemberSecrets:
    """What goes to the vault. `replaced` are the members whose numbers these are instead of the ones before.

    `phones`: phone id, member id, ciphertext. `passwords`: member id, hash. `tokens`: billing method id,
    member id, token.
    """

    replaced: list[UUID] = field(default_factory=list)
    phones: list[tuple[UUID, UUID, bytes]] = field(default_factory=list)
    passwords: list[tuple[UUID, str]] = field(default_factory=list)
    tokens: list[tuple[UUID, UUID, str]] = field(default_factory=list)


@asynccontextmanager
async def vault_role(connection: Link) -> AsyncIterator[None]:
    """Be `gateway_vault` for a few statements of the running transaction.

    After an error inside, the transaction is over and the role with it.
    """
    await connection.execute("SET LOCAL ROLE gateway_vault")
    yield
    await connection.execute("SET LOCAL ROLE NONE")


async def write_secrets(connection: Link, secrets: MemberSecrets, *, key_id: str, now: datetime) -> None:
    """Write `secrets`, within a transaction. `key_id` names the key that the numbers are sealed to."""
    if not (secrets.replaced or secrets.phones or secrets.passwords or secrets.tokens):
        return
    async with vault_role(connection):
        if secrets.replaced:
            await connection.execute(
                "DELETE FROM vault.sealed_phone WHERE member_id = ANY($1::uuid[])", secrets.replaced
            )
        await _copy_phones(connection, secrets.phones, key_id)
        await _write_passwords(connection, secrets.passwords, now)
        await _write_tokens(connection, secrets.tokens)


async def read_password_hash(connection: Link, member_id: UUID) -> str | None:
    """The member's password hash, within a transaction: for `resolvers.passwords` and for nothing else."""
    async with vault_role(connection):
        found: str | None = await connection.fetchval(
            "SELECT password_hash FROM vault.credential WHERE member_id = $1", member_id
        )
    return found


async def write_password_hash(connection: Link, member_id: UUID, password_hash: str, now: datetime) -> None:
    """Put a password hash in place of the member's, within a transaction."""
    async with vault_role(connection):
        await _write_passwords(connection, [(member_id, password_hash)], now)


async def remove_phone_secret(connection: Link, phone_id: UUID) -> None:
    """Delete the sealed number with this id, within a transaction. The caller knows whose it is."""
    async with vault_role(connection):
        await connection.execute("DELETE FROM vault.sealed_phone WHERE phone_id = $1", phone_id)


async def remove_billing_secret(connection: Link, method_id: UUID) -> None:
    """Delete the token of this billing method, within a transaction. The caller knows whose it is."""
    async with vault_role(connection):
        await connection.execute("DELETE FROM vault.billing_token WHERE billing_method_id = $1", method_id)


async def remove_member_secrets(connection: Link, members: Sequence[UUID]) -> None:
    """Delete all that the vault holds of these members, within a transaction: no foreign key does it."""
    async with vault_role(connection):
        for table in ("sealed_phone", "credential", "billing_token"):
            await connection.execute(
                f"DELETE FROM vault.{table} WHERE member_id = ANY($1::uuid[])", list(members)
            )


async def move_billing_secrets(connection: Link, methods: Sequence[UUID], *, owner: UUID, heir: UUID) -> None:
    """Hand the tokens of these billing methods over from one member to another, within a transaction."""
    async with vault_role(connection):
        tokens = await connection.fetch(
            "DELETE FROM vault.billing_token WHERE billing_method_id = ANY($1::uuid[]) AND member_id = $2"
            " RETURNING billing_method_id, token",
            list(methods),
            owner,
        )
        await _write_tokens(connection, [(row["billing_method_id"], heir, row["token"]) for row in tokens])


async def _copy_phones(connection: Link, phones: Sequence[tuple[UUID, UUID, bytes]], key_id: str) -> None:
    if phones:
        await connection.copy_records_to_table(
            "sealed_phone",
            schema_name="vault",
            columns=("phone_id", "member_id", "key_id", "ciphertext"),
            records=[(phone_id, member_id, key_id, sealed) for phone_id, member_id, sealed in phones],
        )


async def _write_passwords(connection: Link, passwords: Sequence[tuple[UUID, str]], now: datetime) -> None:
    if passwords:
        await connection.execute(
            "INSERT INTO vault.credential (member_id, password_hash, changed_at)"
            " SELECT m, h, $3 FROM unnest($1::uuid[], $2::text[]) AS given (m, h)"
            " ON CONFLICT (member_id) DO UPDATE"
            " SET password_hash = excluded.password_hash, changed_at = excluded.changed_at",
            [member_id for member_id, _ in passwords],
            [password_hash for _, password_hash in passwords],
            now,
        )


async def _write_tokens(connection: Link, tokens: Sequence[tuple[UUID, UUID, str]]) -> None:
    if tokens:
        ids = [token[0] for token in tokens]
        await connection.execute(
            "DELETE FROM vault.billing_token WHERE billing_method_id = ANY($1::uuid[])", ids
        )
        await connection.copy_records_to_table(
            "billing_token",
            schema_name="vault",
            columns=("billing_method_id", "member_id", "token"),
            records=tokens,
        )
