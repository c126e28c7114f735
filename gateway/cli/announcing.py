"""The mail about notices, as a command follows it: every member is put into the outbox before it ends."""

from __future__ import annotations

import typer

from gateway.cli.counting import counted
from gateway.cli.office import LongOffice
from gateway.cli.progress import ProgressBar
from resolvers.announcing import mail_notices


async def announce_by_mail(office: LongOffice) -> None:
    """Go on with every mailing that has yet to reach members; if it is stopped, the gateway does."""
    with ProgressBar("announcing", 1) as bar:
        queued = await mail_notices(
            office.transactions, office.clock, lambda queued: bar.show(1, counted(queued, "mail"))
        )
    if queued:
        typer.echo(f"{counted(queued, 'mail')} {'is' if queued == 1 else 'are'} in the outbox", err=True)
