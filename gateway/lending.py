"""Lends connections for one statement at a time.

In: a statement and its parameters. Out: its rows, or an error of ours. asyncpg's pool makes a task at each
release, which costs as much processor time as a small read itself; here a connection that has answered goes
to the next in the queue. Whatever is not sound any more (cut, or cancelled in the middle of an answer) goes
back to the pool, which knows how to put it right or to replace it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from gateway.driver_errors import translate_driver_errors, translated

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"


class Lender:
    """At most `most` connections of a pool, kept until `close`. Who comes first is served first."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], most: int) -> None:
        self._pool = pool
        self._most = most
        self._held = 0
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._returning: set[asyncio.Future[None]] = set()

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any]:
        """The rows of one statement.

        Raises:
            UnavailableError: the database does not answer.
            GatewayError: it refuses the statement.
        """
        connection = self._sound() or await self._obtain()
        try:
            rows: Sequence[Any] = await connection.fetch(sql, *parameters)
        except asyncpg.PostgresError as error:
            self._pass_on(connection)
            failure = translated(error)
            raise failure from failure.__cause__
        except BaseException:
            self._return(connection)
            with translate_driver_errors():
                raise
        self._pass_on(connection)
        return rows

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """A connection for several statements, or for one whose rows nobody wants."""
        connection = self._sound() or await self._obtain()
        try:
            with translate_driver_errors():
                yield connection
        except BaseException:
            self._return(connection)
            raise
        self._pass_on(connection)

    async def close(self) -> None:
        """Give everything back to the pool."""
        self._most = 0
        while self._idle:
            self._return(self._idle.pop())
        if self._returning:
            await asyncio.wait(self._returning)

    def _sound(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if _is_sound(connection):
                return connection
            self._return(connection)
        return None

    async def _obtain(self) -> Connection:
        while self._held >= self._most > 0:
            place: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                given = await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._hand_over(place.result())  # it came at the moment when nobody wanted it any more
                raise
            if given is not None:
                return given
        self._held += 1
        try:
            with translate_driver_errors():
                return await self._pool.acquire()
        except BaseException:
            self._held -= 1
            self._hand_over(None)
            raise

    def _pass_on(self, connection: Connection) -> None:
        if self._most and _is_sound(connection):
            self._hand_over(connection)
        else:
            self._return(connection)

    def _hand_over(self, connection: Connection | None) -> None:
        """To the next in the queue; None says that there is room for one more."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(connection)
                return
        if connection is not None:
            self._idle.append(connection)

    def _return(self, connection: Connection) -> None:
        """Back to the pool, which waits until a cancelled statement has ended; nobody here waits for that."""
        self._held -= 1
        task = asyncio.ensure_future(self._pool.release(connection))
        self._returning.add(task)
        task.add_done_callback(self._returned)
        self._hand_over(None)

    def _returned(self, task: asyncio.Future[None]) -> None:
        self._returning.discard(task)
        if not task.cancelled():
            task.exception()  # the pool has thrown it away


def _is_sound(connection: Connection) -> bool:
    """Whether it is still open; the pool takes one back by itself that the server has ended."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        return False
