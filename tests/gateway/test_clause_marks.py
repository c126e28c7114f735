from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from typer.testing import CliRunner, Result

from gateway.clause_marks import PACKAGES, marks_of_code, marks_of_tests
from gateway.cli.main import app
from policies.clauses import Kind
from schema.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "clauses.md"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["policy", "clauses", *arguments])


def put(tree: Path, path: str, source: str) -> None:
    file = tree / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(source), encoding="utf-8")


def test_every_clause_is_kept_by_rules_code_and_tests_as_the_document_says() -> None:
    result = run("--format", "markdown")
    assert result.stderr == ""
    assert result.exit_code == 0
    assert DOCUMENT.read_text(encoding="utf-8") == result.stdout, "run: make docs"


def test_one_clause_is_shown_with_each_of_its_tests() -> None:
    shown = run("--clause", "C17").stdout
    assert shown.startswith("C17  under 18")
    assert "\nC1 " not in shown
    assert "under-18: Members under 18 are shared with nobody" in shown
    assert "tests/policies/test_age.py:" in shown
    assert isinstance(run("--clause", "C18").exception, InputError)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is read of a checkout: small enough to be copied."""
    tree = tmp_path_factory.mktemp("checkout")
    for folder in (*PACKAGES, "tests"):
        shutil.copytree(
            ROOT / folder, tree / folder, ignore=lambda _, names: [n for n in names if "cache" in n]
        )
    return tree


@contextmanager
def replaced(tree: Path, suffix: str, old: str, new: str) -> Iterator[None]:
    """Every file of the copy with another text in place of one that stands in it."""
    changed = {file: file.read_text(encoding="utf-8") for file in tree.rglob(f"*{suffix}")}
    changed = {file: text for file, text in changed.items() if old in text}
    assert changed
    for file, text in changed.items():
        file.write_text(text.replace(old, new), encoding="utf-8")
    yield
    for file, text in changed.items():
        file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("suffix", "mark", "broken", "fault"),
    [
        ("policies/age.py", "CLAUSE (C17)", "CLAUSE (C18)", "names `C18`, which is no clause"),
        ("types/activity.py", "CLAUSE (C6)", "Clause C6", "C6 (carts, orders and purchases) has no code"),
        (".py", 'clause("C15', 'clause("C14', "C15 (questions are answered) has no test"),
    ],
)
def test_a_mark_that_breaks_is_noticed_when_nothing_else_keeps_the_clause(
    copy: Path, suffix: str, mark: str, broken: str, fault: str
) -> None:
    with replaced(copy, suffix, mark, broken):
        result = run("--tree", str(copy))
    assert fault in result.stderr
    assert result.exit_code == 1


def test_marks_are_read_where_docstrings_are(tmp_path: Path) -> None:
    put(
        tmp_path,
        "policies/some.py",
        '''
        """A module.

        CLAUSE (C1): of the module,
        over two lines.
        CLAUSE (C2, C3): another.

        Prose (C4).
        """

        LIMIT = 1
        """Of a constant. CLAUSE is a word here.

        CLAUSE (C5): of a constant.
        """


        class Some:
            """A class."""

            def act(self) -> None:
                """CLAUSE (C6): of a method."""
        ''',
    )
    marks = [(mark.ids, mark.name, mark.line, mark.words) for mark in marks_of_code(tmp_path)]
    assert marks == [
        (("C1",), "", 4, "of the module, over two lines."),
        (("C2", "C3"), "", 6, "another."),
        (("C5",), "LIMIT", 14, "of a constant."),
        (("C6",), "Some.act", 22, "of a method."),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "# CLAUSE (C1): a comment\n",
        'TEXT = "CLAUSE (C1): some text"\n',
        'def f():\n    x = 1\n    """CLAUSE (C1): after the first statement"""\n',
        '"""A module, where CLAUSE (C1): stands inside a line."""\n',
        '"""CLAUSE (C1) without a sentence"""\n',
    ],
)
def test_a_mark_that_would_not_be_read_is_refused(tmp_path: Path, source: str) -> None:
    put(tmp_path, "gateway/some.py", source)
    with pytest.raises(InputError, match=r"`gateway/some\.py` has a CLAUSE that is not read"):
        marks_of_code(tmp_path)


def test_only_tests_that_run_hold_a_clause(tmp_path: Path) -> None:
    put(
        tmp_path,
        "tests/policies/test_some.py",
        """
        import pytest

        pytestmark = [pytest.mark.clause("C1")]
        CASES = [pytest.param(1, marks=[pytest.mark.clause("C2")])]

        @pytest.mark.clause("C3", "C4")
        def test_it(): ...

        @pytest.mark.clause("C5")
        @pytest.mark.skipif(True, reason="not here")
        def test_skipped(): ...

        @pytest.mark.xfail
        @pytest.mark.clause("C6")
        async def test_expected_to_fail(): ...

        @pytest.mark.clause("C7")
        def helper(): ...

        @pytest.mark.clause("C8")
        class TestThem:
            @pytest.mark.clause("C9")
            async def test_one(self): ...
        """,
    )
    put(tmp_path, "tests/policies/helpers.py", '@pytest.mark.clause("C10")\ndef test_not_collected(): ...')
    put(
        tmp_path,
        "tests/decisions/some.yaml",
        "clauses: [C11]\nrows:\n  - name: one\n    clauses: [C12, C13]\n",
    )
    marks = marks_of_tests(tmp_path)
    assert {mark.kind for mark in marks} == {Kind.TEST}
    assert [(mark.ids, mark.name) for mark in marks] == [
        (("C1",), ""),
        (("C2",), ""),
        (("C3", "C4"), "test_it"),
        (("C8",), "TestThem"),
        (("C9",), "TestThem.test_one"),
        (("C11",), ""),
        (("C12", "C13"), ""),
    ]


def test_an_installed_program_says_that_its_tests_are_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the tests are not here: run this in a checkout"):
        marks_of_tests(tmp_path)
