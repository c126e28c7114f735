"""Brings a database to the structure that this program expects, and gives the two roles their passwords.

In: the owner's URL. The revisions are in `schema/migrations`; Alembic applies them, and is loaded only then:
whoever serves asks for two names. A password reaches the server only as a
SCRAM verifier made here, so neither a statement log nor a backup of the roles shows it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

import schema.migrations
from gateway.driver_errors import translate_driver_errors

_LOCK: Final = 6_417_284_309
"""The advisory lock of whoever migrates this database: any number, the same for ever."""

_SCRAM_ROUNDS: Final = 4_096
"""PostgreSQL's default. The passwords are 32 random bytes, which no number of rounds would help to guess."""

_ATTEMPTS: Final = 10

_FOLDER: Final = Path(schema.migrations.__file__).parent


async def migrate(owner_url: str, passwords: Mapping[str, str], *, revision: str = "head") -> None:
    """Apply the missing revisions and set the passwords of the roles in `passwords`. Safe to repeat.

    `revision` is where to stop: a test of a later one fills the tables as they were.

    Raises:
        UnavailableError: the server does not answer, or refuses the owner.
    """
    engine = owner_engine(owner_url)
    try:
        with translate_driver_errors():
            async with engine.begin() as connection:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                await connection.run_sync(_upgrade, revision)
    finally:
        await engine.dispose()
    await set_role_passwords(owner_url, passwords)


async def set_role_passwords(owner_url: str, passwords: Mapping[str, str]) -> None:
    """Give each role its password. Roles belong to the whole server, not to one database."""
    with translate_driver_errors():
        connection = await asyncpg.connect(owner_url, timeout=10)
        try:
            for role, password in passwords.items():
                await _set_password(connection, role, password)
        finally:
            await connection.close()


async def current_revision(owner_url: str) -> str | None:
    """The revision that the database is at; None when it is empty."""
    with translate_driver_errors():
        connection = await asyncpg.connect(owner_url, timeout=10)
        try:
            if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
                return None
            found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        finally:
            await connection.close()
    return found


def expected_revision() -> str:
    """The revision that this program expects: the files of the revisions begin with their numbers."""
    return max(path.name.split("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*_*.py"))


def owner_engine(owner_url: str) -> AsyncEngine:
    """SQLAlchemy over the owner's URL, read as PostgreSQL's own tools read it (`?host=`, `?sslmode=`)."""

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(owner_url, timeout=10)

    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """What PostgreSQL stores of a password (RFC 5802, RFC 7677). The password has to be ASCII."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _SCRAM_ROUNDS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    server = hmac.digest(salted, b"Server Key", "sha256")
    stored = hashlib.sha256(client).digest()
    encoded = [b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${_SCRAM_ROUNDS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _upgrade(connection: Connection, revision: str) -> None:
    # Alembic, its templates and their highlighting take 8 MB, which whoever serves does without.
    from alembic import command  # noqa: PLC0415 - as said above
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def _set_password(connection: asyncpg.Connection[asyncpg.Record], role: str, password: str) -> None:
    """Two databases of one server may do this at once: the loser tries again."""
    for attempt in range(_ATTEMPTS):
        try:
            await connection.execute(f"ALTER ROLE {role} PASSWORD '{scram_verifier(password)}'")
        except asyncpg.InternalServerError:
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.05 * (attempt + 1))
        else:
            return
