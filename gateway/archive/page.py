"""`index.html`: the archive for people. No scripts, nothing loaded; long lists go on in further files.

Every text of a record is escaped by `_text`; what stands around it is ours. Names of rows, by which programs
tell records apart, are left to `data.json`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from hashlib import sha256
from html import escape
from typing import IO, Any, Final

from sqlalchemy import Date, DateTime, Uuid

from gateway.archive.contents import Contents
from gateway.archive.records import NUMBER, STANDS_FOR
from gateway.archive.words import in_words
from schema.archive import SECTIONS, Entry, Section, label_of
from schema.archive_left_out import COLUMNS_LEFT_OUT, VAULT_LEFT_OUT
from schema.categories import CATEGORY_LABELS, DataCategory

ON_PAGE: Final = 200
"""Records of a section that stand in `index.html`: more than anybody scrolls through."""

ON_FURTHER_PAGE: Final = 1_000
"""Records of each file behind it: a second's work for a browser."""

_STYLE: Final = """
:root { color-scheme: light dark; --line: color-mix(in srgb, CanvasText 22%, Canvas); }
* { box-sizing: border-box; }
body { font: 1rem/1.55 system-ui, sans-serif; margin: 0; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .75rem; text-wrap: balance; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 3rem 0 .25rem; padding-top: 1rem;
  border-top: 1px solid var(--line); }
p { margin: 0 0 .75rem; max-width: 46rem; }
.quiet { font-size: .9rem; opacity: .8; }
nav ul { columns: 16rem; padding-left: 1.1rem; margin: .5rem 0 0; }
nav li { break-inside: avoid; margin-bottom: .2rem; }
a { color: LinkText; }
.records { list-style: none; margin: 1rem 0 0; padding: 0; }
.records > li { border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem;
  margin: 0 0 .7rem; break-inside: avoid; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .7rem 1.5rem;
  margin: 0; }
dl > .wide { grid-column: 1 / -1; }
dt { font-size: .82rem; opacity: .75; }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
.scroll { overflow-x: auto; margin-top: .9rem; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; }
caption { text-align: left; font-size: .82rem; opacity: .75; padding-bottom: .25rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 600; }
tr { break-inside: avoid; }
@media print { body { font-size: 10pt; } main { max-width: none; padding: 0; }
  .scroll { overflow: visible; } h2 { break-after: avoid; } }
"""

_CSP: Final = (
    "default-src 'none'; style-src 'sha256-"
    + b64encode(sha256(_STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'"
)

IN_TABLES: Final = frozenset(
    {"shares", "disclosures", "changes_told", "ids_at_partners", "suppressions", "staff_actions"}
)
"""Sections of many short records."""

_LONG: Final = frozenset({"body", "content", "outcome", "text"})
"""Texts of several lines, which get the whole width."""


def further_pages(count: int) -> int:
    """How many files a section needs besides `index.html`."""
    return max(0, -(-(count - ON_PAGE) // ON_FURTHER_PAGE))


def further_name(section: Section, number: int) -> str:
    """The name of the file, within the archive. The first has the number 2: `index.html` is 1."""
    return f"more/{section.name}-{number}.html"


OpenFile = Callable[[str], AbstractContextManager[IO[bytes]]]
"""Begins a file of the archive, by its name; one is ended before the next is begun."""


async def write_index(out: IO[bytes], contents: Contents, counts: Mapping[str, int]) -> None:
    """Write `index.html`. `counts`: how many records each section has."""
    title = f"What {contents.company.name} stores about you"
    _put(out, _begin(title, contents), f"<h1>{_text(title)}</h1>\n")
    _put(out, *_introduction(contents), *_navigation(counts))
    for section in SECTIONS:
        count = counts[section.name]
        _put(out, f'<h2 id="{section.name}">{_text(section.title)}</h2>\n', *_said(section, count))
        if count:
            listing = _Listing(out, section)
            async for record in contents.records(section, most=ON_PAGE):
                listing.add(record)
            listing.end()
        _put(out, *_further_links(section, count))
    _put(out, *_left_out(), _END)


async def write_further(open_file: OpenFile, contents: Contents, section: Section, count: int) -> None:
    """Write the files in which a section of `count` records goes on, in one pass over them."""
    records = contents.records(section)
    for _ in range(ON_PAGE):
        await anext(records, None)
    for number in range(2, further_pages(count) + 2):
        with open_file(further_name(section, number)) as out:
            title = f"{section.title}, part {number}"
            _put(out, _begin(title, contents), f"<h1>{_text(title)}</h1>\n")
            _put(out, '<p><a href="../index.html">Back to the whole archive</a></p>\n')
            listing = _Listing(out, section)
            for _ in range(ON_FURTHER_PAGE):
                record = await anext(records, None)
                if record is None:
                    break
                listing.add(record)
            listing.end()
            _put(out, _END)


class _Listing:
    """The records of one section in one file: a table of short ones, otherwise a list of cards."""

    def __init__(self, out: IO[bytes], section: Section) -> None:
        self._out = out
        self._section = section
        self._columns = list(_readable(section.entries)) if section.name in IN_TABLES else None
        if self._columns is None:
            _put(out, '<ol class="records">\n')
        else:
            heads = "".join(f'<th scope="col">{_text(_heading(entry))}</th>' for entry in self._columns)
            _put(out, f'<div class="scroll"><table><thead><tr>{heads}</tr></thead>\n<tbody>\n')

    def add(self, record: Mapping[str, Any]) -> None:
        """Write one record."""
        if self._columns is None:
            _put(self._out, *_card(self._section, record))
        else:
            cells = "".join(f"<td>{_shown(entry, record) or '–'}</td>" for entry in self._columns)
            _put(self._out, f"<tr>{cells}</tr>\n")

    def end(self) -> None:
        """Nothing more is to come in this file."""
        _put(self._out, "</ol>\n" if self._columns is None else "</tbody></table></div>\n")


def _card(section: Section, record: Mapping[str, Any]) -> Iterator[str]:
    yield "<li><dl>\n"
    if NUMBER in record and section.name == "telephone_numbers":
        yield f"<div><dt>Number</dt><dd>{_text(record[NUMBER])}</dd></div>\n"
    for entry in _readable(section.entries):
        value = _shown(entry, record)
        if value is not None:
            wide = ' class="wide"' if entry.name in _LONG else ""
            yield f'<div{wide}><dt>{_text(_heading(entry))}</dt><dd dir="auto">{value}</dd></div>\n'
    yield "</dl>\n"
    for part in section.parts:
        rows = record[part.name]
        if rows:
            entries = list(_readable(part.entries))
            heads = "".join(f'<th scope="col">{_text(_heading(entry))}</th>' for entry in entries)
            yield '<div class="scroll"><table>'
            yield f"<caption>{_text(label_of(part.name))}</caption><thead><tr>{heads}</tr></thead><tbody>\n"
            for row in rows:
                yield "<tr>" + "".join(f"<td>{_shown(entry, row) or '–'}</td>" for entry in entries)
                yield "</tr>\n"
            yield "</tbody></table></div>\n"
    yield "</li>\n"


def _readable(entries: Iterable[Entry]) -> Iterator[Entry]:
    """What people read: no name of a row, unless it stands for something that has a name."""
    for entry in entries:
        named = isinstance(entry.column.type, Uuid) and entry.category is DataCategory.OPERATIONS
        if not named or entry.name in STANDS_FOR:
            yield entry


def _heading(entry: Entry) -> str:
    return label_of(STANDS_FOR.get(entry.name, entry.name)) if entry.name in STANDS_FOR else entry.label


def _shown(entry: Entry, record: Mapping[str, Any]) -> str | None:
    """A value as people read it, escaped; None if there is none."""
    value = record[STANDS_FOR.get(entry.name, entry.name)]
    if value is None:
        return None
    if isinstance(entry.column.type, DateTime):
        moment = datetime.fromisoformat(value)
        return f'<time datetime="{_text(value)}">{moment:%-d %B %Y, %H:%M} UTC</time>'
    if isinstance(entry.column.type, Date):
        return f'<time datetime="{_text(value)}">{date.fromisoformat(value):%-d %B %Y}</time>'
    return _text(in_words(entry.name, value))


# -- what stands around the records


def _introduction(contents: Contents) -> Iterator[str]:
    company = contents.company
    yield (
        f"<p>This archive was made on {contents.made_at:%-d %B %Y at %H:%M} UTC, because you asked for it. It"
        " holds every datum that was stored about you at that moment, and a list of what is left out, with"
        " the reasons. It is yours alone: whoever has it knows a lot about you, so keep it where you keep"
        " such things, or delete it.</p>\n"
    )
    yield (
        "<p>For programs the same stands in <code>data.json</code>, which <code>schema.json</code>"
        " describes.</p>\n"
    )
    if contents.numbers is None:
        yield (
            "<p>Telephone numbers are sealed, so that no part of our service can read one. They are only in"
            " archives that are made apart from it, by somebody who holds the key.</p>\n"
        )
    yield (
        f"<p>If something is wrong, or you have a question, write to us: {_text(company.email)}, or by the"
        " contact form of your account. You can also correct most of it yourself there.</p>\n"
    )


def _navigation(counts: Mapping[str, int]) -> Iterator[str]:
    yield '<nav aria-label="Chapters"><ul>\n'
    for section in SECTIONS:
        count = counts[section.name]
        yield f'<li><a href="#{section.name}">{_text(section.title)}</a> ({count:,})</li>\n'
    yield '<li><a href="#left_out">What is left out, and why</a></li>\n</ul></nav>\n'


def _said(section: Section, count: int) -> Iterator[str]:
    yield f"<p>{_text(section.says)}</p>\n"
    if not count:
        yield "<p>Nothing is stored.</p>\n"
        return
    entries = [*section.entries, *(entry for part in section.parts for entry in part.entries)]
    kinds = {entry.category for entry in entries} - {DataCategory.OPERATIONS}
    if kinds:
        labels = ", ".join(sorted(CATEGORY_LABELS[kind] for kind in kinds))
        yield f'<p class="quiet">Kinds of data: {_text(labels)}.</p>\n'


def _further_links(section: Section, count: int) -> Iterator[str]:
    if not further_pages(count):
        return
    yield f"<p>The rest of these {count:,} records:</p>\n<ul>\n"
    for number in range(further_pages(count)):
        first = ON_PAGE + number * ON_FURTHER_PAGE + 1
        last = min(count, first + ON_FURTHER_PAGE - 1)
        name = further_name(section, number + 2)
        yield f'<li><a href="{name}">{first:,} to {last:,}</a></li>\n'
    yield "</ul>\n"


def _left_out() -> Iterator[str]:
    yield '<h2 id="left_out">What is left out, and why</h2>\n'
    yield "<p>In the words of our tables, so that anybody can check it.</p>\n"
    yield '<div class="scroll"><table><thead><tr><th scope="col">What</th><th scope="col">Why</th></tr>'
    yield "</thead>\n<tbody>\n"
    yield "<tr><td>member_id, everywhere</td><td>the id of your profile once more</td></tr>\n"
    for (table, column), why in sorted(COLUMNS_LEFT_OUT.items()):
        yield f"<tr><td>{_text(table)}.{_text(column)}</td><td>{_text(why)}</td></tr>\n"
    for table in ("vault.credential", "vault.billing_token"):
        yield f"<tr><td>{_text(table)}</td><td>{_text(VAULT_LEFT_OUT[table])}</td></tr>\n"
    yield "</tbody></table></div>\n"


def _begin(title: str, contents: Contents) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_CSP)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{_text(title)} – {_text(contents.member_number)}</title>\n<style>{_STYLE}</style>\n"
        "</head>\n<body>\n<main>\n"
    )


_END: Final = "</main>\n</body>\n</html>\n"


def _text(words: str) -> str:
    return escape(words)


def _put(out: IO[bytes], *parts: str) -> None:
    for part in parts:
        out.write(part.encode())
