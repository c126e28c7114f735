"""`gateway suppressions key|add|remove|links`: who must not be mailed, and partners' keys to ask about it.

Addresses are read from files or standard input and never from arguments, which every user of the machine
sees.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, TextIO, TypeVar

import typer

from gateway.cli.office import Office, in_office, parse_moment
from gateway.web.addresses import addresses_of
from resolvers.commands.refusing import AddressRequest, read_address, read_request
from resolvers.officers.suppressions import current_key, make_key, note_links, note_requests
from resolvers.tokens import SealedTokens
from schema.errors import InputError
from schema.vocabulary import Direction

suppressions = typer.Typer(help="Addresses that must not be mailed.", no_args_is_help=True)

MAX_LINE: Final = 1_000
"""Characters: an address and a date have fewer."""

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="UTF-8, an address a line, then optionally a comma and the date of the request; `-`: standard"
        " input.",
        allow_dash=True,
        dir_okay=False,
    ),
]

T = TypeVar("T")


@suppressions.command("key")
def key_command(
    partner: Annotated[str, typer.Argument(metavar="PARTNER")],
    rotate: Annotated[bool, typer.Option("--rotate", help="Make another key.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Print the key that it has.")] = False,
    overlap: Annotated[
        int, typer.Option("--overlap-days", min=0, max=365, help="How long the one before counts yet.")
    ] = 30,
) -> None:
    """Print the key under which a partner makes digests of addresses, in hexadecimal."""
    if rotate and again:
        raise InputError("`--rotate` and `--again` exclude each other: pass one")

    async def work(office: Office) -> str:
        key_of = office.keys.suppression_key
        if again:
            key = await current_key(office.desk, partner)
        else:
            ends = timedelta(days=overlap)
            key = await make_key(office.desk, partner, rotate=rotate, overlap=ends, key_of=key_of)
        return key_of(key.partner_id, key.generation).hex()

    typer.echo(in_office(work))
    typer.echo("hand it to the partner by a way that nobody else reads; it stands in no table", err=True)


@suppressions.command("add")
def add_command(file: File) -> None:
    """Note that no promotional mail is wanted at these addresses, whether members have them or not."""
    _note(file, Direction.OUT)


@suppressions.command("remove")
def remove_command(file: File) -> None:
    """Note that those who have these addresses allow mail again, at the date of their request (C11)."""
    _note(file, Direction.IN)


@suppressions.command("links")
def links_command(file: File) -> None:
    """Print for each address the link that refuses mail there: for mails to people who are no members."""

    async def work(office: Office) -> list[str]:
        links = addresses_of(office.settings, SealedTokens(office.keys.token_key))
        made = [links.refuse(address) for address in _each(file, _address, office)]
        await note_links(office.desk, len(made))
        return made

    for link in in_office(work):
        typer.echo(link)


def _note(file: Path, direction: Direction) -> None:
    async def work(office: Office) -> tuple[int, int]:
        requests = list(_each(file, _request, office))
        changed = await note_requests(office.desk, requests, direction, office.keys.suppression_key)
        return len(requests), changed

    read, changed = in_office(work)
    typer.echo(f"{read:,} requests, which change {changed:,} addresses")


def _request(line: str, now: datetime) -> AddressRequest:
    typed, _, stated = line.partition(",")
    return read_request(typed, parse_moment(stated.strip() or None, "date"), now)


def _address(line: str, _: datetime) -> str:
    address = read_address(line)
    if address is None:
        raise InputError("this is no e-mail address: correct it, or leave it out")
    return address


def _each(file: Path, read: Callable[[str, datetime], T], office: Office) -> Iterator[T]:
    """What stands in each line that is not blank.

    Raises:
        InputError: one cannot be read; says which line and what to do, and nothing of the line.
    """
    with _opened(file) as lines:
        number = 0
        try:
            for line in lines:
                number += 1
                if line.strip():
                    yield read(_short(line.strip()), office.now)
        except UnicodeDecodeError as error:
            raise InputError("`FILE` is not UTF-8: save it so") from error
        except InputError as error:
            raise InputError(f"line {number}: {error}; nothing was changed") from None


def _short(line: str) -> str:
    if len(line) > MAX_LINE:
        raise InputError("this is longer than an address and a date: write one a line")
    return line


def _opened(file: Path) -> TextIO:
    if str(file) == "-":
        return sys.stdin
    try:
        return file.open(encoding="utf-8-sig")
    except OSError as error:
        raise InputError("`FILE` cannot be read: check its name") from error
