"""A partner's printed contract, given to a stock code generator and the TypeScript compiler, both in Node."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from gateway.app import Product
from tests import world
from tests.gateway.http.test_audit import ROOT, installed, run

PROJECT = ROOT / "tests" / "codegen"
WIDE, NARROW = "acme", "bolt"
LIBRARY = ("--lib", "es2022", "--skipLibCheck")
"""Checks the program, not the declarations of the language."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="Node and npm are not installed: no generator"),
]


def laid_out(project: Path, directory: Path, sdl: str) -> Path:
    """A program of a partner beside the contract that was printed for it."""
    directory.mkdir()
    (directory / "node_modules").symlink_to(project / "node_modules")
    for name in ("codegen.yml", "operations.graphql", "program.ts", "address.ts"):
        shutil.copy(project / name, directory)
    (directory / "contract.graphql").write_text(sdl, encoding="utf-8")
    return directory


async def generated(project: Path, directory: Path, product: Product, caller: str) -> Path:
    """A program of a partner, with the types of its contract generated beside it."""
    contract = product.contracts.of(world.CALLERS[caller].principal)
    program = laid_out(project, directory, contract.sdl)
    await run("node_modules/.bin/graphql-codegen", "--config", "codegen.yml", directory=program)
    return program


async def complaints(directory: Path, *files: str) -> list[str]:
    """What the compiler has against these files; nothing where it accepts them."""
    process = await asyncio.create_subprocess_exec(
        "node_modules/.bin/tsc", "--noEmit", "--strict", "--pretty", "false", *LIBRARY, *files,
        cwd=directory, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    found = output.decode().splitlines()
    assert (process.returncode == 0) is (not found)
    return found


async def test_types_generated_from_a_printed_contract_know_its_fields_and_no_others(
    product: Product, tmp_path: Path
) -> None:
    project = await installed(PROJECT)
    wide, narrow = [await generated(project, tmp_path / name, product, name) for name in (WIDE, NARROW)]
    assert await complaints(wide, "program.ts", "address.ts") == []
    (refused,) = await complaints(narrow, "program.ts", "address.ts")
    assert refused.startswith("address.ts(")
    assert "error TS2339: Property 'address' does not exist on type 'SharedMember'" in refused


def test_the_documented_configuration_is_the_one_the_types_are_generated_with() -> None:
    page = (ROOT / "docs" / "api-partners.md").read_text(encoding="utf-8")
    configuration = (PROJECT / "codegen.yml").read_text(encoding="utf-8")
    assert f"```yaml\n{configuration}```" in page
