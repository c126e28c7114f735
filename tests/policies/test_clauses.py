from __future__ import annotations

import re
from pathlib import Path

import pytest

from policies.clauses import CLAUSES, Kind, Mark, faults, upheld

GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"


def mark(kind: Kind, *ids: str) -> Mark:
    return Mark(kind, ids, "here.py", "name", 7)


def test_the_two_rules_and_seventeen_clauses_are_known() -> None:
    assert list(CLAUSES) == ["R1", "R2", *(f"C{number}" for number in range(1, 18))]


def test_the_glossary_explains_each_of_them() -> None:
    rows = re.findall(r"^\| ([RC]\d+) \| .+ \|$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == list(CLAUSES)


def test_a_clause_lacks_what_it_needs_and_has_not() -> None:
    found = {entry.clause.id: entry for entry in upheld([mark(Kind.CODE, "C1", "C8"), mark(Kind.TEST, "C8")])}
    assert found["C1"].lacking == [Kind.TEST]
    assert found["C8"].lacking == [Kind.RULE]
    assert found["C2"].lacking == [Kind.CODE, Kind.TEST]


def test_what_lacks_something_is_named_with_what_it_lacks() -> None:
    marks = [mark(kind, *CLAUSES) for kind in Kind]
    assert faults(upheld(marks), marks) == []

    without = [
        mark(Kind.RULE, *CLAUSES),
        mark(Kind.CODE, *CLAUSES),
        mark(Kind.TEST, *(set(CLAUSES) - {"C11"})),
    ]
    (fault,) = faults(upheld(without), without)
    assert fault.startswith("C11 (the latest request wins) has no test")


@pytest.mark.parametrize("unknown", ["C18", "C0", "R3", "c8", "", "C8 d"])
def test_a_mark_that_names_no_clause_is_a_fault(unknown: str) -> None:
    marks = [*(mark(kind, *CLAUSES) for kind in Kind), mark(Kind.CODE, "C8", unknown)]
    (fault,) = faults(upheld(marks), marks)
    assert fault.startswith(f"`here.py:7` names `{unknown}`, which is no clause")
