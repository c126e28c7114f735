"""R2 under kill -9: of gateway and of PostgreSQL, while a partner receives. Received unrecorded: 0."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.app import Product
from gateway.database import Database, open_pools
from gateway.disclosure_verify import Verification
from gateway.identity.tokens import SubjectKind, mint
from gateway.keys import Keyring, create_keys
from gateway.migrations import migrate
from gateway.private_postgres import PrivatePostgres, private_postgres
from gateway.settings import Settings
from tests import world

ROUNDS = 2
ENOUGH = 60
"""Answers that are on record before the kill, so that it comes while more are under way."""

PATIENCE = 120
"""Seconds for a program to start, on a machine that does other things as well."""


@dataclass
class Site:
    """A gateway's data directory with a durable server of its own, and the world in its database."""

    settings: Settings
    keys: Keyring
    server: PrivatePostgres

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[bytes]]:
        """`gateway serve`, ready; killed at the end if it still runs."""
        environment = {
            **os.environ,
            "GATEWAY_DATA_DIR": str(self.settings.data_dir),
            "GATEWAY_PORT": str(self.settings.port),
        }
        command = [sys.executable, "-c", "from gateway.cli.main import main; main()", "serve"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:  # noqa: S603
            try:
                self.wait_until_ready(process)
                yield process
            finally:
                process.kill()

    def wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert process.poll() is None, "it has ended"
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError("it does not serve")

    @contextmanager
    def receiving(self, prefix: str) -> Iterator[subprocess.Popen[str]]:
        token = mint(
            self.settings, self.keys, kind=SubjectKind.PARTNER, subject="acme", client_id="acme",
            scopes=("user.name",),
        ).token  # fmt: skip
        command = [sys.executable, "-m", "tests.attacks.receiving", f"{self.url}/graphql", token, prefix]
        with subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            yield process

    async def wait_for_records(self, prefix: str, least: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(await self.recorded(prefix)) < least:  # noqa: ASYNC110 - another program writes them
                await asyncio.sleep(0.05)

    async def recorded(self, prefix: str) -> set[str]:
        connection = await asyncpg.connect(self.server.url("gateway"))
        rows = await connection.fetch(
            "SELECT operation_name FROM disclosure WHERE operation_name LIKE $1 || 'x%'", prefix
        )
        await connection.close()
        return {row["operation_name"] for row in rows}

    async def findings(self) -> list[str]:
        """What `gateway disclosures verify` says."""
        connection = await asyncpg.connect(self.server.url("gateway"))
        async with connection.transaction():
            run = Verification(self.keys.verification_keys, [])
            found = [str(finding) async for finding in run.database(connection, lambda _: None)]
        await connection.close()
        return found


@pytest.fixture
async def site(tmp_path: Path, product: Product) -> AsyncIterator[Site]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    settings = Settings(data_dir=tmp_path, port=port)
    public = X25519PrivateKey.generate().public_key()
    keys = create_keys(settings, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with private_postgres(tmp_path, keys.owner_password) as server:
        connection = await asyncpg.connect(server.url("postgres"))
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.execute("CREATE DATABASE gateway")
        await connection.close()
        await migrate(server.url(), keys.role_passwords)
        async with open_pools(server.url(), settings, keys) as database:
            await _fill(database, product)
        yield Site(settings, keys, server)


async def _fill(database: Database, product: Product) -> None:
    await world.build(database, product.matrix)


def received(process: subprocess.Popen[str]) -> set[str]:
    """Whatever arrived; the client is told to stop."""
    out, _ = process.communicate("stop\n", timeout=PATIENCE)
    return set(out.split())


@pytest.mark.slow
@pytest.mark.clause("R2")
async def test_nothing_was_received_without_a_record_whoever_is_killed(site: Site) -> None:
    total = 0
    for number in range(ROUNDS):
        prefix = f"gateway{number}"
        with site.serving() as gateway, site.receiving(prefix) as partner:
            await site.wait_for_records(prefix, ENOUGH)
            gateway.send_signal(signal.SIGKILL)
            names = received(partner)
        assert names
        assert names - await site.recorded(prefix) == set()
        total += len(names)

    with site.serving() as gateway:
        for number in range(ROUNDS):
            prefix = f"server{number}"
            with site.receiving(prefix) as partner:
                await site.wait_for_records(prefix, ENOUGH)
                os.kill(site.server.process_id, signal.SIGKILL)
                with private_postgres(site.settings.data_dir, site.keys.owner_password) as recovered:
                    site.server = recovered
                    before = len(await site.recorded(prefix))
                    await site.wait_for_records(prefix, before + 1)
                    names = received(partner)
            assert names
            assert names - await site.recorded(prefix) == set()
            total += len(names)
        site.wait_until_ready(gateway)
    assert total > 50
    assert await site.findings() == [], "neither gap nor fork"
