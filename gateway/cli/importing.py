"""`gateway import FILE`: members from CSV or JSON Lines. Nothing personal is ever printed.

Exit codes: 0 every row was stored; 3 some rows were rejected, and the rejects file says why; 1 the import
failed or was interrupted, and the same command goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.office import LongOffice, policy_of
from gateway.cli.progress import ProgressBar
from gateway.database import open_database
from gateway.importing.mapping import LoadedMapping, load_mapping
from gateway.importing.problems import MESSAGES
from gateway.importing.run import Importer, Progress, Summary, Transaction
from gateway.importing.source import Source, inspect
from gateway.keys import load_keyring
from gateway.policy_source import load_policy_of
from gateway.settings import Settings, load_settings
from policies.check import checked_matrix
from policies.matrix import Matrix
from resolvers.officers.members import note_import
from resolvers.policy_versions import Compiler
from resolvers.sealing import PhoneSealer
from schema.errors import GatewayError

SOME_REJECTED: Final = 3
"""Exit code: the import went to its end, and not every row could be stored."""


def import_command(
    file: Annotated[Path, typer.Argument(help="CSV or JSON Lines.", dir_okay=False)],
    mapping: Annotated[
        str, typer.Option("--mapping", help="default, shopify, mailchimp, or a mapping file.")
    ] = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row; store nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Repeat an import that has finished.")] = False,
) -> None:
    """Take members from another system's file: new ones are added, known ones updated by member number."""
    console = Console()
    try:
        started = time.monotonic()
        summary = asyncio.run(_run(load_settings(), file, load_mapping(mapping), dry_run, again))
    except GatewayError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(code=1) from error
    _report(console, summary, time.monotonic() - started, dry_run)
    if summary.rejected:
        raise typer.Exit(code=SOME_REJECTED)


async def _run(settings: Settings, file: Path, mapping: LoadedMapping, dry_run: bool, again: bool) -> Summary:
    size = inspect(file).size
    keys = load_keyring(settings)
    phone_key = keys.phone_public_key
    sealer = PhoneSealer(phone_key.public_key, phone_key.key_id)
    if dry_run:  # decides nothing, and opens no database
        matrix = checked_matrix(load_policy_of(settings))
        return await _import(file, size, mapping, sealer, matrix, None, again)
    async with open_database(settings, keys) as database:
        async with database.transaction() as connection:
            policy = await policy_of(connection, settings, datetime.now(UTC))
            await note_import(LongOffice(settings, database.transaction, policy).desk(connection))
        matrix = policy.matrix(Compiler())
        return await _import(file, size, mapping, sealer, matrix, database.transaction, again)


async def _import(
    file: Path,
    size: int,
    mapping: LoadedMapping,
    sealer: PhoneSealer,
    matrix: Matrix,
    transaction: Transaction | None,
    again: bool,
) -> Summary:
    console = Console(stderr=True)
    with ProgressBar("import", size, console) as bar:
        importer = Importer(
            path=file,
            mapping=mapping,
            sealer=sealer,
            matrix=matrix,
            transaction=transaction,
            again=again,
            on_source=lambda source, absent: _introduce(console, source, absent),
            on_progress=_follow(bar),
        )
        return await importer.run()


def _follow(bar: ProgressBar) -> Callable[[Progress], None]:
    started = time.monotonic()

    def show(progress: Progress) -> None:
        rate = progress.rows / max(time.monotonic() - started, 0.001)
        bar.show(
            progress.position, f"{progress.rows:,} rows, {progress.rejected:,} rejected, {rate:,.0f} rows/s"
        )

    return show


def _introduce(console: Console, source: Source, absent: tuple[str, ...]) -> None:
    """Say how the file is read: by a wrong guess nothing would fail, and names would be wrong."""
    how = f"{source.kind}, {source.encoding}"
    if source.guessed:
        how += " (a guess: the file is not UTF-8 and has no byte-order mark)"
    console.print(f"reading as {how}", highlight=False)
    if absent:
        console.print(f"the file has no column for: {', '.join(absent)}", highlight=False)


def _report(console: Console, summary: Summary, seconds: float, dry_run: bool) -> None:
    if summary.already_finished:
        console.print("this file was imported before, with the same mapping: use --again to repeat it")
    elif summary.resumed_after:
        console.print(f"went on after row {summary.resumed_after:,}", highlight=False)
    table = Table("rows of the file", "count")
    table.columns[1].justify = "right"
    for name, count in (
        ("accepted: complete registrations", summary.accepted),
        ("invited: something of C1 is missing", summary.invited),
        ("rejected: nothing stored", summary.rejected),
    ):
        table.add_row(name, f"{count:,}")
    console.print(table)
    if summary.problems:
        reasons = Table("field", "reason", "count")
        reasons.columns[2].justify = "right"
        for (field, code), count in sorted(summary.problems.items(), key=lambda item: -item[1]):
            reasons.add_row(field or "whole row", f"{code}: {MESSAGES[code]}", f"{count:,}")
        console.print(reasons)
    if summary.undated_yes:
        console.print(
            f"not taken: a yes without a date of its own, in {summary.undated_yes:,} rows; an opt-in needs"
            " the date on which the member asked",
            highlight=False,
        )
    if summary.rejects is not None:
        console.print(f"row numbers and reasons: {summary.rejects.name}, beside the file", highlight=False)
    if summary.rows:
        verb = "checked" if dry_run else "imported"
        rate = summary.rows / max(seconds, 0.001)
        console.print(f"{verb} {summary.rows:,} rows in {seconds:.1f} s: {rate:,.0f} rows/s", highlight=False)
