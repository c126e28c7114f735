"""`gateway partner ...`: the companies that may receive members' data (C8)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from asyncpg import Record

from gateway.cli.agreements import describe
from gateway.cli.listing import print_list
from gateway.cli.office import Office, in_office, parse_moment
from gateway.identity.public_keys import strong_key
from resolvers.commands.partners import AgreementView, PartnerView
from resolvers.officers.agreements import list_agreements
from resolvers.officers.partners import (
    add_statement_keys,
    create_partner,
    list_partners,
    list_statement_keys,
    remove_statement_key,
)
from schema.errors import InputError

app = typer.Typer(help="Companies that may receive members' data.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Short name: lower case, digits, hyphens.")]


@app.command("create")
def create_command(
    name: Name,
    display_name: Annotated[str, typer.Option("--display-name", help="The name that members know.")],
) -> None:
    """Add a partner. It receives nothing before it has an agreement and a client."""

    async def work(office: Office) -> None:
        await create_partner(office.desk, name=name, display_name=display_name)

    in_office(work)
    typer.echo(f"partner {name}: created; next: gateway agreement create {name} ...")


@app.command("show")
def show_command(name: Name) -> None:
    """Show a partner and its agreements."""

    async def work(office: Office) -> tuple[PartnerView, Sequence[AgreementView]]:
        (partner,) = await list_partners(office.desk, name)
        return partner, await list_agreements(office.desk, name)

    partner, agreements = in_office(work)
    typer.echo(f"{partner.name}\t{partner.display_name}\tsince {partner.created_at:%Y-%m-%d}")
    for agreement in agreements:
        typer.echo(f"\n{describe(agreement)}")


@app.command("list")
def list_command() -> None:
    """List every partner, one a line."""

    async def work(office: Office) -> Sequence[PartnerView]:
        return await list_partners(office.desk)

    lines = ((one.name, one.display_name, f"{one.agreements} agreements") for one in in_office(work))
    print_list(lines, "there is no partner: `gateway partner create` makes one")


@app.command("add-key")
def add_key_command(
    name: Name,
    jwks: Annotated[
        Path, typer.Option("--jwks", help="A JWK, or a set of them: public keys.", metavar="FILE")
    ],
    valid_from: Annotated[str | None, typer.Option("--from", help="Default: now.", metavar="DATE")] = None,
    valid_until: Annotated[str | None, typer.Option("--until", metavar="DATE")] = None,
) -> None:
    """Register the keys with which the partner signs statements of deletion."""
    keys = _public_keys(jwks)

    async def work(office: Office) -> None:
        await add_statement_keys(
            office.desk,
            partner=name,
            keys=keys,
            valid_from=parse_moment(valid_from, "--from"),
            valid_until=parse_moment(valid_until, "--until"),
        )

    in_office(work)
    typer.echo(f"partner {name}: {len(keys)} keys added: {', '.join(keys)}")


@app.command("remove-key")
def remove_key_command(name: Name, kid: Annotated[str, typer.Argument(metavar="KID")]) -> None:
    """Let a statement key verify nothing any more."""

    async def work(office: Office) -> None:
        await remove_statement_key(office.desk, partner=name, kid=kid)

    in_office(work)
    typer.echo(f"partner {name}: key removed")


@app.command("keys")
def keys_command(name: Name) -> None:
    """List the partner's statement keys, one a line."""

    async def work(office: Office) -> Sequence[Record]:
        return await list_statement_keys(office.desk, name)

    print_list(
        map(_key, in_office(work)), "this partner has no statement key: `gateway partner add-key` adds one"
    )


def _key(row: Record) -> tuple[str, ...]:
    until = "without end" if row["valid_until"] is None else f"until {row['valid_until']:%Y-%m-%d %H:%M}"
    counts = (row["kid"], f"from {row['valid_from']:%Y-%m-%d %H:%M}", until)
    removed = row["revoked_at"]
    return counts if removed is None else (*counts, f"removed {removed:%Y-%m-%d}")


def _public_keys(path: Path) -> dict[str, dict[str, Any]]:
    """The keys in a file, by name.

    Raises:
        InputError: one of them is none, too weak, or no public key.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("`--jwks`: a file with a JWK or a JWK set (RFC 7517)") from error
    listed = read.get("keys", [read]) if isinstance(read, dict) else []
    keys: dict[str, dict[str, Any]] = {}
    for jwk in listed:
        key = strong_key(jwk)
        if key is None or key.kid in keys:
            raise InputError(
                "`--jwks`: public keys for EdDSA, ES256, PS256 or RS256, each with its own `kid`"
            )
        keys[key.kid] = {**jwk, "kid": key.kid, "alg": key.algorithm}
    if not keys:
        raise InputError("`--jwks`: there is no key in the file")
    return keys
