"""`gateway schema print|bulk|data-map`: a contract as SDL, its bulk document, where each column may be read.

The SDL is exactly what introspection shows that caller.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from gateway.app import load_product
from gateway.bulk_document import bulk_document
from gateway.database import open_database
from gateway.datamap import data_map
from gateway.keys import load_keyring
from gateway.settings import Settings, load_settings
from policies.agreement import AgreementTerms, scope_mask
from policies.principal import MemberPrincipal, PartnerPrincipal, Principal, Visitor
from resolvers.callers import read_client
from resolvers.commands.clients import only_client_of
from schema.errors import InputError, NotFoundError

app = typer.Typer(help="Contracts as SDL, for code generation, and the data map.", no_args_is_help=True)

_NOBODY = UUID(int=0)


@app.command("print")
def print_command(
    caller: Annotated[
        str, typer.Option("--as", help="visitor, member, partner:NAME or client:CLIENT_ID.", metavar="CALLER")
    ],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="Only these of a partner's categories; repeatable.")
    ] = None,
) -> None:
    """Print the contract of a caller: SDL with descriptions and data categories."""
    settings = load_settings()
    product = load_product(settings)
    principal = asyncio.run(_principal(settings, caller, scope))
    typer.echo(product.contracts.of(principal).sdl)


@app.command("bulk")
def bulk_command(
    caller: Annotated[str, typer.Option("--as", help="partner:NAME or client:CLIENT_ID.", metavar="CALLER")],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="Only these of its categories; repeatable.")
    ] = None,
    fields: Annotated[
        str | None, typer.Option("--fields", help="As in the request; default: all.", metavar="NAMES")
    ] = None,
) -> None:
    """Print the document of a bulk download, for registering it where only registered ones are admitted."""
    settings = load_settings()
    product = load_product(settings)
    principal = asyncio.run(_principal(settings, caller, scope))
    names = None if fields is None else fields.split(",")
    typer.echo(bulk_document(product.contracts.of(principal).schema, names), nl=False)


@app.command("data-map")
def data_map_command() -> None:
    """Print each column with its data category, the fields that read it, and who may (Markdown)."""
    product = load_product(load_settings())
    typer.echo(data_map(product.catalogue, product.contracts), nl=False)


async def _principal(settings: Settings, caller: str, scopes: list[str] | None) -> Principal:
    kind, _, name = caller.partition(":")
    match kind, name:
        case "visitor", "":
            return Visitor()
        case "member", "":
            return MemberPrincipal(_NOBODY, "schema", "schema")
        case (("partner" | "client"), str()) if name:
            return await _partner(settings, name, scopes, by_client=kind == "client")
        case _:
            raise InputError("`--as` takes `visitor`, `member`, `partner:NAME` or `client:CLIENT_ID`")


async def _partner(
    settings: Settings, name: str, scopes: list[str] | None, *, by_client: bool
) -> PartnerPrincipal:
    async with open_database(settings, load_keyring(settings)) as database, database.transaction() as link:
        client_id = name if by_client else await only_client_of(link, name)
        facts = await read_client(link, client_id)
    if facts is None:
        raise NotFoundError("there is no such client: see `gateway partner show`")
    terms = facts.terms
    if not terms.in_force(datetime.now(UTC)):
        raise NotFoundError("the agreement of that client is not in force: see `gateway agreement show`")
    return principal_under(terms, client_id, _granted(terms, scopes))


def principal_under(terms: AgreementTerms, client_id: str, mask: int) -> PartnerPrincipal:
    """A caller under an agreement, for looking at its contract: it holds no token."""
    return PartnerPrincipal(
        partner_id=terms.partner_id,
        agreement_id=terms.id,
        agreement_version=terms.version,
        client_id=client_id,
        token_id="",
        basis=terms.basis,
        purpose=terms.purpose,
        mask=mask,
    )


def _granted(terms: AgreementTerms, scopes: list[str] | None) -> int:
    return terms.mask if scopes is None else scope_mask(terms, scopes)
