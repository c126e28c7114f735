"""`gateway keys rotate`: tokens are signed with a new key from now on."""

from __future__ import annotations

import typer

from gateway.keys import rotate_signing_key
from gateway.settings import load_settings

keys = typer.Typer(name="keys", help="The keys that tokens are signed with.", no_args_is_help=True)


@keys.callback()
def keys_command() -> None:
    """The keys that tokens are signed with."""


@keys.command("rotate")
def rotate_command() -> None:
    """Sign with a new key. Tokens signed before stay valid until they expire."""
    keyring = rotate_signing_key(load_settings())
    typer.echo(f"signing key: {keyring.signing_key.kid}")
    typer.echo("next: restart every replica, so that it signs with the new key and knows it")
