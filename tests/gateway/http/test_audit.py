"""A real server, asked by the GraphQL over HTTP audit suite and by a stock client, both in Node."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.gateway.http.reference import TOKEN, endpoint

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
    assert process.returncode == 0, errors.decode()
    return output.decode()


@pytest.fixture(scope="session")
async def scripts() -> Path:
    """The scripts beside their packages, installed once for each state of the lock file."""
    lock = (SCRIPTS / "package-lock.json").read_bytes()
    directory = ROOT / ".cache" / f"audit-{hashlib.sha256(lock).hexdigest()[:16]}"
    directory.mkdir(parents=True, exist_ok=True)
    for file in SCRIPTS.iterdir():
        shutil.copy(file, directory)
    done = directory / "installed"
    if not done.exists():
        options = ("--no-audit", "--no-fund", "--ignore-scripts", "--omit-lockfile-registry-resolved=true")
        await run("npm", "ci", *options, directory=directory)
        done.touch()
    return directory


@pytest.fixture(scope="session")
async def audited_url() -> AsyncIterator[str]:
    """The address of a gateway that serves over a socket."""
    app = Starlette(routes=[Mount("/graphql", app=endpoint())])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, http="httptools"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/graphql/"
    server.should_exit = True
    await task


async def lines(scripts: Path, script: str, *arguments: str) -> list[dict[str, Any]]:
    """What a script printed."""
    output = await run("node", script, *arguments, directory=scripts)
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize("authorization", ["", f"Bearer {TOKEN}"])
async def test_the_audit_finds_no_error_and_no_warning_without_a_reason(
    scripts: Path, audited_url: str, authorization: str
) -> None:
    results = await lines(scripts, "audit.mjs", audited_url, authorization)
    reasons = set(re.findall(r"^\| `([0-9A-F]{4})` \|", DOCUMENTED.read_text(), re.MULTILINE))
    assert len(results) > 60
    assert [result for result in results if result["status"] == "error"] == []
    unexplained = [r for r in results if r["status"] != "ok" and r["id"] not in reasons]
    assert unexplained == []


async def test_a_stock_client_gets_what_it_asks_for(scripts: Path, audited_url: str) -> None:
    results = await lines(scripts, "client.mjs", audited_url, f"Bearer {TOKEN}")
    hello = {"hello": "hello you", "__typename": "Query"}
    by_method = [
        {"step": "query", "data": hello, "codes": []},
        {"step": "error", "data": None, "codes": ["GRAPHQL_VALIDATION_FAILED"]},
        {"step": "schema", "data": "Query", "codes": []},
    ]
    mutation = {"step": "mutation", "data": {"rename": {"id": "1"}}, "codes": []}
    assert results == [*by_method, *by_method, mutation]
