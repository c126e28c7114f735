"""How a list is printed: a line each, its fields parted by tabs; a sentence where there is nothing to list.

The sentence goes to standard error: a program that reads the list reads nothing then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import typer


def print_list(lines: Iterable[Sequence[str]], none: str) -> None:
    """Print each line; `none`, which says what is not there, if there is none."""
    empty = True
    for fields in lines:
        empty = False
        typer.echo("\t".join(fields))
    if empty:
        typer.echo(none, err=True)
