"""`gateway seed --members N`: believable members, the same ones for the same seed value."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.cli.office import policy_of
from gateway.cli.progress import ProgressBar
from gateway.database import open_database
from gateway.driver_errors import translate_driver_errors
from gateway.keys import load_keyring
from gateway.seeding import seed
from gateway.settings import Settings, load_settings
from resolvers.policy_versions import Compiler
from resolvers.sealing import PhoneSealer
from schema.errors import GatewayError


def seed_command(
    members: Annotated[int, typer.Option("--members", min=1, max=10_000_000, help="How many.")] = 2_000,
    seed_value: Annotated[int, typer.Option("--seed-value", min=0, help="Another value, other members.")] = 1,
) -> None:
    """Make sure that this many believable members are stored; those that are missing are added."""
    started = time.monotonic()
    try:
        added = asyncio.run(_run(load_settings(), members, seed_value))
    except GatewayError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(code=1) from error
    seconds = time.monotonic() - started
    typer.echo(f"{added:,} members added in {seconds:.1f} s: {added / max(seconds, 0.001):,.0f} members/s")


async def _run(settings: Settings, members: int, seed_value: int) -> int:
    keys = load_keyring(settings)
    sealer = PhoneSealer(keys.phone_public_key.public_key, keys.phone_public_key.key_id)
    async with open_database(settings, keys) as database:
        async with database.transaction() as connection:
            policy = await policy_of(connection, settings, datetime.now(UTC))
        matrix = policy.matrix(Compiler())
        with translate_driver_errors(), ProgressBar("seed", members) as bar:
            async with database.app.acquire() as connection:
                partners = [
                    row["id"] for row in await connection.fetch("SELECT id FROM partner ORDER BY name")
                ]
                return await seed(
                    connection,
                    members,
                    seed_value,
                    now=datetime.now(UTC),
                    sealer=sealer,
                    matrix=matrix,
                    partners=partners,
                    on_progress=bar.show,
                )
