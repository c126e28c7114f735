"""Policies are compared by directory, by the number of a version, and with the one in force."""

from __future__ import annotations

import json
import shutil
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from tests.gateway.cli.test_main import Terminal, office, terminal, url

__all__ = ["office", "terminal", "url"]

OPT_IN = """
@id("marketing-opt-in")
@clause("C8")
@text("Marketing partners receive data only of members who opted in.")
forbid (principal == Basis::"MARKETING", action == Action::"presume", resource);
"""


@pytest.fixture
def stricter(tmp_path: Path) -> str:
    """The shipped policy with one more rule, and the tables that hold all the same."""
    folder = tmp_path / "stricter"
    with as_file(files("policies").joinpath("shipped")) as shipped:
        shutil.copytree(shipped, folder)
    with (folder / "sharing.cedar").open("a") as rules:
        rules.write(OPT_IN)
    (folder / "texts" / "de.toml").unlink()
    for table in (folder / "decisions").iterdir():
        if table.stem != "minors":
            table.unlink()
    return str(folder)


def test_what_was_published_is_current_whatever_the_settings_name(office: Terminal, stricter: str) -> None:
    before = office.done("policy", "compare", "current", stricter)
    assert before.startswith("- MARKETING ")
    assert before.splitlines()[-1].startswith("warning: there are no texts in `de` any more")
    office.done("policy", "publish", stricter, "--yes", "--no-mail")
    assert office.done("policy", "compare", "current", stricter) == "the two decide alike\n"
    assert office.done("policy", "compare", "1", "2") == before
    counted = json.loads(office.done("policy", "compare", "2", "1", "--members", "--replay", "--format=json"))
    assert {(cell["change"], cell["members"]) for cell in counted["cells"]} == {("opens", 0)}
    assert (counted["documents"], counted["releases"]) == ([], [])
    assert office.run("policy", "compare", "current", "3") == 1
    assert "there is no version of that number: see `gateway policy history`" in office.err
    assert office.run("policy", "show", "99999999999") == 2


def test_two_directories_are_compared_without_a_database(terminal: Terminal, stricter: str) -> None:
    assert terminal.done("policy", "compare", stricter, stricter) == "the two decide alike\n"
    assert terminal.run("policy", "compare", stricter, f"{stricter}-not") == 1
    assert "is no directory" in terminal.err
