"""`gateway init` and `gateway migrate`: what comes before the first start and before each new version."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gateway.database import owner_url
from gateway.keys import load_keyring
from gateway.migrations import current_revision, migrate
from gateway.officer_key import default_officer_key
from gateway.settings import Settings, load_settings
from gateway.setup import ensure_keys


def init_command(
    officer_key: Annotated[
        Path | None,
        typer.Option("--officer-key", help="Where the key that opens numbers goes.", dir_okay=False),
    ] = None,
) -> None:
    """Make the keys. Safe to repeat: what exists stays."""
    settings = load_settings()
    keys = ensure_keys(settings, officer_key)
    typer.echo(f"keys: {settings.data_dir / 'keys'} (signing key {keys.signing_key.kid})")
    path = officer_key or default_officer_key(settings)
    if path.exists():
        typer.echo(f"officer's key: {path}: move it off this machine; the service never reads it")
    typer.echo("next: gateway migrate")


def migrate_command() -> None:
    """Bring the database to this version, and give its roles the passwords that the keys say."""
    revision = asyncio.run(_migrate(load_settings()))
    typer.echo(f"database: at revision {revision}")


async def _migrate(settings: Settings) -> str | None:
    keys = load_keyring(settings)
    async with owner_url(settings, keys) as url:
        await migrate(url, keys.role_passwords)
        return await current_revision(url)
