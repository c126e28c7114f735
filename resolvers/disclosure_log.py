"""The disclosure log (R2): what leaves to a partner is recorded first, durably, or does not leave.

Requests that are under way at the same time share commits: a record waits `flush_interval` for
company, then all waiting records are written in one transaction with a synchronous commit, and only
then does `record` return. Where the commit before was one record's alone, none waits for company: there is
nobody who would come, and what comes during a commit shares the next one.

INVARIANT (recorded-before-released): `record` returns only after the commit; every other outcome
raises, and the caller sends nothing.

INVARIANT (one-chain-one-commit): a chain goes on only from a head that is known to be committed. Where it is
not known (a connection lost in the COMMIT, a time limit), the chain is left as it is and a new one begun: the
transaction of unknown outcome is the last that can add to the old one, so there is neither gap nor fork.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from struct import Struct
from typing import Any, Final, Protocol, Self
from uuid import UUID

from policies.disclosure_chain import ChainedRecord, LogIds, beginning, digest
from policies.principal import PartnerPrincipal
from schema.categories import DataCategory
from schema.errors import DisclosureUnrecordedError
from schema.ids import new_id

logger = logging.getLogger(__name__)

MOST_TOGETHER: Final = 256
"""Records of one commit: they are chained in one go, and meanwhile nothing else of the process runs."""

_UNRECORDED: Final = "the disclosure could not be recorded: try again"
_LATE: Final = "the disclosure could not be recorded in time: try again"
_STOPPING: Final = "the service is stopping: try again"


@dataclass(frozen=True, slots=True)
class DisclosureEntry:
    """What one response holds: of whom, and which categories."""

    principal: PartnerPrincipal
    recorded_at: datetime
    operation_name: str | None
    operation_hash: str
    categories: frozenset[DataCategory]
    members: Sequence[UUID]

    def chained(self, writer: UUID, position: int) -> ChainedRecord:
        """The record of this entry, at its place in a chain."""
        who = self.principal
        return ChainedRecord(
            id=new_id(),
            recorded_at=self.recorded_at,
            partner_id=who.partner_id,
            agreement_id=who.agreement_id,
            client_id=who.client_id,
            token_id=who.token_id,
            operation_name=self.operation_name,
            operation_hash=self.operation_hash,
            basis=who.basis.value,
            purpose=who.purpose.value,
            categories=_sorted(self.categories),
            members=LogIds.of(self.members),
            writer=writer,
            position=position,
        )


_WRITER: Final = "INSERT INTO disclosure_writer (id, started_at) VALUES ($1, $2)"

_APPEND: Final = (
    "INSERT INTO disclosure (id, recorded_at, partner_id, agreement_id, client_id, token_id, operation_name,"
    " operation_hash, basis, purpose, categories, members, writer, position, digest)"
    " SELECT id, recorded_at, partner_id, agreement_id, client_id, token_id, operation_name, operation_hash,"
    " basis, purpose, categories::text[], members, writer, position, digest"
    " FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[],"
    " $8::text[], $9::text[], $10::text[], $11::text[], $12::log_ids[], $13::uuid[], $14::bigint[],"
    " $15::bytea[]) AS record (id, recorded_at, partner_id, agreement_id, client_id, token_id,"
    " operation_name, operation_hash, basis, purpose, categories, members, writer, position, digest)"
    " ORDER BY position"
)
"""A batch in one statement, which is one exchange and a transaction of its own.

The lists of a record are arrays in an array. The driver looks at each element of a list of its own, which
takes longer than the rest of a record; so categories, few keys of a closed vocabulary, are written here as
text, and members as the bytes of an array (`use_bytes`): PostgreSQL takes 0.5 us to read one id as text.
"""

_ARRAY: Final = Struct("!iiIii")
"""How PostgreSQL's binary form of an array begins: dimensions, nulls, type of the elements, how many, the
first index. Each element follows its length."""

_UUID_OID: Final = 2950
_ID_SIZE: Final = (16).to_bytes(4)
_EMPTY: Final = Struct("!iiI").pack(0, 0, _UUID_OID)


async def use_bytes(connection: Any) -> None:
    """Make a session ready for this log: what it is given for `log_ids` is passed on as it is.

    A database that is older than that type is left alone: nothing can be recorded in it, so nothing leaves.
    """
    with contextlib.suppress(ValueError):
        await connection.set_builtin_type_codec("log_ids", codec_name="bytea", format="binary")


def _array(members: LogIds) -> bytes:
    """The bytes of an array of ids."""
    count = len(members)
    head = _ARRAY.pack(1, 0, _UUID_OID, count, 1)
    return b"".join((head, _ID_SIZE, _ID_SIZE.join(members.ids))) if count else _EMPTY


Row = tuple[Any, ...]
"""In the order of `_APPEND`."""


def _row(record: ChainedRecord, head: bytes) -> Row:
    return (
        record.id,
        record.recorded_at,
        record.partner_id,
        record.agreement_id,
        record.client_id,
        record.token_id,
        record.operation_name,
        record.operation_hash,
        record.basis,
        record.purpose,
        f"{{{','.join(record.categories)}}}",
        _array(LogIds.of(record.members)),
        record.writer,
        record.position,
        head,
    )


@lru_cache(maxsize=1_024)
def _sorted(categories: frozenset[DataCategory]) -> tuple[str, ...]:
    """As they are stored. Few sets occur, and each again and again."""
    return tuple(sorted(category.value for category in categories))


@dataclass(frozen=True, slots=True)
class Chain:
    """One writer's chain up to a record: what follows it is a new value, and so is a new chain."""

    writer: UUID
    started_at: datetime
    position: int
    head: bytes

    @classmethod
    def begun(cls, started_at: datetime) -> Self:
        """A chain without records."""
        writer = new_id()
        return cls(writer, started_at, 0, beginning(writer, started_at))

    def following(self, entries: Sequence[DisclosureEntry]) -> tuple[Self, list[Row]]:
        """The chain with these entries at its end, and their rows."""
        position, head, rows = self.position, self.head, []
        for entry in entries:
            position += 1
            record = entry.chained(self.writer, position)
            head = digest(record, head)
            rows.append(_row(record, head))
        return type(self)(self.writer, self.started_at, position, head), rows


class ConnectionSource(Protocol):
    """A pool whose role may insert into `disclosure`, and whose sessions have `synchronous_commit` on."""

    def acquire(self) -> AbstractAsyncContextManager[Any]:
        """A connection for the length of the context."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DisclosureLog:
    """The writer. One for a process; `async with` it around serving."""

    def __init__(
        self,
        connections: ConnectionSource,
        *,
        flush_interval: float,
        timeout: float,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._connections = connections
        self._flush_interval = flush_interval
        self._timeout = timeout
        self._clock = clock
        self._chain: Chain | None = None
        self._waiting: list[tuple[DisclosureEntry, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the writer."""
        self._task = self._start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop the writer; whoever still waits is refused."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        _settle(self._waiting, DisclosureUnrecordedError(_STOPPING))
        self._waiting = []

    async def record(self, entry: DisclosureEntry) -> None:
        """Return once the record is durable.

        CLAUSE (R2): this returns after the commit of the record, or raises.

        Raises:
            DisclosureUnrecordedError: it is not, for whatever reason. The caller must send nothing.
        """
        if self._task is None:
            raise DisclosureUnrecordedError(_STOPPING)
        if self._task.done():
            self._task = self._start()  # it died of something that nobody foresaw: whom it served was refused
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        late = loop.call_later(self._timeout, _refuse, done)
        self._waiting.append((entry, done))
        self._wake.set()
        try:
            await done
        finally:
            late.cancel()

    def _start(self) -> asyncio.Task[None]:
        task = asyncio.create_task(self._run(), name="disclosure-log")
        task.add_done_callback(_report_death)
        return task

    async def _run(self) -> None:
        together = 0
        while True:
            await self._wake.wait()
            if self._flush_interval and together > 1:
                await asyncio.sleep(self._flush_interval)
            # Whoever was refused meanwhile, or has left, needs no record.
            waiting = [(entry, done) for entry, done in self._waiting if not done.done()]
            batch, self._waiting = waiting[:MOST_TOGETHER], waiting[MOST_TOGETHER:]
            if not self._waiting:
                self._wake.clear()
            together = len(batch)
            if batch:
                await self._flush(batch)

    async def _flush(self, batch: list[tuple[DisclosureEntry, asyncio.Future[None]]]) -> None:
        """Write a batch; settle it, however this ends."""
        error: DisclosureUnrecordedError | None = DisclosureUnrecordedError(_UNRECORDED)
        try:
            await self._append([entry for entry, _ in batch])
            error = None
        except asyncio.CancelledError:
            error = DisclosureUnrecordedError(_STOPPING)
            raise
        except Exception as failure:  # noqa: BLE001 - whatever it is, nothing was recorded and nothing leaves
            # The type only: a driver's message may quote values.
            fields = {"records": len(batch), "cause": type(failure).__name__}
            logger.error("disclosures not recorded", extra={"fields": fields})  # noqa: TRY400
        finally:
            _settle(batch, error)

    async def _append(self, entries: Sequence[DisclosureEntry]) -> None:
        # INVARIANT (one-chain-one-commit): no chain is at hand while the outcome of a commit is open.
        chain, self._chain = self._chain or Chain.begun(self._clock()), None
        following, rows = chain.following(entries)
        await self._commit(rows, chain)
        self._chain = following

    async def _commit(self, rows: list[Row], chain: Chain) -> None:
        """Return once the rows are durable: the sessions of this log commit synchronously."""
        columns = [list(column) for column in zip(*rows, strict=True)]
        async with asyncio.timeout(self._timeout), self._connections.acquire() as connection:
            if chain.position:
                await connection.execute(_APPEND, *columns)
                return
            async with connection.transaction():
                await connection.execute(_WRITER, chain.writer, chain.started_at)
                await connection.execute(_APPEND, *columns)


def _refuse(done: asyncio.Future[None]) -> None:
    """It took too long."""
    if not done.done():
        done.set_exception(DisclosureUnrecordedError(_LATE))


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


def _report_death(task: asyncio.Task[None]) -> None:
    """A writer ends by being told to; otherwise the next record starts another one."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("disclosure writer died", extra={"fields": {"cause": type(error).__name__}})
