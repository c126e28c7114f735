"""The data that everybody is measured on: made once, kept in `.cache/benchmarks`, copied for each run.

    python -m benchmarks.population [--members N] [--partners N] [-- COMMAND ...]

Without a command it waits until Ctrl-C, and prints the variables of `benchmarks.contestants` to give to
a contestant; with one it runs the command with them.

In: how many members and partners. Out: a running PostgreSQL with what `benchmarks.filling` makes, and who may
ask. What it was made by is part of the name under which it is kept, so a change of the seeding or of the
tables makes it anew. A run works on a copy and changes nothing that is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.contestants import ROOT
from benchmarks.filling import PASSWORD, ROLE, Size, make, settings_of
from gateway.demo import PARTNERS
from gateway.identity.tokens import SubjectKind, mint, own_issuer
from gateway.keys import Keyring, load_keyring
from gateway.private_postgres import DATABASE, PrivatePostgres, private_postgres
from gateway.settings import Settings

KEPT: Final = ROOT / ".cache" / "benchmarks"
CONNECTIONS: Final = 8
TOKEN_LIFETIME: Final = 86_400
"""Seconds. No token ends during a run."""

_MADE_BY: Final = (
    "gateway/seeding",
    "schema/migrations/versions",
    "policies/shipped",
    "policies/sharing.py",
    "resolvers/shares.py",
    "resolvers/share_rows.py",
    "gateway/demo.py",
    "benchmarks/filling.py",
    "benchmarks/growing.py",
)
"""What the data depends on, beside its size."""

_MEASURING: Final = {"autovacuum": "off", "max_wal_size": "8GB", "checkpoint_timeout": "1h"}
"""What would strike one contestant and spare the next. Everything else is as the gateway ships it: commits
are durable."""


@dataclass(frozen=True, slots=True)
class World:
    """A running database, and who may ask. `members` are active ones, in no order."""

    settings: Settings
    keys: Keyring
    server: PrivatePostgres
    folder: Path
    clients: Sequence[str]
    members: Sequence[UUID]

    @property
    def socket_dir(self) -> Path:
        """Where PostgreSQL listens."""
        return self.server.socket_dir

    def environment(self, port: int) -> dict[str, str]:
        """The variables that a contestant is given, and those of the gateway."""
        host = str(self.socket_dir)
        issuer = own_issuer(self.settings)
        return {
            "BENCH_PORT": str(port),
            "BENCH_DATABASE_URL": f"postgresql://{ROLE}:{PASSWORD}@/{DATABASE}?host={quote(host, safe='')}",
            "BENCH_CONNECTIONS": str(CONNECTIONS),
            "BENCH_PUBLIC_KEY": str(self.folder / "public-key.pem"),
            "BENCH_ISSUER": issuer,
            "BENCH_AUDIENCE": issuer,
            "BENCH_DOCUMENTS": str(ROOT / "benchmarks" / "documents"),
            "BENCH_STATEMENTS": str(ROOT / "benchmarks" / "statements"),
            "PGHOST": host,
            "PGUSER": ROLE,
            "PGPASSWORD": PASSWORD,
            "PGDATABASE": DATABASE,
            "GATEWAY_DATA_DIR": str(self.settings.data_dir),
            "GATEWAY_PORT": str(port),
            "GATEWAY_PUBLIC_URL": issuer,
            "GATEWAY_READER_CONNECTIONS": str(CONNECTIONS),
            "GATEWAY_APP_CONNECTIONS": str(CONNECTIONS),
            # Quotas are counted; none of them is to end a run.
            "GATEWAY_QUOTA_REQUESTS_PER_MINUTE": "100000000",
            "GATEWAY_QUOTA_MEMBERS_PER_DAY": "1000000000000",
        }

    def partner_token(self, client_id: str) -> str:
        """A token of a client, with everything that its agreement has."""
        partner = PARTNERS[0]
        return mint(
            self.settings,
            self.keys,
            kind=SubjectKind.PARTNER,
            subject=client_id,
            client_id=client_id,
            scopes=partner.categories,
            lifetime=TOKEN_LIFETIME,
        ).token

    def member_token(self, member: UUID) -> str:
        """A token of a member."""
        return mint(
            self.settings,
            self.keys,
            kind=SubjectKind.MEMBER,
            subject=str(member),
            client_id="web",
            lifetime=TOKEN_LIFETIME,
        ).token

    def client_token(self, index: int) -> str:
        """A token of the client with this number, going round."""
        return self.partner_token(self.clients[index % len(self.clients)])


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def key_of(size: Size) -> str:
    """A name for what is made by this size and the program as it is."""
    digest = hashlib.sha256(repr(size).encode())
    for name in _MADE_BY:
        path = ROOT / name
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


async def keep(size: Size) -> Path:
    """The folder with the data of this size, made if it is not there."""
    members = f"{size.members}x{size.members_times}"
    name = f"{members}-{size.partners}x{size.partners_times}-{size.clients}"
    folder = KEPT / f"{name}-{key_of(size)}"
    if not folder.exists():
        for older in KEPT.glob(f"{name}-*"):
            shutil.rmtree(older)
        unfinished = KEPT / f"unfinished-{os.getpid()}"
        unfinished.mkdir(parents=True)
        began = time.monotonic()
        print(f"making {size.members:,} members and {size.partners:,} partners", file=sys.stderr)
        await make(unfinished, size)
        print(f"made in {time.monotonic() - began:.0f} s", file=sys.stderr)
        unfinished.rename(folder)
    return folder


@contextmanager
def copied(kept: Path) -> Iterator[Path]:
    """A copy of the data in this folder, removed at the end."""
    folder = KEPT / f"run-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(kept), str(folder)], check=True)  # noqa: S607 - coreutils
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def world(size: Size, overrides: Mapping[str, str] = _MEASURING) -> AsyncIterator[World]:
    """A copy of the data with PostgreSQL running on it, on the cores that this process runs on."""
    with copied(await keep(size)) as folder:
        async with opened(folder, size, overrides) as running:
            yield running


@asynccontextmanager
async def opened(folder: Path, size: Size, overrides: Mapping[str, str]) -> AsyncIterator[World]:
    """PostgreSQL running on the data in `folder`."""
    settings = settings_of(folder)
    keys = load_keyring(settings)
    pem = keys.signing_key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public-key.pem").write_bytes(pem)
    with private_postgres(settings.data_dir, keys.owner_password, overrides=overrides) as server:
        connection = await asyncpg.connect(server.url())
        try:
            rows = await connection.fetch(
                "SELECT id FROM member WHERE status = 'ACTIVE' ORDER BY md5(id::text)"
            )
        finally:
            await connection.close()
        clients = [f"client-{index:03d}" for index in range(size.clients)]
        yield World(settings, keys, server, folder, clients, [row["id"] for row in rows])


async def _main(size: Size, command: Sequence[str]) -> int:
    async with world(size) as running:
        samples = {
            "BENCH_MEMBER_TOKEN": running.member_token(running.members[0]),
            "BENCH_PARTNER_TOKEN": running.client_token(0),
        }
        environment = {**running.environment(free_port()), **samples}
        if not command:
            for name, value in environment.items():
                print(f"export {name}='{value}'")
            sys.stdout.flush()
            stop = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            await stop.wait()
            return 0
        process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment})
        return await process.wait()


def stop_in_order() -> None:
    """Let the end of a `kill` be that of a Ctrl-C: servers stop, and copies are removed."""
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))


def size_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say how much data there is."""
    parser.add_argument("--members", type=int, default=Size.members)
    parser.add_argument("--partners", type=int, default=Size.partners)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="benchmarks.population")
    size_arguments(arguments)
    arguments.add_argument("command", nargs="*")
    given = arguments.parse_args()
    stop_in_order()
    sys.exit(asyncio.run(_main(Size(given.members, given.partners), given.command)))
