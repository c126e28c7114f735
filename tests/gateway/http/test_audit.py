"""A real server, asked by the GraphQL over HTTP audit suite and by a stock client, both in Node."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import world
from tests.running import Callers

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "tests" / "audit"
DOCUMENTED = ROOT / "docs" / "graphql-over-http.md"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="Node and npm are not installed: no audit"),
]

Node = Callable[..., Any]


async def run(*command: str, directory: Path) -> str:
    """The output of a program that has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=directory, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, output.decode() + errors.decode()
    return output.decode()


def copied(folder: Path) -> Path:
    """A copy of a folder, one for each state of its lock file."""
    lock = (folder / "package-lock.json").read_bytes()
    directory = ROOT / ".cache" / f"{folder.name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    directory.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        shutil.copy(file, directory)
    return directory


async def installed(folder: Path) -> Path:
    """A copy of a folder beside its packages, which are installed once."""
    directory = copied(folder)
    done = directory / "installed"
    # One worker installs; another that came at the same time would empty the folder under it.
    async with alone(directory.with_suffix(".lock")):
        if not done.exists():
            options = (
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--omit-lockfile-registry-resolved=true",
            )
            await run("npm", "ci", *options, directory=directory)
            done.touch()
    return directory


@asynccontextmanager
async def alone(path: Path) -> AsyncIterator[None]:
    """No other process holds this lock meanwhile."""
    with path.open("a") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
async def scripts() -> Path:
    """The scripts beside their packages."""
    return await installed(SCRIPTS)


async def lines(scripts: Path, script: str, *arguments: str) -> list[dict[str, Any]]:
    """What a script printed."""
    output = await run("node", script, *arguments, directory=scripts)
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize("caller", ["visitor", "ada", "acme"])
async def test_the_audit_finds_no_error_and_no_warning_without_a_reason(
    scripts: Path, callers: Callers, caller: str
) -> None:
    results = await lines(scripts, "audit.mjs", callers.endpoint, callers.authorization(caller))
    reasons = set(re.findall(r"^\| `([0-9A-F]{4})` \|", DOCUMENTED.read_text(), re.MULTILINE))
    assert len(results) > 60
    assert [result for result in results if result["status"] == "error"] == []
    unexplained = [r for r in results if r["status"] != "ok" and r["id"] not in reasons]
    assert unexplained == []


async def test_a_stock_client_reads_and_corrects_the_own_profile(scripts: Path, callers: Callers) -> None:
    results = await lines(scripts, "client.mjs", "member", callers.endpoint, callers.authorization("ada"))
    me = {
        "me": {"givenName": "Ada", "orders": {"totalCount": 3}, "__typename": "Member"},
        "__typename": "Query",
    }
    by_method = [
        {"step": "query", "data": me, "codes": []},
        {"step": "error", "data": None, "codes": ["GRAPHQL_VALIDATION_FAILED"]},
        {"step": "schema", "data": "Query", "codes": []},
    ]
    corrected = {"correctProfile": {"errors": [], "me": {"givenName": "Augusta"}}}
    assert results == [*by_method, *by_method, {"step": "mutation", "data": corrected, "codes": []}]


async def test_a_stock_client_pages_through_the_members_of_a_partner(scripts: Path, callers: Callers) -> None:
    results = await lines(scripts, "client.mjs", "partner", callers.endpoint, callers.authorization("acme"))
    pages = [result["data"]["members"] for result in results]
    ids = [edge["node"]["id"] for page in pages for edge in page["edges"]]
    assert len(pages) > 2
    assert len(ids) == len(set(ids)) == pages[0]["totalCount"]
    assert [page["pageInfo"]["hasNextPage"] for page in pages] == [True] * (len(pages) - 1) + [False]


@pytest.mark.clause("C8")
async def test_a_stock_client_that_follows_the_feed_sees_a_member_opt_out(
    scripts: Path, callers: Callers
) -> None:
    tokens = [callers.authorization(name) for name in ("acme", "ada")]
    async with asyncio.timeout(30):
        printed = await lines(scripts, "feed.mjs", callers.endpoint, *tokens)
    chosen, page = sorted(printed, key=lambda line: str(line["step"]))
    assert chosen["data"] == {"choose": {"errors": []}}
    (edge,) = page["data"]["data"]["changes"]["edges"]
    assert (edge["node"]["kind"], edge["node"]["member"]) == ("WITHDRAWN", None)
    assert edge["node"]["id"] == str(world.subject("acme", "ada"))
    assert "user.contact.email" in edge["node"]["categories"]
