"""`gateway keys rotate|list`: the keys that tokens are signed with, changed without a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from gateway.cli.office import Office, in_office
from gateway.keys import load_keyring, rotate_signing_key
from gateway.settings import load_settings
from gateway.signing_keys import RETIRED_FOR, SigningStatus
from resolvers.officers.members import note_key_rotation

keys = typer.Typer(name="keys", help="The keys that tokens are signed with.", no_args_is_help=True)

WAIT: Final = 900
"""Seconds that a key is published before it signs: longer than a JWKS document or a mounted folder is old."""

_DOES: Final = {
    SigningStatus.NEXT: "published, signs later",
    SigningStatus.ACTIVE: "signs and verifies",
    SigningStatus.RETIRING: "verifies what it has signed",
    SigningStatus.EXPIRED: "does nothing any more; the next rotation removes it",
}


@keys.command("rotate")
def rotate_command(
    wait: Annotated[
        int, typer.Option("--wait", min=0, max=86_400, help="Seconds until the new key signs; 0: at once.")
    ] = WAIT,
) -> None:
    """Publish a new key that signs after a while. Tokens signed before stay valid until they expire."""

    async def note(office: Office) -> None:
        await note_key_rotation(office.desk)

    in_office(note)
    rotation = rotate_signing_key(load_settings(), timedelta(seconds=wait))
    begins = rotation.new.signs_from
    typer.echo(f"new key: {rotation.new.kid}")
    typer.echo(f"signs from {_moment(begins)}; the key before verifies until")
    typer.echo(f"  {_moment(begins + RETIRED_FOR.total_seconds())}, when its last token has expired")
    for kid in rotation.removed:
        typer.echo(f"removed: {kid}")
    typer.echo("running gateways on this folder follow within a second; copy it where others have their own")


@keys.command("list")
def list_command() -> None:
    """List the keys, one a line, in the order in which they sign."""
    for key, status in load_keyring(load_settings()).signing_keys.by_status():
        typer.echo(f"{key.kid}\t{status}\tfrom {_moment(key.signs_from)}\t{_DOES[status]}")


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(max(seconds, 0), UTC):%Y-%m-%d %H:%M:%S} UTC"
