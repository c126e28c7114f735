from __future__ import annotations

from policies.document import (
    Document,
    Grid,
    Heading,
    Items,
    Paragraph,
    Section,
    as_html,
    document_markdown,
    sections,
)

DOCUMENT = Document(
    "A <title>",
    (
        Paragraph("First `code` & more."),
        Heading("Part"),
        Items(("one", "two\nlines")),
        Grid("Caption", ("head", "who\nelse"), (("row", "a|b"),), ("note",)),
        Heading("Below", 3),
        Grid("Below", ("x",), (("y",),), headed=True),
        Paragraph("Last.", quiet=True),
    ),
)


def test_markdown() -> None:
    assert document_markdown(DOCUMENT) == (
        "# A <title>\n\nFirst `code` & more.\n\n## Part\n\n- one\n- two lines\n\n"
        "Caption\n\n| head | who<br>else |\n|---|---|\n| row | a\\|b |\n\n1. note\n\n"
        "### Below\n\n| x |\n|---|\n| y |\n\nLast.\n"
    )


def test_html() -> None:
    html = as_html(DOCUMENT.blocks)
    assert html.startswith("<p>First <code>code</code> &amp; more.</p>\n<h2>Part</h2>\n<ul>\n<li>one</li>")
    assert '<div class="wide" role="region" tabindex="0" aria-label="Caption">\n<table>' in html
    assert '<thead><tr><th scope="col">head</th><th scope="col">who<br>else</th></tr></thead>' in html
    assert '<tr><th scope="row">row</th><td>a|b</td></tr>' in html
    assert "<ol>\n<li>note</li>\n</ol>" in html
    assert "<caption class=unseen>Below</caption>" in html
    assert html.endswith('<p class="quiet">Last.</p>')


def test_every_text_is_escaped() -> None:
    hostile = '"><script>`<b>`'
    html = as_html(
        [
            Heading(hostile),
            Paragraph(hostile),
            Items((hostile,)),
            Grid(hostile, (hostile,), ((hostile, hostile),), (hostile,)),
        ]
    )
    assert "<script>" not in html
    assert "<b>" not in html
    assert 'aria-label="&quot;&gt;' in html


def test_sections_are_what_stands_under_a_heading() -> None:
    assert sections(DOCUMENT) == [
        Section(1, "A <title>", ("First `code` & more.",)),
        Section(2, "Part", ("one", "two\nlines")),
        Section(3, "Below", ("Last.",)),
    ]
