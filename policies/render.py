"""A policy `Table` as text, Markdown or HTML. Words come in, words go out; nothing is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from html import escape
from typing import assert_never

from policies.table import Table, TableCell


class TableFormat(StrEnum):
    """The forms in which a table can be had."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


def render(table: Table, form: TableFormat) -> str:
    """Write `table` in one of the forms, ending with a line break."""
    match form:
        case TableFormat.TEXT:
            return as_text(table)
        case TableFormat.MARKDOWN:
            return as_markdown(table)
        case TableFormat.HTML:
            return as_html(table)
        case _:
            assert_never(form)


def as_text(table: Table) -> str:
    """Write aligned columns for a terminal, and the notes below them."""
    grid = [
        ["", *(column.basis for column in table.columns)],
        ["", *(column.purpose.name for column in table.columns)],
        *([row.label, *(_marked(cell) for cell in row.cells)] for row in table.rows),
    ]
    widths = [max(len(line[index]) for line in grid) for index in range(len(grid[0]))]
    lines = [_aligned(line, widths) for line in grid]
    lines.insert(2, _aligned(["-" * width for width in widths], widths))
    notes = [f"[{number}] {text}" for number, text in enumerate(table.notes, start=1)]
    return "\n".join([table.caption, "", *lines, "", *notes, ""])


def as_markdown(table: Table) -> str:
    """Write a table of GitHub-flavoured Markdown, the notes as a numbered list."""
    head = ["data", *(f"{column.basis}<br>{column.purpose.name}" for column in table.columns)]
    body = [[row.label, *(_marked(cell) for cell in row.cells)] for row in table.rows]
    lines = [_piped(head), _piped(["---"] * len(head)), *(_piped(line) for line in body)]
    notes = [f"{number}. {_plain(text)}" for number, text in enumerate(table.notes, start=1)]
    return "\n".join([table.caption, "", *lines, "", *notes, ""])


def as_html(table: Table) -> str:
    """Write a `<table>` with caption and scoped headers, and the notes as an `<ol>`; all text escaped."""
    head = "".join(
        f'<th scope="col">{escape(column.basis)}<br>{escape(column.purpose.name)}</th>'
        for column in table.columns
    )
    body = "\n".join(
        f'<tr><th scope="row">{escape(row.label)}</th>'
        + "".join(f"<td>{escape(_marked(cell))}</td>" for cell in row.cells)
        + "</tr>"
        for row in table.rows
    )
    notes = "\n".join(f"<li>{escape(text)}</li>" for text in table.notes)
    return (
        f'<table class="policy">\n<caption>{escape(table.caption)}</caption>\n'
        f'<thead><tr><th scope="col">Data</th>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n'
        f'<ol class="policy-notes">\n{notes}\n</ol>\n'
    )


def _marked(cell: TableCell) -> str:
    """Write the words of a cell and the numbers of its notes: `until opt-out [1]`."""
    return " ".join([cell.words, *(f"[{number}]" for number in cell.notes)])


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()


def _piped(line: Sequence[str]) -> str:
    return f"| {' | '.join(_plain(word) for word in line)} |"


def _plain(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
