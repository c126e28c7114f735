"""`gateway token member|partner|revoke`: tokens for development, and taking one back.

The token goes to standard output alone, so that it can be piped; what belongs to it goes to standard error.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.cli.office import Office, in_office
from gateway.identity.tokens import MintedToken, SubjectKind, mint
from policies.agreement import parse_categories
from resolvers.officers.clients import admit_client, admit_member, revoke_token

app = typer.Typer(help="Tokens for development, and taking one back.", no_args_is_help=True)

Lifetime = Annotated[
    int | None, typer.Option("--lifetime", min=1, max=86_400, help="Seconds; default GATEWAY_TOKEN_LIFETIME.")
]


@app.command("member")
def member_command(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The member's number.")],
    client: Annotated[str, typer.Option("--client", help="The front-end it is for.")] = "web",
    lifetime: Lifetime = None,
) -> None:
    """Make a token for a member."""

    async def work(office: Office) -> MintedToken:
        member_id = await admit_member(office.desk, number)
        return mint(
            office.settings,
            office.keys,
            kind=SubjectKind.MEMBER,
            subject=str(member_id),
            client_id=client,
            lifetime=lifetime,
        )

    _print(in_office(work))


@app.command("partner")
def partner_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The partner's short name.")],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="A category; repeatable. Default: the agreement's.")
    ] = None,
    client: Annotated[str | None, typer.Option("--client", help="Where the partner has several.")] = None,
    lifetime: Lifetime = None,
) -> None:
    """Make a token for a partner's client."""

    async def work(office: Office) -> MintedToken:
        client_id, facts = await admit_client(office.desk, name, client)
        scopes = facts.terms.categories if scope is None else parse_categories(scope)
        return mint(
            office.settings,
            office.keys,
            kind=SubjectKind.PARTNER,
            subject=client_id,
            client_id=client_id,
            scopes=sorted(scopes),
            lifetime=lifetime,
        )

    _print(in_office(work))


@app.command("revoke")
def revoke_command(
    token_id: Annotated[str, typer.Argument(metavar="JTI", help="The token's id, printed when it was made.")],
) -> None:
    """Refuse one token, at once and for good."""

    async def work(office: Office) -> None:
        await revoke_token(office.desk, token_id)

    in_office(work)
    typer.echo("token: revoked")


def _print(minted: MintedToken) -> None:
    until = datetime.fromtimestamp(minted.expires_at, UTC)
    typer.echo(f"jti {minted.token_id}, valid until {until:%Y-%m-%d %H:%M:%S} UTC", err=True)
    typer.echo(minted.token)
