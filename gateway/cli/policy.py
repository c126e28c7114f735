"""`gateway policy check|matrix`: what an officer asks of a policy before it is published.

Nothing here opens a database or a socket.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gateway.policy_source import load_policy, load_policy_of
from gateway.settings import load_settings
from policies.check import Severity, check
from policies.matrix import compile_matrix
from policies.render import TableFormat, render
from policies.rules import PolicySource
from policies.table import sharing_table
from schema.errors import PolicyError

policy = typer.Typer(name="policy", help="Check, read and explain the sharing policy.", no_args_is_help=True)

RulesFile = Annotated[
    Path | None, typer.Option("--rules", help="Cedar rules; without it those in use.", dir_okay=False)
]
SchemaFile = Annotated[
    Path | None, typer.Option("--schema", help="Cedar schema; without it the one in use.", dir_okay=False)
]


@policy.command("check")
def check_command(rules: RulesFile = None, schema: SchemaFile = None) -> None:
    """Say what is wrong with a policy. Exit code 1: it may not be used."""
    findings = check(_load(rules, schema))
    for finding in findings:
        typer.echo(f"{finding.severity.lower()}: {finding.message}")
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(code=1)
    typer.echo("the policy may be used")


@policy.command("matrix")
def matrix_command(
    rules: RulesFile = None,
    schema: SchemaFile = None,
    form: Annotated[TableFormat, typer.Option("--format", help="How to write it.")] = TableFormat.TEXT,
) -> None:
    """Show what a policy shares, on which basis and for which purpose."""
    try:
        compiled = compile_matrix(_load(rules, schema))
    except PolicyError as error:
        _refuse(error)
    typer.echo(render(sharing_table(compiled), form), nl=False)


def _load(rules: Path | None, schema: Path | None) -> PolicySource:
    try:
        if rules is None and schema is None:
            return load_policy_of(load_settings())
        return load_policy(rules, schema)
    except PolicyError as error:
        _refuse(error)


def _refuse(error: PolicyError) -> NoReturn:
    for line in str(error).splitlines():
        typer.echo(f"error: {line}", err=True)
    raise typer.Exit(code=1) from error
