"""`gateway partner create|show|list`: the companies that may receive members' data (C8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from gateway.cli.agreements import describe
from gateway.cli.office import Office, in_office
from resolvers.commands.partners import (
    AgreementView,
    PartnerView,
    create_partner,
    list_agreements,
    list_partners,
)

app = typer.Typer(help="Companies that may receive members' data.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Short name: lower case, digits, hyphens.")]


@app.command("create")
def create_command(
    name: Name,
    display_name: Annotated[str, typer.Option("--display-name", help="The name that members know.")],
) -> None:
    """Add a partner. It receives nothing before it has an agreement and a client."""

    async def work(office: Office) -> None:
        await create_partner(office.connection, name=name, display_name=display_name, now=office.now)

    in_office(work)
    typer.echo(f"partner {name}: created; next: gateway agreement create {name} ...")


@app.command("show")
def show_command(name: Name) -> None:
    """Show a partner and its agreements."""

    async def work(office: Office) -> tuple[PartnerView, Sequence[AgreementView]]:
        (partner,) = await list_partners(office.connection, name)
        return partner, await list_agreements(office.connection, partner=name)

    partner, agreements = in_office(work)
    typer.echo(f"{partner.name}\t{partner.display_name}\tsince {partner.created_at:%Y-%m-%d}")
    for agreement in agreements:
        typer.echo(f"\n{describe(agreement)}")


@app.command("list")
def list_command() -> None:
    """List every partner, one a line."""

    async def work(office: Office) -> Sequence[PartnerView]:
        return await list_partners(office.connection)

    for partner in in_office(work):
        typer.echo(f"{partner.name}\t{partner.display_name}\t{partner.agreements} agreements")
