"""The officer's guide, followed step by step: each command is run, and says what the guide says."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Final

import pytest
import yaml

from gateway.demo import PARTNERS
from tests.architecture.test_docs import ROOT, Block, blocks
from tests.gateway.cli.test_main import Terminal, office, terminal, url

__all__ = ["office", "terminal", "url"]

GUIDE: Final = ROOT / "docs" / "officers-guide.md"


def write(folder: Path, block: Block) -> None:
    """What is in a block that names a file takes the place of what has the same name, or goes to the end."""
    kind, _, path = block.info.partition(" ")
    file = folder / path
    text = file.read_text(encoding="utf-8")
    match kind:
        case "cedar":
            name = re.search(r'@id\("([^"]+)"\)', block.body)
            assert name
            before, found, after = text.partition(f'\n@id("{name[1]}")')
            rest = after.partition(";\n")[2]
            text = f"{before}\n{block.body}{rest}" if found else f"{text}\n{block.body}"
        case "toml":
            for line in block.body.splitlines():
                key = line.partition(" = ")[0]
                text = "\n".join(old for old in text.splitlines() if not old.startswith(f"{key} = "))
                text += f"\n{line}\n"
        case "yaml":
            (row,) = yaml.safe_load(block.body)
            replaced = re.match(r"# in place of: (.+)\n", block.body)
            start = text.find(f"  - name: {replaced[1] if replaced else row['name']}\n")
            assert start >= 0 or not replaced
            end = len(text) if start < 0 else text.index("\n\n", start)
            text = f"{text[:start]}{block.body}{text[end:]}" if start >= 0 else f"{text}\n{block.body}"
        case _:
            raise AssertionError(block.info)
    file.write_text(text, encoding="utf-8")


def run(block: Block, office: Terminal) -> None:
    """Each command, whose output has each of the lines below it, in their order."""
    commands = re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block.body, re.MULTILINE)
    assert commands
    for command, expected in commands:
        words = shlex.split(command)
        if words[:2] == ["cp", "-r"]:
            shutil.copytree(ROOT / words[2], words[3])
            continue
        assert words[0] == "gateway"
        office.run(*words[1:])
        said, place = office.out + office.err, 0
        for line in expected.splitlines():
            found = said.find(line, place)
            assert found >= 0, f"{command}\n{line}\n--- is not in ---\n{said}"
            place = found + len(line)


def test_the_commands_of_the_policy_page_say_what_it_says(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = [block for block in blocks(ROOT / "docs" / "policy.md") if "$ cp -r" in block.body]
    run(block, terminal)


def test_the_first_commands_of_the_page_on_aggregates_fit_the_demonstration(office: Terminal) -> None:
    for partner in PARTNERS:
        office.done("partner", "create", partner.name, "--display-name", partner.display_name)
    block = next(block for block in blocks(ROOT / "docs" / "aggregates.md") if block.info == "console")
    create, client = [shlex.split(line)[2:] for line in block.body.splitlines()]
    assert (create[0], client[0]) == ("aggregates", "client")
    agreement = office.done(*create).strip()
    office.done(*client[:-1], agreement)


def test_the_guide_does_what_it_says(
    office: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    steps = [block for block in blocks(GUIDE) if block.info]
    assert len(steps) > 8
    for block in steps:
        if block.info == "console":
            run(block, office)
        else:
            write(tmp_path, block)
