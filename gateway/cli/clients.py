"""`gateway client create|revoke`: a partner's programs that may sign in, each under one agreement."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.office import Office, in_office, parse_id
from resolvers.commands.clients import create_client, revoke_client

app = typer.Typer(help="A partner's programs that may sign in.", no_args_is_help=True)

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID")]


@app.command("create")
def create_command(
    client_id: ClientId,
    agreement: Annotated[str, typer.Option("--agreement", help="The agreement it acts under.", metavar="ID")],
) -> None:
    """Let a client act under an agreement."""
    agreement_id = parse_id(agreement)

    async def work(office: Office) -> None:
        await create_client(office.connection, client_id=client_id, agreement_id=agreement_id, now=office.now)

    in_office(work)
    typer.echo(f"client {client_id}: created")


@app.command("revoke")
def revoke_command(client_id: ClientId) -> None:
    """Refuse a client and every token it has, at once and for good."""

    async def work(office: Office) -> None:
        await revoke_client(office.connection, client_id=client_id, now=office.now)

    in_office(work)
    typer.echo(f"client {client_id}: revoked")
