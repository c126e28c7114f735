"""Officers' operations: each begins by asking and writing down, and no command goes past them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.officers import Act
from tests.architecture.test_code import MODULES, ROOT, name_of, tree_of

OPERATIONS = sorted(path for path in (ROOT / "resolvers" / "officers").glob("*.py"))
COMMANDS = [path for path in MODULES if path.is_relative_to(ROOT / "gateway" / "cli")]

WITHOUT_A_DESK = {
    "gateway/cli/demo.py": "makes an invented world, where there is nobody yet to write down",
    "gateway/cli/doctor.py": "looks at the installation, and at nobody's data",
    "gateway/cli/seeding.py": "adds invented members, for trying things out",
    "gateway/cli/setup.py": "makes keys and tables, the log of actions among them",
    "gateway/cli/office.py": "makes the desk",
}
"""Modules of commands that open the database, and no desk."""


def operations() -> Iterator[tuple[str, str, str]]:
    """Each function that a desk is given to, the kind of desk, and its text without the docstring."""
    for path in OPERATIONS:
        for node in tree_of(path).body:
            if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
                kind = node.args.args[0].annotation if node.args.args else None
                assert isinstance(kind, ast.Name), f"{name_of(path)}: `{node.name}` takes a desk first"
                assert kind.id in {"Desk", "LongDesk"}, f"{name_of(path)}: `{node.name}` takes a desk first"
                yield f"{path.stem}.{node.name}", kind.id, ast.unparse(ast.Module(node.body[1:], []))


@pytest.mark.parametrize(
    ("kind", "body"), [pytest.param(kind, body, id=name) for name, kind, body in operations()]
)
def test_each_operation_begins_with_its_act(kind: str, body: str) -> None:
    if kind == "LongDesk":
        assert "desk.acting(Act." in body
    else:
        assert body.startswith("await desk.act(Act."), "it asks and writes down before anything else"


@pytest.mark.parametrize("path", COMMANDS, ids=name_of)
def test_the_command_line_changes_and_reads_by_officers_operations_alone(path: Path) -> None:
    """Of commands and readers below the desk it may know the types, not the functions."""
    if name_of(path) in WITHOUT_A_DESK:
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("resolvers.commands"):
            functions = [alias.name for alias in node.names if alias.name.islower()]
            assert set(functions) <= {"read_address", "read_request"}, "they read a typed line, no table"
    source = path.read_text(encoding="utf-8")
    if any(way in source for way in ("in_office(", "in_long_office(", "open_database(")):
        assert "from resolvers.officers" in source


def test_the_list_names_modules_that_exist() -> None:
    assert WITHOUT_A_DESK.keys() <= {name_of(path) for path in COMMANDS}


def test_every_act_is_done_by_some_operation() -> None:
    done = {
        name
        for path in (ROOT / "resolvers").rglob("*.py")
        for name in re.findall(r"\bAct\.([A-Z_]+)\b", path.read_text(encoding="utf-8"))
    }
    assert {act.name for act in Act} - done == set()
