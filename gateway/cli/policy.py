"""`gateway policy check|test|matrix`: what an officer asks of a policy before it is published.

Nothing here opens a database or a socket.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.words import listed, one_of
from gateway.policy_source import load_directory
from gateway.settings import load_settings
from policies.check import Severity, check, check_languages
from policies.decision_tables import Judgement, judge, read_tables, unexercised
from policies.directory import PolicyDirectory
from policies.engine import load
from policies.matrix import compile_loaded, compile_matrix
from policies.render import TableFormat, render
from policies.table import sharing_table
from schema.errors import PolicyError

policy = typer.Typer(name="policy", help="Check, read and explain the sharing policy.", no_args_is_help=True)

Directory = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]", help="The directory of a policy; default: `GATEWAY_POLICY_DIR`, or the shipped one."
    ),
]


@policy.command("check")
def check_command(directory: Directory = None) -> None:
    """Say what is wrong with a policy. Exit code 1: it may not be used."""
    with _refusing():
        wanted = _read(directory)
        findings = [*check(wanted.source), *check_languages(wanted)]
    for finding in findings:
        typer.echo(f"{finding.severity.lower()}: {finding.message}")
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(code=1)
    typer.echo("the policy may be used")


@policy.command("test")
def run_tables(
    directory: Directory = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse as well when a rule is met by no row.")
    ] = False,
) -> None:
    """Decide every row of the policy's decision tables. Exit code 1: one fell otherwise than expected."""
    with _refusing():
        wanted = _read(directory)
        engine = load(wanted.source)
        rows = read_tables(wanted.tables)
        judgements = list(judge(engine, compile_loaded(engine, wanted.source.digest), rows))
    if not judgements:
        raise _refusal("the policy has no decision tables: write `decisions/NAME.yaml`, see docs/policy.md")
    fallen = [judgement for judgement in judgements if not judgement.holds]
    for judgement in fallen:
        typer.echo("\n".join(_told(judgement)))
    unmet = unexercised(engine, judgements)
    for name in unmet:
        typer.echo(f"{'error' if strict else 'warning'}: no row meets the rule `{name}`: write one", err=True)
    typer.echo(f"{len(judgements) - len(fallen)} of {len(judgements)} rows hold")
    if fallen or (strict and unmet):
        raise typer.Exit(code=1)


def _told(judgement: Judgement) -> Iterator[str]:
    row = judgement.row
    yield f"FAILED {row.name}"
    yield f"    expected {row.expect} ({row.reason}), and it is {judgement.verdict} ({judgement.reason})"
    yield from (f"    {line}" for line in judgement.lines)


@policy.command("matrix")
def matrix_command(
    directory: Directory = None,
    form: Annotated[
        TableFormat,
        typer.Option(
            "--format", parser=one_of(TableFormat), metavar=listed(TableFormat, "|"), help="How to write it."
        ),
    ] = TableFormat.TEXT,
) -> None:
    """Show what a policy shares, on which basis and for which purpose."""
    with _refusing():
        compiled = compile_matrix(_read(directory).source)
    typer.echo(render(sharing_table(compiled), form), nl=False)


def _read(directory: Path | None) -> PolicyDirectory:
    return load_directory(directory or load_settings().policy_dir)


@contextmanager
def _refusing() -> Iterator[None]:
    """End with code 1, and one line for each fault of the policy."""
    try:
        yield
    except PolicyError as error:
        raise _refusal(str(error)) from error


def _refusal(text: str) -> typer.Exit:
    for line in text.splitlines():
        typer.echo(f"error: {line}", err=True)
    return typer.Exit(code=1)
