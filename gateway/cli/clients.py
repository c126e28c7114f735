"""`gateway client ...`: a partner's programs that may sign in, each under one agreement, and what with.

A secret goes to standard output alone, once; what belongs to it goes to standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.cli.listing import print_list
from gateway.cli.office import Office, in_office, parse_id
from gateway.cli.words import listed, one_of
from gateway.oauth.client_keys import read_jwks
from resolvers.commands.client_credentials import ClientView, PublicKey
from resolvers.commands.clients import ListedClient
from resolvers.officers.clients import (
    add_keys,
    create_client,
    list_clients,
    remove_key,
    revoke_client,
    rotate_secret,
    show_client,
)
from schema.errors import InputError
from schema.vocabulary import ClientAuth

app = typer.Typer(help="A partner's programs that may sign in.", no_args_is_help=True)

OVERLAP: Final = 24
"""Hours that the credential before goes on counting, if nothing else is said: a working day anywhere."""


ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID")]
Overlap = Annotated[
    int,
    typer.Option(
        "--overlap", min=0, max=24 * 90, help="Hours that the one before still counts; 0: it was stolen."
    ),
]
Jwks = Annotated[
    Path,
    typer.Option("--jwks", help="Its public keys, as JWKS or JWK.", exists=True, dir_okay=False),
]


@app.command("create")
def create_command(
    client_id: ClientId,
    agreement: Annotated[str, typer.Option("--agreement", help="The agreement it acts under.", metavar="ID")],
    auth: Annotated[
        ClientAuth,
        typer.Option(
            "--auth",
            parser=one_of(ClientAuth),
            metavar=listed(ClientAuth, "|"),
            help="How it proves who it is.",
        ),
    ] = ClientAuth.SECRET,
    jwks: Annotated[
        Path | None,
        typer.Option("--jwks", help="Its public keys, with --auth key.", exists=True, dir_okay=False),
    ] = None,
    dpop: Annotated[bool, typer.Option("--dpop", help="Bind its tokens to a key of its own.")] = False,
) -> None:
    """Let a client act under an agreement; prints its secret, if it has one."""
    agreement_id = parse_id(agreement)
    if (auth is ClientAuth.KEY) is not (jwks is not None):
        raise InputError("`--auth`: `secret`, or `key` together with `--jwks FILE`")
    keys = [] if jwks is None else _read(jwks)

    async def work(office: Office) -> str | None:
        return await create_client(
            office.desk, client_id=client_id, agreement_id=agreement_id, keys=keys, dpop=dpop
        )

    secret = in_office(work)
    typer.echo(f"client {client_id}: created", err=True)
    _print_secret(secret)


@app.command("list")
def list_command() -> None:
    """List clients, one a line: id, partner, agreement, status."""

    async def work(office: Office) -> Sequence[ListedClient]:
        return await list_clients(office.desk)

    lines = [(one.client_id, one.partner, str(one.agreement_id), one.status) for one in in_office(work)]
    print_list(lines, "there is no client: `gateway client create` makes one")


@app.command("show")
def show_command(client_id: ClientId) -> None:
    """Show how a client proves who it is, and until when each of its credentials counts."""

    async def work(office: Office) -> ClientView:
        return await show_client(office.desk, client_id)

    view = in_office(work)
    bound = ", tokens bound by DPoP" if view.dpop else ""
    typer.echo(f"client {view.client_id}: {view.status}, {view.auth or 'no way to authenticate'}{bound}")
    for held in view.credentials:
        what = f"key {held.name}" if held.name else "secret"
        typer.echo(f"  {what}\tsince {_moment(held.since)}\t{_until(held.until)}")


@app.command("rotate")
def rotate_command(client_id: ClientId, overlap: Overlap = OVERLAP) -> None:
    """Give a client a new secret, and print it; the one before counts for a while."""

    async def work(office: Office) -> str:
        return await rotate_secret(office.desk, client_id, timedelta(hours=overlap))

    secret = in_office(work)
    typer.echo(f"client {client_id}: new secret; {_what_ends(overlap)}", err=True)
    _print_secret(secret)


@app.command("add-key")
def add_key_command(client_id: ClientId, jwks: Jwks) -> None:
    """Let a client sign with further keys, beside those it has."""
    keys = _read(jwks)

    async def work(office: Office) -> None:
        await add_keys(office.desk, client_id, keys)

    in_office(work)
    for key in keys:
        typer.echo(f"client {client_id}: key {key.kid} counts")


@app.command("remove-key")
def remove_key_command(
    client_id: ClientId,
    kid: Annotated[str, typer.Argument(metavar="KID", help="As `gateway client show` prints it.")],
    overlap: Overlap = OVERLAP,
) -> None:
    """Let a key of a client stop counting, after a while or at once."""

    async def work(office: Office) -> None:
        await remove_key(office.desk, client_id, kid, timedelta(hours=overlap))

    in_office(work)
    typer.echo(f"client {client_id}: {_what_ends(overlap)}")


@app.command("revoke")
def revoke_command(client_id: ClientId) -> None:
    """Refuse a client and every token it has, at once and for good."""

    async def work(office: Office) -> None:
        await revoke_client(office.desk, client_id)

    in_office(work)
    typer.echo(f"client {client_id}: revoked")


def _read(path: Path) -> Sequence[PublicKey]:
    try:
        return read_jwks(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("`--jwks`: the file cannot be read as text") from error


def _print_secret(secret: str | None) -> None:
    if secret is not None:
        typer.echo("its secret, which is shown this once:", err=True)
        typer.echo(secret)


def _what_ends(overlap: int) -> str:
    if overlap:
        return f"the one before counts for {overlap} more hours"
    return "the one before counts no more, nor do the tokens that it has got"


def _until(until: datetime | None) -> str:
    return "without end" if until is None else f"until {_moment(until)}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
