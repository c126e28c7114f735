"""Rules of the code that no linter knows: who may write SQL, what may be named, what must be told."""

from __future__ import annotations

import ast
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports
from sqlalchemy import MetaData

from schema.tables import Table, VaultTable

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gateway", "resolvers", "policies", "schema")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

SQL_OUTSIDE = {
    "gateway/app.py": "asks whether the database answers",
    "gateway/database.py": "makes the database of the private server, before there is any table",
    "gateway/migrations.py": "lets one process at a time migrate, and asks at which revision a database is",
    "gateway/cli/seeding.py": "lists partners for believable choices",
    "gateway/seeding/run.py": "asks which seeded members are there already",
}
"""Modules beside resolvers/ and the migrations that hold SQL, and why each may."""

FORMATTED = {
    "resolvers/archive_reading.py": "names of tables and columns, as the schema declares them",
    "gateway/migrations.py": "roles and SCRAM verifiers, both ours: ALTER ROLE takes no parameters",
    "resolvers/commands/correction.py": "names of columns that the module lists; their values are parameters",
    "resolvers/commands/invitation.py": "the columns of a table, as it declares them",
    "resolvers/commands/member_secrets.py": "names of tables that the function lists",
    "resolvers/commands/upkeep.py": "names of tables and columns that the function lists",
}
"""Modules that format more into SQL than texts of their own, and what that is."""

OFFICER = {
    "gateway/officer_key.py": "makes the key and hands it to the officer",
    "gateway/setup.py": "calls it, once, at `gateway init`",
    "gateway/cli/setup.py": "says where the officer's key was put",
    "gateway/cli/doctor.py": "warns when the key is still beside the data",
    "gateway/officer_opening.py": "opens numbers with it, for commands",
    "gateway/cli/archives.py": "is told where it is",
    "gateway/archive/fulfilling.py": "has the numbers opened for an archive",
    "gateway/keys.py": "says in words that nothing there can hold it",
}
"""Modules that may name the officer's key. None of them is on the path of a request."""

_STATEMENT = re.compile(
    r"^\s*(?:SELECT\b|INSERT\s+INTO\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|WITH\s+\w+\s+AS\b|SET\s+LOCAL\b"
    r"|LISTEN\b|CREATE\s|DROP\s|ALTER\s|GRANT\s|TRUNCATE\b|COPY\s+\w+)"
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text that is no docstring; formatted values stand as `x`."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            yield shown(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value


def shown(node: ast.JoinedStr) -> str:
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)


def holds_sql(tree: ast.AST) -> bool:
    return any(_STATEMENT.match(text) for text in texts(tree))


def in_place_of_sql(path: Path) -> bool:
    return path.is_relative_to(ROOT / "resolvers") or path.is_relative_to(ROOT / "schema" / "migrations")


def test_imports_go_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    loggers = [
        known for known in logging.root.manager.loggerDict.values() if isinstance(known, logging.Logger)
    ]
    enabled = [logger for logger in loggers if not logger.disabled]
    result = lint_imports(no_cache=True)
    for logger in enabled:  # it configures logging, which silences every logger that it does not name
        logger.disabled = False
    assert result == 0


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    document = ast.get_docstring(tree_of(path))
    assert document
    assert document.strip()[0].isupper() or document.startswith(("`", "THE")), "a sentence"


@pytest.mark.parametrize("path", [p for p in MODULES if not in_place_of_sql(p)], ids=name_of)
def test_sql_is_written_in_resolvers_only(path: Path) -> None:
    assert holds_sql(tree_of(path)) == (name_of(path) in SQL_OUTSIDE)


@pytest.mark.parametrize("path", [p for p in MODULES if not in_place_of_sql(p)], ids=name_of)
def test_statements_are_built_in_resolvers_only(path: Path) -> None:
    """Neither by SQLAlchemy: the constraints and indexes of tables are the one use of its `text`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("sqlalchemy", "sqlmodel")):
            names = {alias.name for alias in node.names}
            assert not names & {"select", "insert", "update", "delete", "Session", "create_engine"}
            if "text" in names:
                assert path.is_relative_to(ROOT / "schema" / "tables") or name_of(path) in SQL_OUTSIDE


@pytest.mark.parametrize("path", [p for p in MODULES if not p.is_relative_to(ROOT / "schema")], ids=name_of)
def test_what_is_formatted_into_sql_is_a_name_of_the_module(path: Path) -> None:
    """Values go in as parameters. Formatted in are constants and clauses that the module itself holds."""
    tree = tree_of(path)
    if name_of(path) in FORMATTED:
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        if not _STATEMENT.match(shown(node)):
            continue
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                assert isinstance(part.value, ast.Name), "no attribute, no call, no subscript"
                assert part.value.id in _own_texts(tree), f"`{part.value.id}` is no text of this module"


def _own_texts(tree: ast.Module) -> set[str]:
    """Names that are bound, anywhere in the module, to texts that are written in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _is_text(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return names | {name for name in imported if name.isupper()}


def _is_text(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str() | int()) | ast.JoinedStr():
            return True
        case ast.IfExp(body=body, orelse=orelse):
            return _is_text(body) and _is_text(orelse)
        case _:
            return False


@pytest.mark.clause("C10")
@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_officers_key_is_named_where_it_is_made_and_nowhere_else(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    names = re.search(r"X25519PrivateKey|officer_key", source) is not None
    assert not names or name_of(path) in OFFICER


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_bypass_is_in_the_program(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            assert not node.name.lower().lstrip("_").startswith("unsafe")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_was_not_found_is_not_repeated(path: Path) -> None:
    """Errors never echo a value of the request: nothing that a function was given, nor that it looked up."""
    for function in ast.walk(tree_of(path)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        given = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "NotFoundError":
                told = {
                    name.id for part in call.args for name in ast.walk(part) if isinstance(name, ast.Name)
                }
                assert not told & (given | {"found", "row", "number"}), f"line {call.lineno}"


def test_the_allow_lists_name_modules_that_exist() -> None:
    assert {*SQL_OUTSIDE, *FORMATTED, *OFFICER} <= {name_of(path) for path in MODULES}


def test_sealed_tables_are_in_another_metadata() -> None:
    """No join of SQLAlchemy's can reach from a readable table into the vault."""
    assert isinstance(Table.metadata, MetaData)
    assert Table.metadata is not VaultTable.metadata
    assert {table.schema for table in VaultTable.metadata.tables.values()} == {"vault"}
    for table in (*Table.metadata.tables.values(), *VaultTable.metadata.tables.values()):
        for key in table.foreign_keys:
            assert (key.column.table.schema == "vault") == (table.schema == "vault")


def test_whoever_serves_loads_nothing_heavy_that_it_may_never_need() -> None:
    """A server is a process of the command line: what a command imports, it has in memory."""
    heavy = {"alembic", "faker", "mako", "opendp", "zxcvbn"}
    program = "import sys, gateway.cli.main; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)  # noqa: S603 - ours
    assert heavy & set(done.stdout.split()) == set()
