"""`gateway deletions ...`: what partners have to delete, who is late, and their word that it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from asyncpg import Record

from gateway.cli.listing import print_list
from gateway.cli.office import Office, in_office, parse_id
from gateway.identity.statements import StatementReader
from gateway.identity.tokens import own_issuer
from resolvers.commands.deletions import Confirmed, Obligation
from resolvers.officers.deletions import (
    confirm_deletions,
    list_obligations,
    overdue_deletions,
    show_statement,
)
from schema.errors import InputError

app = typer.Typer(help="What partners have to delete.", no_args_is_help=True)


@app.command("list")
def list_command(
    partner: Annotated[str, typer.Argument(metavar="PARTNER")],
    confirmed: Annotated[bool, typer.Option("--confirmed", help="Those that were confirmed.")] = False,
) -> None:
    """List what a partner has to delete, one a line, the first due first."""

    async def work(office: Office) -> tuple[Office, Sequence[Obligation]]:
        return office, await list_obligations(office.desk, partner, confirmed=confirmed)

    office, found = in_office(work)
    none = "this partner has confirmed nothing yet" if confirmed else "this partner has nothing to delete"
    print_list((_owed(one, office.now) for one in found), none)


def _owed(one: Obligation, now: datetime) -> tuple[str, ...]:
    told = "not told" if one.told_at is None else f"told {one.told_at:%Y-%m-%d}"
    state = "late" if one.overdue(now) else f"due {one.due_at:%Y-%m-%d}"
    if one.confirmed_at is not None:
        state = f"confirmed {one.confirmed_at:%Y-%m-%d}"
    keys = ",".join(one.categories)
    return (str(one.row_id), str(one.subject), one.basis, keys, told, state)


@app.command("overdue")
def overdue_command() -> None:
    """List the partners that are late, one a line."""

    async def work(office: Office) -> Sequence[Record]:
        return await overdue_deletions(office.desk)

    lines = (
        (row["name"], f"{row['overdue']} overdue", f"since {row['since']:%Y-%m-%d}", row["restriction"])
        for row in in_office(work)
    )
    print_list(lines, "no partner is late")


@app.command("confirm")
def confirm_command(
    statement: Annotated[Path, typer.Option("--statement", help="The JWS.", metavar="FILE")],
) -> None:
    """Take in a statement of a partner whose tokens work no more."""
    try:
        text = statement.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise InputError("`--statement`: a file with a JWS in compact form") from error

    async def work(office: Office) -> Confirmed:
        reader = StatementReader(own_issuer(office.settings), office.settings.token_leeway)
        return await confirm_deletions(office.desk, reader, text, reader.issuer_of(text))

    done = in_office(work)
    typer.echo(
        f"statement {done.statement_id}: {len(done.confirmed)} confirmed, {len(done.still_owed)} still owed,"
        f" {len(done.not_owed)} not owed"
    )


@app.command("show-statement")
def show_statement_command(
    statement: Annotated[str, typer.Argument(metavar="ID", help="Of a statement, or of what it confirmed.")],
) -> None:
    """Print a statement as it was signed, for evidence."""
    wanted = parse_id(statement, what="a statement, or of an obligation as `gateway deletions list`")

    async def work(office: Office) -> str:
        return await show_statement(office.desk, wanted)

    typer.echo(in_office(work))
