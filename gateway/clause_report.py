"""What each clause rests on, written down: for a terminal, or as docs/clauses.md.

In come the entries of `policies.clauses`, out comes text. Nothing is decided here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from gateway.clause_marks import WORD
from policies.clauses import Kind, Mark, Upheld

_WIDTH: Final = 110
_LABEL: Final = 8
"""Columns of a terminal that the name of a kind takes."""

_INTRODUCTION: Final = f"""\
# Clauses

Written by `gateway policy clauses --format markdown`. Do not edit it: a test holds that it is current, and
`make docs` writes it anew.

What members were promised, clause by clause, and what keeps each promise. *Rules* are those of the
shipped [policy](policy.md) that cite the clause. *Code* is what says in its docstring that it enforces
it. *Tests* are the files with tests that fail when it does not hold: `gateway policy clauses --clause C11`
names each.

## How to mark

| what | by |
|---|---|
| a rule | `@clause("C8")` above it |
| code | `{WORD} (C8, C17): what is enforced here.` in a docstring, at the beginning of a line |
| a test | `@pytest.mark.clause("C8", "C17")` on the test or its class, or as `pytestmark` |
| a table of cases | `clauses: [C8, C17]` in the file or in a row |

The docstring is that of the module, class, function or constant which enforces the clause. A mention such as
(C8) in prose is no mark.

A mark is a promise: whoever takes the code away takes the mark with it, and `gateway policy clauses` exits
with 1 when a clause is left without what it needs. Each clause needs code and a test, and one that is about
sharing needs a rule as well. A mark that names no clause is an error. A test that is skipped where something
is not installed holds nothing.
"""


def as_text(entries: Sequence[Upheld], *, whole: bool) -> str:
    """For a terminal. `whole` names each test, and otherwise the files that they are in."""
    return "\n".join(line for entry in entries for line in _entry(entry, whole=whole))


def as_markdown(entries: Sequence[Upheld]) -> str:
    """The page of the documentation, which names neither lines nor counts: they change every day."""
    parts = [_INTRODUCTION]
    for entry in entries:
        parts.append(f"## {entry.clause.id}: {_lowered(entry.clause.title)}\n")
        parts.append(f"The promise: {entry.clause.promise}\n\nThe program: {entry.clause.kept}\n")
        for kind, lines in _listed(entry).items():
            if lines:
                parts += [f"{_plural(kind).capitalize()}:\n", *lines, ""]
    return "\n".join(parts)


def _listed(entry: Upheld) -> dict[Kind, list[str]]:
    tests = dict.fromkeys(f"`{mark.path}`" for mark in entry.of(Kind.TEST))
    return {
        Kind.RULE: [f"- `{mark.name}`: {mark.words}" for mark in entry.of(Kind.RULE)],
        Kind.CODE: [f"- `{mark.path}`{_named(mark)}: {mark.words}" for mark in entry.of(Kind.CODE)],
        Kind.TEST: [", ".join(tests)] if tests else [],
    }


def _named(mark: Mark) -> str:
    return f" `{mark.name}`" if mark.name else ""


def _plural(kind: Kind) -> str:
    return kind.value if kind is Kind.CODE else f"{kind.value}s"


def _lowered(title: str) -> str:
    return f"{title[:1].lower()}{title[1:]}"


def _entry(entry: Upheld, *, whole: bool) -> Iterator[str]:
    clause = entry.clause
    yield f"{clause.id}  {_lowered(clause.title)}"
    for said, words in (("promised", clause.promise), ("kept", clause.kept)):
        yield from _under(said, words)
    for kind in Kind:
        marks = entry.of(kind)
        if not marks and kind not in clause.needs:
            continue
        lines = _tests(marks, whole=whole) if kind is Kind.TEST else [_said(mark) for mark in marks]
        for place, line in enumerate(lines or ["NONE"]):
            yield from _under(_plural(kind) if place == 0 else "", line)
    yield ""


def _said(mark: Mark) -> str:
    if mark.kind is Kind.RULE:
        return f"{mark.name}: {mark.words}"
    return f"{mark.path}:{mark.line} {mark.name}".rstrip() + f": {mark.words}"


def _tests(marks: Sequence[Mark], *, whole: bool) -> list[str]:
    if whole:
        return [f"{mark.path}:{mark.line} {mark.name}".rstrip() for mark in marks]
    counts = Counter(mark.path for mark in marks)
    return [f"{path} ({count})" for path, count in counts.items()]


def _under(label: str, words: str) -> Iterator[str]:
    indent = " " * (4 + _LABEL + 2)
    first = f"    {label.ljust(_LABEL)}  "
    yield from wrap(words, _WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)
