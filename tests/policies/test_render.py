from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from policies.matrix import Matrix
from policies.render import TableFormat, render
from policies.rules import Rule
from policies.table import Column, Mark, Row, Table, TableCell, sharing_table
from policies.words import ENGLISH
from schema.categories import Basis, DataCategory, Purpose

HOSTILE = Table(
    columns=(Column(Basis.LEGAL, Purpose.LEGAL_OBLIGATION),),
    rows=(Row(DataCategory.NAME, (TableCell(Mark.ALWAYS, (("<EU|>", Mark.NEVER),), (1,)),)),),
    notes=(Rule(1, "permit", "r", "C8", "one | two\n<three> & <script>"),),
)


def parsed(html: str) -> ET.Element:
    return ET.fromstring(f"<div>{html.replace('<br>', '<br/>')}</div>")  # noqa: S314 - our own output


def test_text_is_aligned(matrix: Matrix) -> None:
    lines = render(sharing_table(matrix), TableFormat.TEXT).splitlines()
    ruler = next(line for line in lines if line.startswith("---"))
    starts = [index for index, sign in enumerate(ruler) if sign == "-" and ruler[index - 1 : index] != "-"]
    for line in lines[2 : lines.index("", 2)]:
        assert all(line[start - 1 : start] in {"", " "} for start in starts)


def test_markdown_has_as_many_cells_in_each_line_and_escapes_pipes() -> None:
    text = render(HOSTILE, TableFormat.MARKDOWN)
    assert "| name | always (<EU\\|>: never) [1] |" in text
    assert "1. r (C8): one | two <three> & <script>" in text


def test_html_is_well_formed_with_a_caption_and_scoped_headers(matrix: Matrix) -> None:
    table = sharing_table(matrix)
    tree = parsed(render(table, TableFormat.HTML))
    assert tree.findtext("div/table/caption") == ENGLISH.matrix_caption
    scopes = [header.get("scope") for header in tree.iter("th")]
    assert scopes.count("col") == len(table.columns) + 1
    assert scopes.count("row") == len(table.rows)
    assert len(tree.findall("ol/li")) == len(table.notes)


def test_html_escapes_what_a_policy_says() -> None:
    html = render(HOSTILE, TableFormat.HTML)
    assert "<script>" not in html
    note = parsed(html).find("ol/li")
    assert note is not None
    assert "".join(note.itertext()) == "r (C8): one | two<three> & <script>"


@pytest.mark.parametrize("form", list(TableFormat))
def test_every_form_ends_with_one_line_break(matrix: Matrix, form: TableFormat) -> None:
    written = render(sharing_table(matrix), form)
    assert written.endswith("\n")
    assert not written.endswith("\n\n")
