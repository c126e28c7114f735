"""One PostgreSQL for the whole run, and a fresh migrated database for whoever asks.

The workers of a split run share the private server: it lives as long as its last user. With
`GATEWAY_DATABASE_URL` set, that server is used; its roles get the passwords of the test keys.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from gateway.keys import Keyring
from gateway.migrations import expected_revision, migrate, set_role_passwords
from gateway.private_postgres import private_postgres
from schema.migrations import versions

MAINTENANCE = "postgres"

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}
"""The test server may lose everything at a power cut: `make clean` and it is made anew."""


@dataclass(frozen=True, slots=True)
class TestServer:
    """Where the run's databases are. `url` is the owner's, of the maintenance database."""

    __test__ = False

    url: str
    folder: Path
    keys: Keyring = field(repr=False)

    def url_of(self, database: str) -> str:
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(path=f"/{database}"))

    async def execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(statement)
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
        name = f"gateway_test_{secrets.token_hex(6)}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url_of(name)
        finally:
            await self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def server(folder: Path, keys: Keyring, external_url: str | None) -> Iterator[TestServer]:
    """The server of this run: yours when `external_url` names one, else a private one in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    if external_url is not None:
        yield TestServer(external_url, folder, keys)
        return
    with private_postgres(folder, keys.owner_password, overrides=FAST) as private:
        yield TestServer(private.url(MAINTENANCE), folder, keys)


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
