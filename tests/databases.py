"""One PostgreSQL for the whole run, and a fresh migrated database for whoever asks.

The workers of a split run share the private server: it lives as long as its last user. With
`GATEWAY_DATABASE_URL` set, that server is used; its roles get the passwords of the test keys.

The databases of tests are in memory where the system has a folder for that: a database is 300 files, and
to make and drop them on a disk takes longer than most tests do with what is in them.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from gateway.keys import Keyring
from gateway.migrations import expected_revision, migrate, set_role_passwords
from gateway.private_postgres import private_postgres
from gateway.server_account import server_account
from schema.migrations import versions

MAINTENANCE = "postgres"

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}
"""The test server may lose everything at a power cut: `make clean` and it is made anew."""

PREFIX: Final = "gateway_test_"
"""Of the names of databases that are dropped after use. The number of the process that made it follows."""

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, for data that tests make up
ROOM: Final = 2**30
"""Bytes that have to be free there: a database has 10 MB, and few tests have more than three at a time."""

ON_DISK: Final = "pg_default"
IN_MEMORY: Final = "in_memory"
"""Tablespaces."""


@dataclass(frozen=True, slots=True)
class TestServer:
    """Where the run's databases are. `url` is the owner's, of the maintenance database."""

    __test__ = False

    url: str
    folder: Path
    keys: Keyring = field(repr=False)
    space: str = ON_DISK

    def url_of(self, database: str) -> str:
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(path=f"/{database}"))

    async def execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def names(self, query: str, *arguments: str) -> list[str]:
        connection = await asyncpg.connect(self.url)
        try:
            return [row[0] for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()

    async def template(self) -> str:
        """A migrated database that is only ever copied. Its name says which revisions it has."""
        name = f"gateway_template_{_revisions_digest()}"
        with _file_lock(self.folder / "template.lock"):
            connection = await asyncpg.connect(self.url)
            try:
                if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                    draft = f"{name}_draft"
                    await connection.execute(f"DROP DATABASE IF EXISTS {draft} WITH (FORCE)")
                    await connection.execute(f"CREATE DATABASE {draft}")
                    await migrate(self.url_of(draft), {})
                    await connection.execute(f"ALTER DATABASE {draft} RENAME TO {name}")
            finally:
                await connection.close()
            await set_role_passwords(self.url, self.keys.role_passwords)
        return name

    @asynccontextmanager
    async def database_url(self, template: str = "template1") -> AsyncIterator[str]:
        """The owner's URL of a database of one's own, copied from `template` and dropped at the end."""
        name = f"{PREFIX}{os.getpid()}_{secrets.token_hex(6)}"
        how = f"STRATEGY file_copy TABLESPACE {self.space}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template} {how}")
        try:
            yield self.url_of(name)
        finally:
            await self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@asynccontextmanager
async def server(folder: Path, keys: Keyring, external_url: str | None) -> AsyncIterator[TestServer]:
    """The server of this run: yours when `external_url` names one, else a private one in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nothing else runs yet
    if external_url is not None:
        yield TestServer(external_url, folder, keys)
        return
    with private_postgres(folder, keys.owner_password, overrides=FAST) as private:
        made = TestServer(private.url(MAINTENANCE), folder, keys)
        with _file_lock(folder / "template.lock"):
            space = await _space(made)
        yield replace(made, space=space)


async def _space(made: TestServer) -> str:
    """The tablespace for databases of tests; those that a killed run left behind are dropped.

    What is in memory is gone after a restart of the machine, and the tablespace is then made again.
    """
    place = MEMORY / f"gateway-tests-{sha256(bytes(made.folder.resolve())).hexdigest()[:16]}"
    for name in await made.names("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", PREFIX):
        if not (place.exists() and _lives(int(name.removeprefix(PREFIX).partition("_")[0]))):
            await made.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    known = await made.names("SELECT spcname FROM pg_tablespace WHERE spcname = $1", IN_MEMORY)
    if known and place.exists():
        return IN_MEMORY
    if known:
        await made.execute(f"DROP TABLESPACE {IN_MEMORY}")
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        return ON_DISK
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    server_account().own(place)
    await made.execute(f"CREATE TABLESPACE {IN_MEMORY} LOCATION '{place}'")
    return IN_MEMORY


def _lives(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _revisions_digest() -> str:
    """Changes with any change of a revision, so that a template is never out of date."""
    digest = sha256(str(expected_revision()).encode())
    for path in sorted(Path(versions.__path__[0]).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
