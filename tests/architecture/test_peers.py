"""What the benchmarks compare the gateway with is pinned by digests, wherever its packages come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PEERS: Final = ROOT / "benchmarks" / "peers"
LOCKS: Final = (PEERS / "package-lock.json", *sorted((ROOT / "tests").rglob("package-lock.json")))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_lock_holds_digests_and_names_no_host(lock: Path) -> None:
    packages = {
        name: entry for name, entry in read(lock)["packages"].items() if name and "inBundle" not in entry
    }
    assert packages
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []


def test_peers_are_told_by_the_versions_that_are_installed() -> None:
    wanted = read(PEERS / "package.json")["dependencies"]
    for entry in read(PEERS / "contestants.json"):
        told = entry["version"].split(" with ")
        package = {"apollo": "@apollo/server"}.get(entry["name"], entry["name"])
        assert told[0] == wanted[package]
        for other in told[1:]:
            name, version = other.split()
            assert version == wanted[name]


def test_peers_can_be_started() -> None:
    for entry in read(PEERS / "contestants.json"):
        program, name = entry["command"]
        assert (ROOT / program).is_file()
        assert (PEERS / f"{name}.mjs").is_file()
