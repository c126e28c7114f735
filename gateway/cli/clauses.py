"""`gateway policy clauses`: what keeps each clause of the privacy policy, and whether one is kept by nothing.

Rules are those of the policy in use; code and tests are read in a checkout, where none of them is run.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.clause_marks import marks_of_code, marks_of_rules, marks_of_tests
from gateway.clause_report import as_markdown, as_text
from gateway.cli.words import listed, one_of
from gateway.policy_source import load_policy_of
from gateway.settings import load_settings
from policies.clauses import CLAUSES, faults, upheld
from policies.engine import load
from schema.errors import InputError


class Form(StrEnum):
    """How it is written."""

    TEXT = "text"
    MARKDOWN = "markdown"


def clauses_command(
    clause: Annotated[
        str | None, typer.Option("--clause", help="Only this one, with every test by name.", metavar="ID")
    ] = None,
    form: Annotated[
        Form,
        typer.Option("--format", parser=one_of(Form), metavar=listed(Form, "|"), help="How to write it."),
    ] = Form.TEXT,
    tree: Annotated[
        Path | None,
        typer.Option(
            "--tree", help="A checkout; default: where this program lies.", file_okay=False, exists=True
        ),
    ] = None,
) -> None:
    """List the rules, code and tests that enforce each clause. Exit code 1: one is enforced by nothing."""
    clause = None if clause is None else clause.strip().upper()
    if clause is not None and clause not in CLAUSES:
        raise InputError(f"`--clause` takes one of {', '.join(CLAUSES)}")
    policy = load(load_policy_of(load_settings()))
    marks = [*marks_of_rules(policy.rules), *marks_of_code(tree), *marks_of_tests(tree)]
    found = upheld(marks)
    wrong = faults(found, marks)
    shown = [entry for entry in found if clause in {None, entry.clause.id}]
    typer.echo(
        as_markdown(shown) if form is Form.MARKDOWN else as_text(shown, whole=clause is not None), nl=False
    )
    for line in wrong:
        typer.echo(f"error: {line}", err=True)
    if wrong:
        raise typer.Exit(code=1)
