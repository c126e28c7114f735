"""`gateway transfer ...`: the business passes to another company, and its members' data with it (C8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from gateway.cli.announcing import announce_by_mail
from gateway.cli.counting import counted
from gateway.cli.listing import print_list
from gateway.cli.office import Office, in_long_office, in_office, parse_id, parse_moment
from resolvers.officers.transfers import (
    approve_transfer,
    cancel_transfer,
    list_transfers,
    open_transfer,
    show_transfer,
)
from resolvers.transfers import TransferStatus, TransferView

app = typer.Typer(help="The business passes to another company.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="As `gateway transfer list` prints it.")]
_WHAT = "a transfer, as `gateway transfer list`"


@app.command("open")
def open_command(
    acquirer: Annotated[str, typer.Argument(metavar="ACQUIRER", help="Short name of the partner.")],
    closing: Annotated[str, typer.Option("--closing", metavar="DATE", help="When the business passes.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
) -> None:
    """Propose a transfer. Nobody is told, and nothing shared, before another officer approves it."""
    closing_at = parse_moment(closing, "--closing")
    assert closing_at is not None  # noqa: S101 - the option is mandatory

    async def work(office: Office) -> str:
        return str(await open_transfer(office.desk, acquirer=acquirer, closing_at=closing_at, reason=reason))

    typer.echo(in_office(work))
    typer.echo("proposed; another officer approves it with `gateway transfer approve`", err=True)


@app.command("approve")
def approve_command(transfer: Id) -> None:
    """Approve a transfer that another officer proposed, and announce it to the members, by mail as well."""
    transfer_id = parse_id(transfer, what=_WHAT)

    async def work(office: Office) -> str:
        days = office.settings.notice_days
        return describe(await approve_transfer(office.desk, transfer_id, notice_days=days), office)

    typer.echo(in_office(work))
    in_long_office(announce_by_mail)


@app.command("cancel")
def cancel_command(transfer: Id) -> None:
    """Call a transfer off before it begins."""
    transfer_id = parse_id(transfer, what=_WHAT)

    async def work(office: Office) -> str:
        return describe(await cancel_transfer(office.desk, transfer_id), office)

    typer.echo(in_office(work))


@app.command("list")
def list_command() -> None:
    """List transfers, one a line."""

    async def work(office: Office) -> Sequence[tuple[str, ...]]:
        return [
            (str(one.id), one.acquirer, one.status(office.now), f"closing {one.closing_at:%Y-%m-%d}")
            for one in await list_transfers(office.desk)
        ]

    print_list(in_office(work), "there is no transfer: `gateway transfer open` proposes one")


@app.command("show")
def show_command(transfer: Id) -> None:
    """Show one transfer."""
    transfer_id = parse_id(transfer, what=_WHAT)

    async def work(office: Office) -> str:
        return describe(await show_transfer(office.desk, transfer_id), office)

    typer.echo(in_office(work))


def describe(view: TransferView, office: Office) -> str:
    """A transfer in a few lines, for people."""
    status = view.status(office.now)
    lines = [
        f"transfer {view.id}: {status}",
        f"  acquirer    {view.acquirer_name} ({view.acquirer})",
        f"  closing     {view.closing_at:%Y-%m-%d %H:%M} UTC",
        f"  proposed    by {view.opened_by} on {view.opened_at:%Y-%m-%d}",
        f"  reason      {view.reason or '-'}",
        f"  agreement   {view.agreement_id}",
    ]
    if view.approved_at is not None:
        lines.append(f"  announced   by {view.approved_by} on {view.approved_at:%Y-%m-%d}")
    if view.mailed:
        lines.append(f"  mailed      {counted(view.mailed, 'member')} by now")
    if status in {TransferStatus.ANNOUNCED, TransferStatus.EFFECTIVE}:
        lines.append(f"  shares      from {view.effective_at:%Y-%m-%d %H:%M} UTC")
    if view.cancelled_at is not None:
        lines.append(f"  cancelled   by {view.cancelled_by} on {view.cancelled_at:%Y-%m-%d}")
    return "\n".join(lines)
