"""The marks of clauses in a checkout, read without running any of it.

What counts as a mark:

1. In code: `CLAUSE`, ids in parentheses, a colon and a sentence that says what is enforced there, in the
   docstring of the module, class, function or constant that enforces it. Anywhere else it is a fault.
2. In tests: `pytest.mark.clause` with ids, on a test, on a class of tests or as `pytestmark`. A test that
   is skipped or expected to fail holds nothing.
3. In tables of cases: a line `clauses: [C8, C17]`, for the file or for one of its rows.
4. In rules: `@clause`.

Mentions of a clause in prose, such as (C8), are no marks: nobody promised that anything happens there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from policies.clauses import Kind, Mark
from policies.rules import Rule
from schema.errors import InputError

PACKAGES: Final = ("schema", "policies", "resolvers", "gateway")

_HERE: Final = Path(__file__).resolve().parents[1]
WORD: Final = "CLAUSE"
_MARK: Final = re.compile(
    rf"^[ ]*{WORD} \(([^)\n]*)\): (.+?)(?=\n\s*\n|\n[ ]*[A-Z]{{5,}} \(|\Z)", re.MULTILINE | re.DOTALL
)
_BEGUN: Final = re.compile(rf"\b{WORD} \(")
_TABLE: Final = re.compile(r"^\s*clauses: \[([^\]]*)\]", re.MULTILINE)
_NOT_RUN: Final = frozenset({"skip", "skipif", "xfail"})

_Owner: TypeAlias = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def marks_of_rules(rules: Iterable[Rule]) -> Sequence[Mark]:
    """The marks of a policy's rules; `line` is the place of the rule among them."""
    return [
        Mark(Kind.RULE, _ids(rule.clause), "the policy", rule.name, rule.position, rule.text or "")
        for rule in rules
        if rule.clause is not None
    ]


def marks_of_code(tree: Path | None = None) -> Sequence[Mark]:
    """The marks in the packages below `tree`, which without one is where this program lies.

    Raises:
        InputError: a mark stands where it is not read, or says nothing.
    """
    tree = tree or _HERE
    found: list[Mark] = []
    for path in _modules(tree, PACKAGES):
        source = path.read_text(encoding="utf-8")
        begun = len(_BEGUN.findall(source))
        if begun:
            marks = list(_marks_of(ast.parse(source), _shown(path, tree)))
            if len(marks) != begun:
                raise InputError(
                    f"`{_shown(path, tree)}` has a {WORD} that is not read: write it in a docstring, on a"
                    " line that begins with it, as docs/clauses.md says"
                )
            found += marks
    return found


def marks_of_tests(tree: Path | None = None) -> Sequence[Mark]:
    """The marks in `tests/` of `tree`, and of the tables of cases beside policies.

    Raises:
        InputError: there are no tests: a program that was installed brings none.
    """
    tree = tree or _HERE
    if not (tree / "tests").is_dir():
        raise InputError("the tests are not here: run this in a checkout, or name one with `--tree`")
    found: list[Mark] = []
    for path in _modules(tree, ("tests",)):
        source = path.read_text(encoding="utf-8")
        if path.name.startswith("test_") and "mark.clause(" in source:
            found += _test_marks(ast.parse(source), _shown(path, tree))
    tables = (path for folder in ("policies", "tests") for path in sorted((tree / folder).rglob("*.yaml")))
    for path in tables:
        source = path.read_text(encoding="utf-8")
        for match in _TABLE.finditer(source):
            line = source.count("\n", 0, match.start(1)) + 1
            found.append(Mark(Kind.TEST, _ids(match[1]), _shown(path, tree), "", line))
    return found


def _modules(tree: Path, folders: Iterable[str]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((tree / folder).rglob("*.py"))


def _shown(path: Path, tree: Path) -> str:
    return path.relative_to(tree).as_posix()


def _ids(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _marks_of(module: ast.Module, path: str) -> Iterator[Mark]:
    for name, text, first in _docstrings(module, ""):
        for match in _MARK.finditer(text):
            line = first + text.count("\n", 0, match.start(1))
            yield Mark(Kind.CODE, _ids(match[1]), path, name, line, " ".join(match[2].split()))


def _docstrings(owner: _Owner, name: str) -> Iterator[tuple[str, str, int]]:
    """Each docstring below `owner`: the dotted name that it documents, its text and its first line."""
    before: ast.stmt | None = None
    for place, node in enumerate(owner.body):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text), lineno=line)):
                documented = name if place == 0 else _assigned(before, owner, name)
                if documented is not None:
                    yield documented, text, line
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _docstrings(node, f"{name}.{node.name}".lstrip("."))
        before = node


def _assigned(node: ast.stmt | None, owner: _Owner, name: str) -> str | None:
    """What a text after `node` documents: a constant of the module or of the class."""
    match node, owner:
        case (ast.Assign(targets=[ast.Name(id=assigned)]), ast.Module() | ast.ClassDef()):
            return f"{name}.{assigned}".lstrip(".")
        case (ast.AnnAssign(target=ast.Name(id=assigned)), ast.Module() | ast.ClassDef()):
            return f"{name}.{assigned}".lstrip(".")
        case _:
            return None


def _test_marks(module: ast.Module, path: str) -> Iterator[Mark]:
    for name, node in _holders(module, ""):
        expressions = _expressions(node)
        calls = [call for expression in expressions for call in ast.walk(expression)]
        if not any(_marker(call) in _NOT_RUN for call in calls):
            for call in calls:
                if isinstance(call, ast.Call) and _marker(call.func) == "clause":
                    ids = tuple(str(given.value) for given in call.args if isinstance(given, ast.Constant))
                    yield Mark(Kind.TEST, ids, path, name, call.lineno)


def _holders(owner: ast.Module | ast.ClassDef, name: str) -> Iterator[tuple[str, ast.stmt]]:
    """What pytest collects, or reads marks from: tests, their classes, and assignments beside them."""
    for node in owner.body:
        match node:
            case ast.ClassDef() if node.name.startswith("Test"):
                yield node.name, node
                yield from _holders(node, node.name)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name.startswith("test_"):
                yield f"{name}.{node.name}".lstrip("."), node
            case ast.Assign() | ast.AnnAssign():
                yield name, node


def _expressions(node: ast.stmt) -> Sequence[ast.expr]:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return node.decorator_list
        case ast.Assign() | ast.AnnAssign() if node.value is not None:
            return [node.value]
        case _:
            return []


def _marker(node: ast.AST) -> str | None:
    """`name` of `pytest.mark.name`."""
    match node:
        case ast.Attribute(attr=name, value=ast.Attribute(attr="mark", value=ast.Name(id="pytest"))):
            return name
        case _:
            return None
