"""`gateway case ...`: what the law requires us to disclose, of whom, to whom, until when (C8)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import orjson
import typer

from gateway.case_disclosure import disclosed_members
from gateway.cli.counting import counted
from gateway.cli.listing import print_list
from gateway.cli.office import LongOffice, Office, in_office, parse_id, parse_moment, policy_of
from gateway.database import open_database
from gateway.keys import load_keyring
from gateway.settings import load_settings
from resolvers.cases import CaseView
from resolvers.officers.cases import (
    CaseInput,
    Order,
    approve_case,
    begin_disclosure,
    close_case,
    defer_case,
    list_cases,
    open_case,
    show_case,
)
from schema.errors import InputError

app = typer.Typer(help="Disclosures that the law requires.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="As `gateway case list` prints it.")]
_WHAT = "a case, as `gateway case list`"


@app.command("open")
def open_command(
    authority: Annotated[str, typer.Argument(metavar="AUTHORITY", help="Its short name.")],
    reference: Annotated[str, typer.Option("--reference", help="The authority's file number.")],
    ground: Annotated[str, typer.Option("--ground", help="The law that requires it.")],
    categories: Annotated[list[str], typer.Option("--category", metavar="KEY", help="Repeatable.")],
    members: Annotated[list[str], typer.Option("--member", metavar="NUMBER", help="Repeatable.")],
    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="Within 366 days.")],
    name: Annotated[
        str | None, typer.Option("--name", help="The authority as members know it, if it is new here.")
    ] = None,
    defer_until: Annotated[
        str | None, typer.Option("--defer-until", metavar="DATE", help="Do not tell the members before.")
    ] = None,
    ordered_by: Annotated[str | None, typer.Option("--ordered-by", help="Who orders that.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="The order's file number.")] = None,
) -> None:
    """Propose a case. Nothing is disclosed before another officer approves it."""
    deferral = _order(ordered_by, order, defer_until, "--defer-until")
    expires_at = parse_moment(expires, "--expires")
    assert expires_at is not None  # noqa: S101 - the option is mandatory
    given = CaseInput(
        authority=authority,
        authority_name=name,
        reference=reference,
        ground=ground,
        categories=categories,
        members=members,
        expires_at=expires_at,
        order=deferral,
    )

    async def work(office: Office) -> str:
        return str(await open_case(office.desk, given))

    typer.echo(in_office(work))
    typer.echo("proposed; another officer approves it with `gateway case approve`", err=True)


@app.command("approve")
def approve_command(case: Id) -> None:
    """Approve a case, and deferrals of it, that another officer proposed."""
    case_id = parse_id(case, what=_WHAT)

    async def work(office: Office) -> str:
        return describe(await approve_case(office.desk, case_id), office)

    typer.echo(in_office(work))


@app.command("defer")
def defer_command(
    case: Id,
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Within 366 days.")],
    ordered_by: Annotated[str, typer.Option("--ordered-by", help="Who orders it.")],
    order: Annotated[str, typer.Option("--order", help="The order's file number.")],
) -> None:
    """Record an order not to tell the members yet; it counts once another officer approves it."""
    case_id = parse_id(case, what=_WHAT)
    recorded = _order(ordered_by, order, until, "--until")
    assert recorded is not None  # noqa: S101 - all of it is mandatory

    async def work(office: Office) -> None:
        await defer_case(office.desk, case_id, recorded)

    in_office(work)
    typer.echo(f"case {case_id}: recorded; another officer approves it with `gateway case approve`")


@app.command("close")
def close_command(case: Id) -> None:
    """End a case at once."""
    case_id = parse_id(case, what=_WHAT)

    async def work(office: Office) -> int:
        return (await close_case(office.desk, case_id)).withdrawn

    typer.echo(f"case {case_id}: closed; {counted(in_office(work), 'member')} withdrawn")


@app.command("list")
def list_command() -> None:
    """List cases, one a line."""

    async def work(office: Office) -> Sequence[tuple[str, ...]]:
        return [
            (
                str(found.id),
                found.authority,
                found.status(office.now),
                found.reference,
                counted(len(found.members), "member"),
                f"until {found.expires_at:%Y-%m-%d}",
            )
            for found in await list_cases(office.desk)
        ]

    print_list(in_office(work), "there is no case: `gateway case open` proposes one")


@app.command("show")
def show_command(case: Id) -> None:
    """Show one case."""
    case_id = parse_id(case, what=_WHAT)

    async def work(office: Office) -> str:
        return describe(await show_case(office.desk, case_id), office)

    typer.echo(in_office(work))


@app.command("disclose")
def disclose_command(
    case: Id,
    reason: Annotated[str, typer.Option("--reason", help="Why it is handed over now.")],
    out: Annotated[Path, typer.Option("--out", help="The file; must not exist yet.")],
) -> None:
    """Write the members whom an open case names to a file, as its contract shows them; recorded first."""
    case_id = parse_id(case, what=_WHAT)
    if out.exists():
        raise InputError("`--out`: it is there already")

    found, members = asyncio.run(_disclosed(case_id, reason))
    written = {"case": str(found.id), "authority": found.authority, "reference": found.reference}
    text = orjson.dumps(
        written | {"members": members}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )
    try:
        out.touch(mode=0o600, exist_ok=False)
        out.write_bytes(text)
    except OSError as error:
        raise InputError("`--out`: it cannot be written, or is there already") from error
    typer.echo(f"case {case_id}: {counted(len(members), 'member')} written")


async def _disclosed(case_id: UUID, reason: str) -> tuple[CaseView, Sequence[object]]:
    """First the officer's line is committed, then the record of the disclosure; then the members are here."""
    settings = load_settings()
    keys = load_keyring(settings)
    async with open_database(settings, keys) as database:
        async with database.transaction() as connection:
            policy = await policy_of(connection, settings, datetime.now(UTC))
            office = LongOffice(settings, database.transaction, policy)
            found = await begin_disclosure(office.desk(connection), case_id, reason)
        officer = office.long_desk.officer.name
        return found, await disclosed_members(settings, keys, database, office.matrix, found, officer)


def describe(view: CaseView, office: Office) -> str:
    """A case in a few lines, for people."""
    approval = (
        "by nobody yet"
        if view.approved_at is None
        else f"by {view.approved_by} on {view.approved_at:%Y-%m-%d}"
    )
    lines = [
        f"case {view.id}: {view.status(office.now)}",
        f"  authority   {view.authority_name} ({view.authority})",
        f"  reference   {view.reference}",
        f"  ground      {view.ground}",
        f"  categories  {', '.join(sorted(view.terms.categories))}",
        f"  members     {', '.join(view.members) or 'none is stored any more'}",
        f"  opened      by {view.opened_by} on {view.opened_at:%Y-%m-%d}",
        f"  approved    {approval}",
        f"  expires     {view.expires_at:%Y-%m-%d %H:%M} UTC",
        f"  agreement   {view.terms.id}",
    ]
    for one in view.deferrals:
        state = "waits for approval" if one.approved_by is None else f"approved by {one.approved_by}"
        lines.append(
            f"  deferred    until {one.until:%Y-%m-%d}, by {one.ordered_by}, {one.reference}: {state}"
        )
    if view.closed_at is not None:
        lines.append(f"  closed      by {view.closed_by} on {view.closed_at:%Y-%m-%d}")
    return "\n".join(lines)


def _order(ordered_by: str | None, reference: str | None, until: str | None, name: str) -> Order | None:
    """An order is stated whole or not at all."""
    moment = parse_moment(until, name)
    if moment is None and ordered_by is None and reference is None:
        return None
    if moment is None or ordered_by is None or reference is None:
        raise InputError("a deferral needs its end, who orders it, and the order's number")
    return Order(ordered_by, reference, moment)
