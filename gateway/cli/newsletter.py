"""`gateway newsletter send|list`: an issue to those who asked for it (C9). A running gateway sends it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.listing import print_list
from gateway.cli.office import Office, in_office
from resolvers.commands.newsletters import MAX_BODY, NewsletterView
from resolvers.officers.suppressions import list_newsletters, send_newsletter
from schema.errors import InputError

newsletter = typer.Typer(
    name="newsletter", help="The newsletter, for members who asked for it.", no_args_is_help=True
)

_MOST_BYTES = 4 * MAX_BODY


@newsletter.command("send")
def send_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Plain text in UTF-8.", exists=True, dir_okay=False)
    ],
    subject: Annotated[str, typer.Option("--subject", help="The subject of the mails.")],
    again: Annotated[
        bool, typer.Option("--again", help="Send it although the same issue was sent before.")
    ] = False,
) -> None:
    """Put an issue into the outbox, for every member who gets it."""
    body = _read(file)

    async def work(office: Office) -> int:
        return await send_newsletter(office.desk, subject, body, again=again)

    typer.echo("looking for the members who asked for it", err=True)
    typer.echo(f"in the outbox: {in_office(work):,} mails")
    typer.echo("next: a running gateway sends them; `gateway newsletter list` shows how many wait", err=True)


@newsletter.command("list")
def list_command() -> None:
    """List the issues, the latest first, with the mails that are still waiting."""

    async def work(office: Office) -> Sequence[NewsletterView]:
        return await list_newsletters(office.desk)

    lines = (
        (f"{issue.created_at:%Y-%m-%d %H:%M}", issue.subject, f"{issue.waiting:,} waiting")
        for issue in in_office(work)
    )
    print_list(lines, "no issue was sent yet: `gateway newsletter send` sends one")


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("`FILE` cannot be read as text in UTF-8: save it so") from error
