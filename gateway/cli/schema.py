"""`gateway schema print|bulk|data-map`: a contract as SDL, its bulk document, where each column may be read.

The SDL is exactly what introspection shows that caller.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from gateway.app import load_product
from gateway.bulk_document import bulk_document
from gateway.cli.office import Office, in_office
from gateway.cli.words import typed
from gateway.datamap import data_map
from gateway.officers_contract import officers_contracts
from gateway.settings import load_settings
from policies.aggregate_agreement import AggregateTerms, dimension_mask
from policies.agreement import AgreementTerms, scope_mask
from policies.officers import Channel, Officer, Role
from policies.principal import (
    ClientPrincipal,
    MemberPrincipal,
    OfficerPrincipal,
    PartnerPrincipal,
    Principal,
    RecipientPrincipal,
    Visitor,
)
from resolvers.callers import ClientFacts
from resolvers.officers.clients import look_at_client
from schema.errors import InputError

app = typer.Typer(help="Contracts as SDL, for code generation, and the data map.", no_args_is_help=True)

_NOBODY = UUID(int=0)


@app.command("print")
def print_command(
    caller: Annotated[
        str,
        typer.Option(
            "--as", help="visitor, member, partner:NAME, client:CLIENT_ID or officer:ROLE.", metavar="CALLER"
        ),
    ],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="Only these of a partner's categories; repeatable.")
    ] = None,
) -> None:
    """Print the contract of a caller: SDL with descriptions and data categories."""
    product = load_product(load_settings())
    if caller.startswith("officer:"):
        _, contracts = officers_contracts(lambda: product.matrix)
        typer.echo(contracts.of(_officer(caller.removeprefix("officer:"))).sdl)
        return
    typer.echo(product.contracts.of(_principal(caller, scope)).sdl)


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
    product = load_product(load_settings())
    principal = _principal(caller, scope)
    names = None if fields is None else fields.split(",")
    typer.echo(bulk_document(product.contracts.of(principal).schema, names), nl=False)


@app.command("data-map")
def data_map_command() -> None:
    """Print each column with its data category, the fields that read it, and who may (Markdown)."""
    product = load_product(load_settings())
    typer.echo(data_map(product.catalogue, product.contracts), nl=False)


def _principal(caller: str, scopes: list[str] | None) -> Principal:
    kind, _, name = caller.partition(":")
    match kind, name:
        case "visitor", "":
            return Visitor()
        case "member", "":
            return MemberPrincipal(_NOBODY, "schema", "schema")
        case (("partner" | "client"), str()) if name:
            return _partner(name, scopes, by_client=kind == "client")
        case _:
            raise InputError(
                "`--as` takes `visitor`, `member`, `partner:NAME`, `client:CLIENT_ID` or `officer:ROLE`"
            )


def _officer(role: str) -> OfficerPrincipal:
    """An officer of one role, for looking at the contract."""
    roles = frozenset({typed(Role, role, "--as officer:ROLE")})
    return OfficerPrincipal(Officer("schema", roles, Channel.COMMAND_LINE), _NOBODY, _NOBODY, "schema", "")


def _partner(name: str, scopes: list[str] | None, *, by_client: bool) -> ClientPrincipal:
    async def work(office: Office) -> tuple[str, ClientFacts]:
        return await look_at_client(
            office.desk, partner=None if by_client else name, client_id=name if by_client else None
        )

    client_id, facts = in_office(work)
    return principal_under(facts.terms, client_id, _granted(facts.terms, scopes))


def principal_under(terms: AgreementTerms | AggregateTerms, client_id: str, mask: int) -> ClientPrincipal:
    """A caller under an agreement, for looking at its contract: it holds no token."""
    if isinstance(terms, AggregateTerms):
        return RecipientPrincipal(
            partner_id=terms.partner_id,
            agreement_id=terms.id,
            agreement_version=terms.version,
            client_id=client_id,
            token_id="",
            mask=mask,
        )
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


def _granted(terms: AgreementTerms | AggregateTerms, scopes: list[str] | None) -> int:
    if scopes is None:
        return terms.mask
    if isinstance(terms, AggregateTerms):
        return dimension_mask(terms, scopes)
    return scope_mask(terms, scopes)
