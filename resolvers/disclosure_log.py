"""The disclosure log (R2): what leaves to a partner is recorded first, durably, or does not leave.

Requests that are under way at the same time share commits: a record waits `flush_interval` for
company, then all waiting records are written in one transaction with a synchronous commit, and only
then does `record` return.

INVARIANT (recorded-before-released): `record` returns only after the commit; every other outcome
raises, and the caller sends nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self
from uuid import UUID

from policies.principal import PartnerPrincipal
from schema.categories import DataCategory
from schema.errors import DisclosureUnrecordedError
from schema.ids import new_id

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DisclosureEntry:
    """What one response holds: of whom, and which categories."""

    principal: PartnerPrincipal
    recorded_at: datetime
    operation_name: str | None
    operation_hash: str
    categories: frozenset[DataCategory]
    members: Sequence[UUID]

    def row(self) -> tuple[Any, ...]:
        """The columns of `disclosure`, in the order of `_INSERT`."""
        who = self.principal
        return (
            new_id(),
            self.recorded_at,
            who.partner_id,
            who.agreement_id,
            who.client_id,
            who.token_id,
            self.operation_name,
            self.operation_hash,
            who.basis.value,
            who.purpose.value,
            sorted(category.value for category in self.categories),
            list(self.members),
        )


_INSERT = (
    "INSERT INTO disclosure (id, recorded_at, partner_id, agreement_id, client_id, token_id,"
    " operation_name, operation_hash, basis, purpose, categories, members)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)


class ConnectionSource(Protocol):
    """A pool whose role may insert into `disclosure`."""

    def acquire(self) -> AbstractAsyncContextManager[Any]:
        """A connection for the length of the context."""


class DisclosureLog:
    """The writer. One for a process; `async with` it around serving."""

    def __init__(self, connections: ConnectionSource, *, flush_interval: float, timeout: float) -> None:
        self._connections = connections
        self._flush_interval = flush_interval
        self._timeout = timeout
        self._waiting: list[tuple[DisclosureEntry, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the writer."""
        self._task = asyncio.create_task(self._run(), name="disclosure-log")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop the writer; whoever still waits is refused."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._settle(self._waiting, DisclosureUnrecordedError("the service is stopping: try again"))
        self._waiting = []

    async def record(self, entry: DisclosureEntry) -> None:
        """Return once the record is durable.

        Raises:
            DisclosureUnrecordedError: it is not, for whatever reason. The caller must send nothing.
        """
        if self._task is None or self._task.done():
            raise DisclosureUnrecordedError("the disclosure could not be recorded: try again")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        self._wake.set()
        try:
            async with asyncio.timeout(self._timeout):
                await done
        except TimeoutError as error:
            raise DisclosureUnrecordedError(
                "the disclosure could not be recorded in time: try again"
            ) from error

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            if self._flush_interval:
                await asyncio.sleep(self._flush_interval)
            self._wake.clear()
            batch, self._waiting = self._waiting, []
            try:
                await self._commit([entry.row() for entry, _ in batch])
            except asyncio.CancelledError:
                self._settle(batch, DisclosureUnrecordedError("the service is stopping: try again"))
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing was recorded and nothing leaves
                # The type only: a driver's message may quote values.
                fields = {"records": len(batch), "cause": type(error).__name__}
                logger.error("disclosures not recorded", extra={"fields": fields})  # noqa: TRY400
                self._settle(
                    batch, DisclosureUnrecordedError("the disclosure could not be recorded: try again")
                )
            else:
                self._settle(batch, None)

    async def _commit(self, rows: list[tuple[Any, ...]]) -> None:
        async with (
            asyncio.timeout(self._timeout),
            self._connections.acquire() as connection,
            connection.transaction(),
        ):
            await connection.execute("SET LOCAL synchronous_commit = on")
            await connection.executemany(_INSERT, rows)

    @staticmethod
    def _settle(
        batch: Sequence[tuple[DisclosureEntry, asyncio.Future[None]]], error: DisclosureUnrecordedError | None
    ) -> None:
        for _, done in batch:
            if done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
