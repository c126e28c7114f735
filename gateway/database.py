"""The connections of a running gateway: one pool for reads, one for commands, each under its own role.

INVARIANT (reader-cannot-write): the reader's role has SELECT only, its sessions are read-only, and it has no
grant on `vault`; a mistake in a projection is refused by the database itself.

The pools send no reset when a connection is released: a reset is a round trip, and cost small reads a third
of their throughput. Nobody may therefore change the state of a session outside a transaction
(`SET LOCAL`, never `SET`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from gateway.driver_errors import translate_driver_errors
from gateway.keys import Keyring
from gateway.lending import Lender
from gateway.private_postgres import DATABASE, OWNER, PrivatePostgres, private_postgres
from gateway.settings import Settings
from resolvers.disclosure_log import use_bytes

READER: Final = "gateway_reader"
APP: Final = "gateway_app"

DISCLOSURE_CONNECTIONS: Final = 1
"""One writer commits for all: a second connection would only split its batches."""

STATEMENTS_KEPT: Final = 300
"""Prepared on each connection; who was used least recently goes first. Preparing one anew costs several times
what running it costs; each takes some tens of kilobytes of PostgreSQL's memory."""

CONNECT_TIMEOUT: Final = 10
"""Seconds for one connection to open, signing in included."""

_READER_SESSION: Final = {
    "default_transaction_read_only": "on",
    # Statements are compiled once a plan: without this, the first five runs of each are planned anew.
    "plan_cache_mode": "force_generic_plan",
    # Such a plan does not know how long a page is: PostgreSQL takes a tenth of all rows for it, and then
    # hashes or sorts whole tables. Every read here finds a few rows by their keys, one after the other.
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


@dataclass(frozen=True, slots=True)
class Database:
    """An open database. `url` is the owner's: for migrations only, and never logged.

    `reader` and `app` are asyncpg pools; wrap their use in `translate_driver_errors`.
    """

    url: str = field(repr=False)
    reader: asyncpg.Pool[asyncpg.Record]
    app: asyncpg.Pool[asyncpg.Record]
    disclosures: asyncpg.Pool[asyncpg.Record]
    """For the disclosure log alone: commands that wait for each other must not keep it waiting."""
    reads: Lender
    """The reader's connections for single statements, which is what requests are made of."""
    records: Lender
    """Those of `disclosures`, for the one who writes records."""
    app_connect_arguments: dict[str, Any] = field(repr=False)

    async def listen(self) -> asyncpg.Connection[asyncpg.Record]:
        """A connection of its own under the role of commands, for LISTEN. The caller closes it."""
        with translate_driver_errors():
            return await asyncpg.connect(**self.app_connect_arguments)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[PoolConnectionProxy[asyncpg.Record]]:
        """A connection under the role of commands, for a statement that is a transaction of its own."""
        with translate_driver_errors():
            async with self.app.acquire() as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PoolConnectionProxy[asyncpg.Record]]:
        """One transaction under the role of commands, committed at the end or not at all."""
        with translate_driver_errors():
            async with self.app.acquire() as connection, connection.transaction():
                yield connection


@asynccontextmanager
async def owner_url(settings: Settings, keys: Keyring) -> AsyncIterator[str]:
    """The URL of the database's owner; the private server runs as long as this is open.

    Raises:
        UnavailableError: the private server does not start.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    async with _running(settings, keys) as server:
        with translate_driver_errors():
            await _ensure_database(server)
        yield server.url()


@asynccontextmanager
async def open_database(settings: Settings, keys: Keyring) -> AsyncIterator[Database]:
    """The database of these settings, with a private server where they name none. It has to be migrated.

    Raises:
        UnavailableError: it does not answer, or its roles have other passwords than the keys say.
    """
    async with owner_url(settings, keys) as url, open_pools(url, settings, keys) as database:
        yield database


@asynccontextmanager
async def open_pools(url: str, settings: Settings, keys: Keyring) -> AsyncIterator[Database]:
    """Both pools on the database that `url` names, each under its role."""
    async with AsyncExitStack() as stack:
        timeout = {"statement_timeout": str(round(settings.statement_timeout * 1_000))}
        reader_arguments = _arguments(url, READER, keys, {**_READER_SESSION, **timeout})
        app_arguments = _arguments(url, APP, keys, timeout)
        with translate_driver_errors():
            reader = await _pool(stack, reader_arguments, settings.reader_connections)
            reads = Lender(reader, settings.reader_connections)
            stack.push_async_callback(reads.close)
            app = await _pool(stack, app_arguments, settings.app_connections)
            # INVARIANT (recorded-before-released): commits here are durable, whatever the server's default.
            durable = _arguments(url, APP, keys, {**timeout, "synchronous_commit": "on"})
            disclosures = await _pool(stack, durable, DISCLOSURE_CONNECTIONS, use_bytes)
            records = Lender(disclosures, DISCLOSURE_CONNECTIONS)
            stack.push_async_callback(records.close)
        yield Database(url, reader, app, disclosures, reads, records, app_arguments)


def _arguments(url: str, role: str, keys: Keyring, session: dict[str, str]) -> dict[str, Any]:
    return {
        "dsn": url,
        "user": role,
        "password": keys.role_passwords[role],
        "timeout": CONNECT_TIMEOUT,
        "server_settings": {"application_name": role, "timezone": "UTC", "jit": "off", **session},
    }


async def _pool(
    stack: AsyncExitStack,
    arguments: dict[str, Any],
    size: int,
    prepare: Callable[[Any], Coroutine[Any, Any, None]] | None = None,
) -> asyncpg.Pool[asyncpg.Record]:
    pool = await asyncpg.create_pool(
        **arguments,
        min_size=1,
        max_size=size,
        init=prepare,
        reset=_no_reset,
        statement_cache_size=STATEMENTS_KEPT,
        max_cached_statement_lifetime=0,
    )
    stack.push_async_callback(_close, pool)
    return pool


async def _no_reset(_connection: object) -> None:
    """Leave the session as it is: see the module's docstring."""


async def _close(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    """Close politely; a connection that somebody still holds does not keep the program from ending."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await pool.close()
    except TimeoutError:
        pool.terminate()


@asynccontextmanager
async def _running(settings: Settings, keys: Keyring) -> AsyncIterator[PrivatePostgres]:
    """The private server, started and stopped in a thread so that the loop goes on.

    A start that is cancelled half way is waited for and then undone.
    """
    server = private_postgres(settings.data_dir, keys.owner_password)
    entering = asyncio.ensure_future(asyncio.to_thread(server.__enter__))
    try:
        yield await asyncio.shield(entering)
    finally:
        await asyncio.wait((entering,))
        if entering.exception() is None:
            await asyncio.to_thread(server.__exit__, None, None, None)


async def _ensure_database(server: PrivatePostgres) -> None:
    connection = await asyncpg.connect(server.url("postgres"), timeout=CONNECT_TIMEOUT)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    except asyncpg.DuplicateDatabaseError:
        pass
    finally:
        await connection.close()
