"""A page that is generated: headings, paragraphs, lists and tables, written once as Markdown and as HTML.

In come words, out go the same words. A text between backticks is code in both forms.

INVARIANT (escaped): every text that goes into HTML here is escaped, whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Final, Literal, TypeAlias, assert_never


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a part; `level` as in HTML."""

    text: str
    level: Literal[2, 3] = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences. What is `quiet` may be passed over."""

    text: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list without an order."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. The first cell of a row is its header; a cell may break lines. `notes` are numbered from 1."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    headed: bool = False
    """The heading above says the same as the caption, which then is for those who listen."""


Block: TypeAlias = Heading | Paragraph | Items | Grid


@dataclass(frozen=True, slots=True)
class Document:
    """A whole page."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading, as plain texts. Level 1 is the page's title."""

    level: int
    title: str
    paragraphs: tuple[str, ...]


def sections(document: Document) -> list[Section]:
    """The page without its tables, heading by heading, for programs that show it in their own way."""
    found = [Section(1, document.title, ())]
    for block in document.blocks:
        match block:
            case Heading(text, level):
                found.append(Section(level, text, ()))
            case Paragraph(text):
                found[-1] = replace(found[-1], paragraphs=(*found[-1].paragraphs, text))
            case Items(items):
                found[-1] = replace(found[-1], paragraphs=(*found[-1].paragraphs, *items))
            case _:
                pass
    return found


def as_markdown(blocks: Iterable[Block]) -> str:
    """Markdown (GitHub's, for the tables) that ends with a line break."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def document_markdown(document: Document) -> str:
    """The page with its title, as Markdown."""
    return f"# {document.title}\n\n{as_markdown(document.blocks)}"


def as_html(blocks: Iterable[Block]) -> str:
    """HTML for the inside of a page. A table may be wider than the page, and scrolls for itself."""
    return "\n".join(_html(block) for block in blocks)


def _markdown(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_line(text)}"
        case Paragraph(text):
            return _line(text)
        case Items(items):
            return "\n".join(f"- {_line(item)}" for item in items)
        case Grid(caption, head, rows, notes, headed):
            lines = [_piped(head), "|" + "---|" * len(head), *(_piped(row) for row in rows)]
            numbered = [f"{number}. {_line(note)}" for number, note in enumerate(notes, start=1)]
            parts = ([] if headed else [_line(caption)], lines, numbered)
            return "\n\n".join("\n".join(part) for part in parts if any(part))
        case _:
            assert_never(block)


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_inline(text)}</h{level}>"
        case Paragraph(text, quiet):
            kind = ' class="quiet"' if quiet else ""
            return f"<p{kind}>{_inline(text)}</p>"
        case Items(items):
            return "<ul>\n" + "\n".join(f"<li>{_inline(item)}</li>" for item in items) + "\n</ul>"
        case Grid():
            return _table(block)
        case _:
            assert_never(block)


def _table(grid: Grid) -> str:
    head = "".join(f'<th scope="col">{_inline(cell)}</th>' for cell in grid.head)
    body = "\n".join(
        f'<tr><th scope="row">{_inline(row[0])}</th>'
        + "".join(f"<td>{_inline(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in grid.rows
    )
    table = (
        f"<table>\n<caption{' class=unseen' if grid.headed else ''}>{_inline(grid.caption)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )
    notes = "".join(f"<li>{_inline(note)}</li>\n" for note in grid.notes)
    label = escape(grid.caption)
    region = f'<div class="wide" role="region" tabindex="0" aria-label="{label}">\n{table}\n</div>'
    return region + (f"\n<ol>\n{notes}</ol>" if notes else "")


_CODE: Final = re.compile(r"`([^`\n]+)`")


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text)).replace("\n", "<br>")


def _line(text: str) -> str:
    return " ".join(text.split())


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", "<br>")
