"""The gateway without its log is for measuring only: nothing of the product can get at it."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_product_imports_nothing_of_the_benchmarks() -> None:
    for package in ("gateway", "resolvers", "policies", "schema"):
        for path in (ROOT / package).rglob("*.py"):
            assert not [name for name in imported(path) if name.partition(".")[0] == "benchmarks"], path


def test_the_benchmarks_are_not_installed_with_it() -> None:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = found["tool"]["setuptools"]["packages"]["find"]["include"]
    assert included == ["gateway*", "schema*", "resolvers*", "policies*"]


def test_what_records_nothing_is_named_unsafe_and_stands_once() -> None:
    named = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "benchmarks").rglob("*.py")
        if "(DisclosureLog)" in path.read_text(encoding="utf-8")
    ]
    assert named == ["benchmarks/unlogged.py"]
    text = (ROOT / "benchmarks/unlogged.py").read_text(encoding="utf-8")
    assert "class Unsafe" in text
    assert "UNSAFE: nothing that leaves is recorded" in text
