"""A policy `Table` in words: as text for a terminal, Markdown or HTML. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from policies.document import Document, Grid, Paragraph, as_html, document_markdown
from policies.matrix import Matrix
from policies.table import Column, Table, TableCell, sharing_table
from policies.words import ENGLISH, Words
from policies.words.rule_texts import rule_text


class TableFormat(StrEnum):
    """The forms in which a table can be had."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


def render(table: Table, form: TableFormat, words: Words = ENGLISH) -> str:
    """Write `table` in one of the forms, ending with a line break. Officers read it: bases by their names."""
    match form:
        case TableFormat.TEXT:
            return as_text(table, words)
        case TableFormat.MARKDOWN:
            return document_markdown(_document(table, words, [_named(column) for column in table.columns]))
        case TableFormat.HTML:
            return as_html([grid(table, words, [_named(column) for column in table.columns])]) + "\n"
        case _:
            assert_never(form)


def as_text(table: Table, words: Words) -> str:
    """Write aligned columns for a terminal, and the notes below them."""
    lines = [
        ["", *(column.basis for column in table.columns)],
        ["", *(column.purpose.name for column in table.columns)],
        *(
            [words.categories[row.category], *(_marked(cell, words) for cell in row.cells)]
            for row in table.rows
        ),
    ]
    widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
    written = [_aligned(line, widths) for line in lines]
    written.insert(2, _aligned(["-" * width for width in widths], widths))
    notes = [f"[{number}] {text}" for number, text in enumerate(_notes(table, words), start=1)]
    return "\n".join([words.matrix_caption, "", *written, "", *notes, ""])


def matrix_document(matrix: Matrix, words: Words) -> Document:
    """The page of the sharing matrix, for members: columns that say the same stand together, in words."""
    columns, table = _merged(sharing_table(matrix))
    return _document(table, words, [column.words(words) for column in columns])


def _document(table: Table, words: Words, head: Sequence[str]) -> Document:
    return Document(words.matrix_title, (Paragraph(words.matrix_intro), grid(table, words, head)))


def grid(table: Table, words: Words, head: Sequence[str]) -> Grid:
    """The table under these heads of its columns, with the rules that its cells follow as notes."""
    return Grid(
        caption=words.matrix_caption,
        head=(words.matrix_data, *head),
        rows=tuple(
            (words.categories[row.category], *(_marked(cell, words) for cell in row.cells))
            for row in table.rows
        ),
        notes=tuple(_notes(table, words)),
    )


@dataclass(frozen=True, slots=True)
class _Merged:
    """Columns of one basis in which every cell says the same."""

    columns: tuple[Column, ...]

    def words(self, words: Words) -> str:
        uses = words.enumerated([words.uses[column.purpose] for column in self.columns])
        return f"{words.basis[self.columns[0].basis]}\n({uses})"


def _merged(table: Table) -> tuple[list[_Merged], Table]:
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, column in enumerate(table.columns):
        groups.setdefault((column.basis, *(row.cells[place] for row in table.rows)), []).append(place)
    firsts = [places[0] for places in groups.values()]
    return (
        [_Merged(tuple(table.columns[place] for place in places)) for places in groups.values()],
        Table(
            columns=tuple(table.columns[place] for place in firsts),
            rows=tuple(
                type(row)(row.category, tuple(row.cells[place] for place in firsts)) for row in table.rows
            ),
            notes=table.notes,
        ),
    )


def _named(column: Column) -> str:
    return f"{column.basis}\n{column.purpose.name}"


def cell_words(cell: TableCell, words: Words) -> str:
    """The words of a cell, without its notes: `until opt-out (EU: on request)`."""
    general = words.marks[cell.mark]
    if not cell.exceptions:
        return general
    return f"{general} ({'; '.join(f'{region}: {words.marks[mark]}' for region, mark in cell.exceptions)})"


def _marked(cell: TableCell, words: Words) -> str:
    """Write the words of a cell and the numbers of its notes: `until opt-out [1]`."""
    return " ".join([cell_words(cell, words), *(f"[{number}]" for number in cell.notes)])


def _notes(table: Table, words: Words) -> Iterator[str]:
    for rule in table.notes:
        if rule is None:
            yield words.sealed_note
        else:
            yield f"{rule.name} ({rule.clause}): {rule_text(rule, words.language)}"


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
