"""`gateway requests ...`: what members and visitors asked, worked off by an officer (C12, C13, C15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from gateway.cli.listing import print_list
from gateway.cli.office import Office, in_office, parse_id
from gateway.cli.words import listed, one_of
from resolvers.commands.request_desk import RequestView
from resolvers.officers.requests import answer_request, list_requests, show_request, take_request
from schema.tables.requests import RequestKind, RequestStatus

app = typer.Typer(help="What members and visitors asked of the company.", no_args_is_help=True)

REQUEST: Final = "a request, as `gateway requests list`"

Id = Annotated[str, typer.Argument(metavar="ID", help="As `gateway requests list` prints it.")]


@app.command("list")
def list_command(
    kind: Annotated[
        RequestKind | None,
        typer.Option("--kind", parser=one_of(RequestKind), metavar=listed(RequestKind, "|")),
    ] = None,
    status: Annotated[
        RequestStatus | None,
        typer.Option(
            "--status",
            parser=one_of(RequestStatus),
            metavar=listed(RequestStatus, "|"),
            help="Default: under way.",
        ),
    ] = None,
) -> None:
    """List requests, one a line, what is due first before the others."""

    async def work(office: Office) -> Sequence[RequestView]:
        return await list_requests(office.desk, kind=kind, status=status)

    lines = (
        (str(one.id), one.kind, one.status, f"due {one.due_at:%Y-%m-%d}", _who(one), one.subject)
        for one in in_office(work)
    )
    print_list(
        lines, "no request is under way" if kind is None and status is None else "there is no such request"
    )


@app.command("show")
def show_command(request: Id) -> None:
    """Show one request, with what was written."""
    wanted = parse_id(request, what=REQUEST)

    async def work(office: Office) -> RequestView:
        return await show_request(office.desk, wanted)

    typer.echo(describe(in_office(work)))


@app.command("take")
def take_command(request: Id) -> None:
    """Note that it is worked on; it cannot be taken back any more."""
    wanted = parse_id(request, what=REQUEST)

    async def work(office: Office) -> RequestView:
        return await take_request(office.desk, wanted)

    typer.echo(f"request {wanted}: {in_office(work).status}")


@app.command("answer")
def answer_command(
    request: Id,
    outcome: Annotated[str, typer.Option("--outcome", help="What came of it: the asker reads this.")],
    declined: Annotated[bool, typer.Option("--declined", help="It is not done; say why.")] = False,
) -> None:
    """Close a request with its outcome, and mail that there is one."""
    wanted = parse_id(request, what=REQUEST)

    async def work(office: Office) -> RequestView:
        return await answer_request(office.desk, wanted, outcome, declined=declined)

    typer.echo(f"request {wanted}: {in_office(work).status}")


def describe(view: RequestView) -> str:
    """A request in a few lines, for people."""
    lines = [
        f"request {view.id}: {view.kind}, {view.status}",
        f"  by        {_who(view)}",
        f"  opened    {view.opened_at:%Y-%m-%d %H:%M} UTC, due {view.due_at:%Y-%m-%d}",
        f"  subject   {view.subject}",
    ]
    if view.reply_to is not None:
        lines.append(f"  answer to {view.reply_to}")
    if view.target_id is not None:
        lines.append(f"  record    {view.target_kind} {view.target_id}")
    if view.closed_at is not None:
        lines.append(f"  closed    {view.closed_at:%Y-%m-%d %H:%M} UTC")
    for name, text in (("text", view.body), ("outcome", view.outcome)):
        if text:
            lines += [f"  {name}", *(f"    {line}" for line in text.split("\n"))]
    return "\n".join(lines)


def _who(view: RequestView) -> str:
    return "a visitor" if view.member_number is None else f"member {view.member_number}"
