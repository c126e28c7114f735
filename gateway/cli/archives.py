"""`gateway requests fulfil` and `gateway contact-number`: what officers use their private key for.

No passphrase and no key is ever an argument: other users of the machine can read those.
"""

from __future__ import annotations

import asyncio
import secrets
import stat
import string
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.archive.encryption import Lock, ToKeys, ToPassphrase
from gateway.archive.fulfilling import Order, fulfil
from gateway.cli.office import LongOffice, parse_id, policy_of
from gateway.cli.progress import ProgressBar
from gateway.cli.requests import REQUEST, Id
from gateway.database import Database, open_database
from gateway.keys import load_keyring
from gateway.officer_opening import NumberOpener, OpenedNumber, open_numbers, read_officer_keys
from gateway.settings import Settings, load_settings
from policies.age_recipients import read_recipient
from policies.passwords import password_problems
from resolvers.officers.access import begin_contact
from schema.errors import InputError

OfficerKey = Annotated[
    list[Path] | None,
    typer.Option(
        "--officer-key",
        metavar="FILE",
        help="The key that opens telephone numbers. May be given more than once.",
    ),
]

_LETTERS: Final = "".join(sorted(set(string.ascii_lowercase) - set("ilo")))
"""Those that nobody takes for another one when they are read out."""

_OF_A_KEY: Final = (
    "-----begin ",
    "# created: ",
    "# public key: ",
    "age-secret-key-",
    "age1",
    "ssh-",
    "ecdsa-",
)
"""How the first line of a file begins that holds a key: PEM, age and SSH. It is no secret."""

_GROUPS: Final = 4
_GROUP: Final = 6
"""24 of 23 letters: 108 bits."""


def fulfil_command(
    request: Id,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Such as archive.zip.age; must not exist.")
    ],
    passphrase_file: Annotated[
        Path | None,
        typer.Option("--passphrase-file", metavar="FILE", help="Its first line; `-` reads standard input."),
    ] = None,
    new_passphrase: Annotated[
        bool, typer.Option("--new-passphrase", help="Make one, and print it this once.")
    ] = False,
    recipient: Annotated[
        list[str] | None,
        typer.Option("--recipient", metavar="KEY", help="A public key: age1..., or of SSH. May be repeated."),
    ] = None,
    recipient_file: Annotated[
        Path | None, typer.Option("--recipient-file", metavar="FILE", help="Public keys, one a line.")
    ] = None,
    officer_key: OfficerKey = None,
) -> None:
    """Make the archive of everything stored about the member, and close the request.

    Without a passphrase or a key, it is encrypted to the key that the member gave with the request.
    """
    settings = load_settings()
    wanted = parse_id(request, what=REQUEST)
    opener = _opener(officer_key, settings)
    made = _passphrase() if new_passphrase else None
    lock = _lock(passphrase_file, made, recipient or (), recipient_file)

    def whole() -> None:
        if made is not None:
            typer.echo(f"passphrase: {made}")

    async def work() -> None:
        async with open_database(settings, load_keyring(settings)) as database:
            office = await _office(settings, database)
            with ProgressBar("archive", 1) as bar:
                await fulfil(office, database, Order(wanted, out, lock, opener), bar.show, whole)

    asyncio.run(work())
    typer.echo(f"request {wanted}: DONE")
    numbers = "with" if opener is not None else "without"
    typer.echo(f"archive: {out}, made {numbers} the key that opens telephone numbers", err=True)


def contact_number_command(
    member: Annotated[str, typer.Option("--member", metavar="NUMBER", help="The member's number.")],
    reason: Annotated[
        str, typer.Option("--reason", help="Why: it is written down, and the member reads it.")
    ],
    officer_key: OfficerKey = None,
    to_file: Annotated[
        bool, typer.Option("--print", help="Print it even if standard output is no terminal.")
    ] = False,
) -> None:
    """Show a member's telephone numbers, to call about the account and for nothing else (C10)."""
    settings = load_settings()
    opener = _opener(officer_key, settings)
    if opener is None:
        raise InputError("`--officer-key` is missing: numbers are sealed, and only that key opens them")
    if not (to_file or sys.stdout.isatty()):
        raise InputError(
            "standard output is no terminal, and numbers are not kept: say `--print` if you mean it"
        )

    async def work() -> Sequence[OpenedNumber]:
        async with open_database(settings, load_keyring(settings)) as database:
            office = await _office(settings, database)
            async with office.transactions() as connection:
                member_id = await begin_contact(office.desk(connection), member, reason)
            return await open_numbers(database, opener, member_id)

    found = asyncio.run(work())
    for each in found:
        typer.echo(f"{each.label}\t{each.number}")
    if not found:
        typer.echo("no number is on file", err=True)


async def _office(settings: Settings, database: Database) -> LongOffice:
    async with database.transaction() as connection:
        policy = await policy_of(connection, settings, datetime.now(UTC))
    return LongOffice(settings, database.transaction, policy)


def _opener(paths: Sequence[Path] | None, settings: Settings) -> NumberOpener | None:
    return read_officer_keys(paths, settings) if paths else None


def _lock(
    passphrase_file: Path | None, made: str | None, recipients: Sequence[str], recipient_file: Path | None
) -> Lock | None:
    """To whom the archive is encrypted; None: nothing was said.

    Raises:
        InputError: two things were said, or one is not usable. It quotes neither.
    """
    keys = [*recipients, *(() if recipient_file is None else _lines(recipient_file))]
    if sum((passphrase_file is not None, made is not None, bool(recipients), recipient_file is not None)) > 1:
        raise InputError(
            "say one of `--passphrase-file`, `--new-passphrase`, `--recipient`, `--recipient-file`"
        )
    if made is not None:
        return ToPassphrase(made)
    if passphrase_file is not None:
        return ToPassphrase(_read_passphrase(passphrase_file))
    if recipients or recipient_file is not None:
        read = [read_recipient(key) for key in keys]
        if not read or None in read:
            raise InputError("`--recipient`: a public key, `age1...` or of SSH; never a secret one")
        return ToKeys([key for key in read if key is not None])
    return None


def _lines(path: Path) -> list[str]:
    """The keys in a file, which has one a line and comments behind `#`, as `age-keygen -y` makes it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError("`--recipient-file` cannot be read") from None
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _read_passphrase(path: Path) -> str:
    try:
        if str(path) == "-":
            text = sys.stdin.readline()
        elif stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise InputError(
                "`--passphrase-file` is readable by other users: chmod 600 it, and take another one"
            )
        else:
            text = path.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        raise InputError("`--passphrase-file` cannot be read") from None
    passphrase = text.rstrip("\r\n")
    if passphrase.lower().startswith(_OF_A_KEY):
        raise InputError(
            "`--passphrase-file` is the file of a key, and how one begins is known to everybody: a public key"
            " of hers goes into `--recipient-file`"
        )
    problem = password_problems(passphrase, ())
    if problem is not None:
        raise InputError(f"`--passphrase-file`: {problem[1].replace('password', 'passphrase')}")
    return passphrase


def _passphrase() -> str:
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)
