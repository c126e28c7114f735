"""`gateway disclosures ...`: the record of what has left to partners, shown, kept and verified (R2)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from asyncpg import Record

from gateway.checkpoints import Keys, public_keys, read_keys, sign_checkpoint
from gateway.cli.listing import print_list
from gateway.cli.office import LongOffice, Office, in_office, parse_moment, policy_of
from gateway.cli.progress import ProgressBar
from gateway.cli.words import one_of
from gateway.database import Database, open_database
from gateway.disclosure_lines import checkpoint_line, end_line, record_line, writer_line
from gateway.disclosure_verify import Verification
from gateway.driver_errors import translate_driver_errors
from gateway.keys import load_keyring
from gateway.settings import Settings, load_settings
from policies.disclosure_proof import Finding
from resolvers.connection import Link
from resolvers.desk import Desk
from resolvers.disclosure_reading import (
    LARGEST_PAGE,
    Wanted,
    count_records,
    read_writers,
    stream_checkpoints,
    stream_records,
)
from resolvers.officers.disclosures import (
    make_statement,
    note_export,
    note_verification,
    search_disclosures,
)
from schema.categories import DataCategory
from schema.errors import GatewayError, InputError

app = typer.Typer(help="The record of what has left to partners.", no_args_is_help=True)

Since = Annotated[str | None, typer.Option("--from", help="A date or a moment (ISO 8601).")]
Until = Annotated[str | None, typer.Option("--until", help="Not included.")]


@app.command("list")
def list_command(
    partner: Annotated[str | None, typer.Option("--partner", help="Its short name.")] = None,
    client: Annotated[str | None, typer.Option("--client", help="A client id.")] = None,
    member: Annotated[str | None, typer.Option("--member", help="A member number.")] = None,
    category: Annotated[
        DataCategory | None,
        typer.Option("--category", parser=one_of(DataCategory), metavar="KEY", help="A data category."),
    ] = None,
    since: Since = None,
    until: Until = None,
    first: Annotated[int, typer.Option("--first", min=1, max=LARGEST_PAGE, help="How many.")] = 50,
) -> None:
    """List records, newest first, one a line: ids and categories, and of members only how many."""
    wanted = Wanted(
        partner,
        client,
        member,
        None if category is None else category.value,
        parse_moment(since, "--from"),
        parse_moment(until, "--until"),
    )

    async def work(office: Office) -> Sequence[Record]:
        return await search_disclosures(office.desk, wanted, first)

    print_list(map(_shown, in_office(work)), "no such disclosure is recorded")


def _shown(row: Record) -> tuple[str, ...]:
    return (
        row["recorded_at"].isoformat(),
        row["partner"] or "-",
        row["client_id"],
        row["token_id"],
        row["operation_name"] or "-",
        row["basis"],
        row["purpose"],
        ",".join(row["categories"]),
        f"{row['members']} members",
        f"{row['writer']}/{row['position']}",
    )


@app.command("checkpoint")
def checkpoint_command() -> None:
    """Print a signed statement of how far the log is. Keep it where the database's owner cannot write."""

    async def work(office: Office) -> str:
        return await make_statement(office.desk, partial(sign_checkpoint, office.keys))

    typer.echo(in_office(work))


@app.command("key")
def key_command() -> None:
    """Print the public keys that verify checkpoints, as a JWK set. Keep them with the checkpoints."""
    typer.echo(public_keys(load_keyring(load_settings())))


@app.command("export")
def export_command(
    file: Annotated[
        Path | None, typer.Option("--file", help="Where to; must not exist yet. Default: standard output.")
    ] = None,
) -> None:
    """Write the whole log as JSON Lines, to be kept and verified elsewhere."""
    if file is None:
        asyncio.run(_export(sys.stdout.buffer))
        return
    try:
        with file.open("xb") as out:
            asyncio.run(_export(out))
    except OSError as error:
        raise InputError("`--file`: it cannot be written, or is there already") from error


async def _export(out: BinaryIO) -> None:
    async with _one_moment(note_export) as connection:
        out.writelines(
            writer_line(writer, started_at)
            for writer, started_at in sorted((await read_writers(connection)).items())
        )
        async for number, statement in stream_checkpoints(connection):
            out.write(checkpoint_line(number, statement))
        done = 0
        with ProgressBar("exporting", await count_records(connection)) as bar:
            async for found in stream_records(connection):
                out.write(record_line(found))
                done += 1
                bar.show(done)
        out.write(end_line(done))
        out.flush()


@app.command("verify")
def verify_command(
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            "--checkpoint", help="A statement that was kept elsewhere. May be given more than once."
        ),
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Verify this export, not the database.")] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option("--key", help="Public keys, as `gateway disclosures key` prints them: of former times."),
    ] = None,
) -> None:
    """Recompute every chain and compare it with the checkpoints. Exit code 1: something was found."""
    kept = [
        (path.name, statement)
        for path in checkpoint or ()
        for statement in _read(path, "--checkpoint").split()
    ]
    run = Verification(_keys(key or (), needed=file is None), kept)
    found = asyncio.run(_verify_database(run)) if file is None else _verify_file(run, file)
    tally = run.tally
    typer.echo(
        f"{tally.records} records of {tally.writers} writers, {tally.checkpoints} checkpoints,"
        f" {tally.kept} kept elsewhere: {found or 'no'} findings"
    )
    if not tally.kept:
        typer.echo("note: no checkpoint from elsewhere was given; see docs/disclosures.md", err=True)
    if found:
        raise typer.Exit(code=1)


async def _verify_database(run: Verification) -> int:
    count = 0
    async with _one_moment(note_verification) as connection:
        with ProgressBar("verifying", await count_records(connection)) as bar:
            async for finding in run.database(connection, bar.show):
                _tell(finding)
                count += 1
    return count


def _verify_file(run: Verification, path: Path) -> int:
    count = 0
    with ProgressBar("verifying", path.stat().st_size if path.is_file() else 0) as bar:
        for finding in run.file(path, bar.show):
            _tell(finding)
            count += 1
    return count


def _tell(finding: Finding) -> None:
    typer.echo(str(finding))


def _keys(paths: Sequence[Path], *, needed: bool) -> Keys:
    """The keys of this installation, and those in the files."""
    found: dict[str, Any] = {}
    try:
        found |= load_keyring(load_settings()).verification_keys
    except GatewayError:
        if needed:
            raise
    for path in paths:
        found |= read_keys(_read(path, "--key"))
    return found


def _read(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"`{option}`: it cannot be read") from error


@asynccontextmanager
async def _one_moment(note: Callable[[Desk], Awaitable[None]]) -> AsyncIterator[Link]:
    """The database as it is at one moment, read only, for as long as it takes; what for is written down."""
    settings = load_settings()
    keys = load_keyring(settings)
    async with open_database(settings, keys) as database:
        await _noted(settings, database, note)
        with translate_driver_errors():
            async with (
                database.app.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield connection


async def _noted(settings: Settings, database: Database, note: Callable[[Desk], Awaitable[None]]) -> None:
    async with database.transaction() as connection:
        policy = await policy_of(connection, settings, datetime.now(UTC))
        await note(LongOffice(settings, database.transaction, policy).desk(connection))
