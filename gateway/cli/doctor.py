"""`gateway doctor`: whether an installation is as it has to be. Reads, and changes nothing.

Each check has a name, and on failure an advice. One that cannot be made because of another's failure is
left out: the first failure is what to mend first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import typer

from gateway.database import Database, open_pools, owner_url
from gateway.identity.principals import open_authenticator
from gateway.keys import Keyring, keys_dir, load_keyring
from gateway.migrations import current_revision, expected_revision
from gateway.officer_key import default_officer_key
from gateway.policy_source import load_policy_of
from gateway.settings import Settings, load_settings
from policies.check import checked_matrix
from resolvers.commands.webhooks import count_dead_letters
from resolvers.disclosure_reading import newest_checkpoint, newest_record
from resolvers.policy_versions import policy_in_database
from resolvers.role_guarantees import MINIMUM_SERVER, read_guarantees
from schema.errors import GatewayError

CHECKPOINT_LATE: Final = timedelta(days=1)
"""How much younger than the last checkpoint a record may be: the gateway makes one when it stops."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at. `advice` is None where it is as it has to be."""

    name: str
    advice: str | None = None


def doctor_command() -> None:
    """Check keys, policy, database and roles. Exit code 1: something has to be mended."""
    healthy = asyncio.run(_print_checks(load_settings()))
    if not healthy:
        raise typer.Exit(code=1)


async def _print_checks(settings: Settings) -> bool:
    healthy = True
    async for check in examine(settings):
        healthy = healthy and check.advice is None
        typer.echo(f"ok    {check.name}" if check.advice is None else f"FAIL  {check.name}: {check.advice}")
    return healthy


async def examine(settings: Settings) -> AsyncIterator[Check]:
    """Make the checks in order, from what everything needs to what needs everything."""
    yield _private_key_is_away(settings)
    yield _policy(settings)
    try:
        keys = load_keyring(settings)
    except GatewayError as error:
        yield Check("keys", str(error))
        return
    yield Check("keys")
    if keys_dir(settings).stat().st_mode & 0o077:
        yield Check("keys folder", f"others can enter `{keys_dir(settings)}`: chmod 700 it")
    try:
        async for check in _database_checks(settings, keys):
            yield check
    except GatewayError as error:
        yield Check("database", str(error))


async def _database_checks(settings: Settings, keys: Keyring) -> AsyncIterator[Check]:
    async with owner_url(settings, keys) as url:
        current, expected = await current_revision(url), expected_revision()
        if current != expected:
            advice = f"at {current or 'nothing'}, expected {expected}: run `gateway migrate`"
            yield Check("migrations", advice)
            return
        yield Check("migrations")
        async with open_pools(url, settings, keys) as database:
            yield Check("roles sign in")
            for check in await _guarantees(database):
                yield check
            yield await _published(database, settings)
            yield await _webhooks(database)
            yield await _checkpoints(database)
            async with open_authenticator(settings, keys, database):
                yield Check("revocations and issuers")


async def _guarantees(database: Database) -> list[Check]:
    async with database.connection() as connection:
        found = await read_guarantees(connection)
    advice = "grants were changed by hand: compare with revision 0002"
    return [
        Check("server", None if found.version >= MINIMUM_SERVER else "PostgreSQL 15 or newer is needed"),
        Check("reader is kept from the vault", None if not found.reader_reaches_vault else advice),
        Check("reader cannot write", None if not found.reader_writes else advice),
        Check("nobody selects sealed numbers", None if not found.ciphertext_readable else advice),
    ]


async def _published(database: Database, settings: Settings) -> Check:
    """Which policy decides. That the directory holds another one is no fault, and is said."""
    async with database.connection() as connection:
        found = await policy_in_database(connection)
    if found is None:
        return Check("no policy is published yet: the first start publishes the directory's")
    differs = found.sources[found.number].digest != load_policy_of(settings).digest
    other = ", which is not the one in the directory: publish that to put it in force" if differs else ""
    return Check(f"the policy in force is version {found.version}{other}")


async def _webhooks(database: Database) -> Check:
    async with database.connection() as connection:
        dead = await count_dead_letters(connection)
    advice = f"{dead} messages were given up: see `gateway webhook dead-letters list`" if dead else None
    return Check("webhooks reach partners", advice)


async def _checkpoints(database: Database) -> Check:
    """Whether what was recorded has been checkpointed: by a gateway that runs, or at its stop."""
    async with database.connection() as connection:
        record, checkpoint = await newest_record(connection), await newest_checkpoint(connection)
    late = record is not None and (checkpoint is None or record - checkpoint > CHECKPOINT_LATE)
    advice = "disclosures wait for a checkpoint: see `upkeep.failed` in the log of the gateway"
    return Check("disclosures are checkpointed", advice if late else None)


def _policy(settings: Settings) -> Check:
    try:
        checked_matrix(load_policy_of(settings))
    except GatewayError as error:
        return Check("policy", str(error))
    return Check("policy")


def _private_key_is_away(settings: Settings) -> Check:
    name = "officer's key is not in the data directory"
    folders = (settings.data_dir, keys_dir(settings))
    for path in (path for folder in folders if folder.is_dir() for path in folder.iterdir()):
        if path.is_file() and b"PRIVATE KEY" in _start_of(path):
            return Check(name, f"`{path}` holds a private key: move it off this machine")
    officer_key = default_officer_key(settings)
    if officer_key.exists() and officer_key.stat().st_mode & 0o077:
        return Check(name, f"`{officer_key}` is readable by other users: chmod 600 it, and move it away")
    return Check(name)


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4_096)
