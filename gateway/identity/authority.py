"""What has been revoked, followed live from the table `revocation`.

In: the log's lines, announced by NOTIFY and polled for besides, because a notification can be missed.
Out: whether a verified token still counts, and calls to whoever caches what a line concerns.

INVARIANT (no-stale-belief): `ensure_fresh` returns only if the log was read within `revocation_staleness`
seconds; a cut listener therefore makes each request read the log itself, and a dead database makes it fail.
The caller has to call it before it believes anything cached.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from gateway.database import Database
from gateway.driver_errors import translate_driver_errors
from gateway.identity.tokens import SubjectKind, VerifiedToken
from policies.principal import ClientPrincipal
from resolvers.revocations import CHANNEL, Revocation, RevocationKind, read_revocations
from schema.errors import GatewayError, UnavailableError

READ_TIMEOUT: Final = 2.0
"""Seconds. A database that takes longer to tell what is new in a short log does not answer."""

Subscriber: TypeAlias = Callable[[RevocationKind, str], None]

Credential: TypeAlias = VerifiedToken | ClientPrincipal
"""What a revocation may concern: a token, or the partner that one was turned into."""

_Subject: TypeAlias = tuple[RevocationKind, str]


@dataclass(frozen=True, slots=True)
class Revocable:
    """The subjects whose lines in the log end a credential: put together once, because every request asks.

    Those of `whole` end it whenever it was issued, those of `earlier` if that was before. Unix seconds.
    """

    whole: tuple[_Subject, ...]
    earlier: tuple[_Subject, ...]
    issued_at: float


def revocable(credential: Credential, member: str | None = None) -> Revocable:
    """By what this one can be ended: itself, its session, its client if that is a partner's, its member.

    A front-end of members, or what officers use, may go by the id of a partner's client: it is not revoked
    with that.
    """
    whole = [(RevocationKind.TOKEN, credential.token_id)]
    earlier = []
    if isinstance(credential, VerifiedToken):
        whole.append((RevocationKind.SESSION, credential.session_id))
    if not isinstance(credential, VerifiedToken) or credential.claims.get("kind") == SubjectKind.PARTNER:
        earlier.append((RevocationKind.CLIENT, credential.client_id))
    if member is not None:
        earlier.append((RevocationKind.MEMBER, member))
    return Revocable(tuple(whole), tuple(earlier), credential.issued_at)


class Authority:
    """The state of the log in this process. Made by `follow_revocations`."""

    def __init__(self, database: Database, *, staleness: float, leeway: int) -> None:
        self._database = database
        self._staleness = staleness
        self._leeway = timedelta(seconds=leeway)
        self._heard_at = float("-inf")
        self._failed_at = float("-inf")
        self._reading = asyncio.Lock()
        self._announced = asyncio.Event()
        self._subscribers: list[Subscriber] = []
        self._begun = False
        self._over: dict[_Subject, float | None] = {}
        self._not_before: dict[_Subject, tuple[float, float | None]] = {}
        self.position = 0
        """The `seq` of the newest line that has been applied."""

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with kind and subject of each line from now on, before it is believed applied."""
        self._subscribers.append(subscriber)

    def is_revoked(self, credential: Revocable) -> bool:
        """Whether the log has ended this credential."""
        for subject in credential.whole:
            if subject in self._over:
                return True
        for subject in credential.earlier:
            line = self._not_before.get(subject)
            if line is not None and credential.issued_at <= line[0]:
                return True
        return False

    async def ensure_fresh(self) -> None:
        """Return once the log is known up to `revocation_staleness` seconds ago.

        Raises:
            UnavailableError: the database does not answer in that time.
        """
        arrived_at = time.monotonic()
        if arrived_at - self._heard_at <= self._staleness:
            return
        async with self._reading:
            if self._heard_at >= arrived_at:
                return
            if self._failed_at >= arrived_at:
                # Whoever held the lock found nobody at home: not everyone has to wait for that in turn.
                raise UnavailableError("the database does not answer: try again")
            async with self._bounded(), self._database.app.acquire() as connection:
                await self._read(connection)

    async def catch_up(self) -> None:
        """Read the log now. Without an answer it is known as before: soon again, or nothing is believed."""
        with suppress(GatewayError):
            async with self._reading, self._bounded(), self._database.app.acquire() as connection:
                await self._read(connection)

    async def follow(self) -> None:
        """Follow the log until cancelled; after a cut, connect again."""
        while True:
            with suppress(GatewayError):
                await self._follow_once()
            await asyncio.sleep(self._staleness / 2)

    async def _follow_once(self) -> None:
        connection = await self._database.listen()
        try:
            with translate_driver_errors():
                await connection.add_listener(CHANNEL, self._on_announcement)
            while not connection.is_closed():
                self._announced.clear()
                async with self._reading, self._bounded():
                    await self._read(connection)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._staleness / 2):
                        await self._announced.wait()
        finally:
            connection.terminate()

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        """A database that hangs is one that does not answer."""
        try:
            with translate_driver_errors():
                async with asyncio.timeout(READ_TIMEOUT):
                    yield
        except GatewayError:
            self._failed_at = time.monotonic()
            raise

    async def _read(self, connection: Any) -> None:
        # The moment before the question: whatever commits after it is not in the answer.
        asked_at = time.monotonic()
        alive_since = datetime.now(UTC) - self._leeway
        alive_at = None if self._begun else alive_since
        for line in await read_revocations(connection, after=self.position, alive_at=alive_at):
            self._apply(line)
        self._begun = True
        self._forget_expired(alive_since.timestamp())
        self._heard_at = asked_at

    def _apply(self, line: Revocation) -> None:
        expires_at = None if line.expires_at is None else line.expires_at.timestamp()
        match line.kind:
            case RevocationKind.TOKEN | RevocationKind.SESSION:
                self._over[line.kind, line.subject] = expires_at
            case RevocationKind.CLIENT | RevocationKind.MEMBER:
                self._not_before[line.kind, line.subject] = (line.revoked_at.timestamp(), expires_at)
            case RevocationKind.AGREEMENT | RevocationKind.POLICY:
                pass
        for subscriber in self._subscribers:
            subscriber(line.kind, line.subject)
        self.position = line.seq

    def _forget_expired(self, before: float) -> None:
        for key in [key for key, end in self._over.items() if end is not None and end < before]:
            del self._over[key]
        for key in [key for key, (_, end) in self._not_before.items() if end is not None and end < before]:
            del self._not_before[key]

    def _on_announcement(self, *_: object) -> None:
        self._announced.set()


@asynccontextmanager
async def follow_revocations(
    database: Database, *, staleness: float, leeway: int
) -> AsyncIterator[Authority]:
    """An authority that has read the whole log, and follows it as long as this is open.

    Raises:
        UnavailableError: the database does not answer.
    """
    authority = Authority(database, staleness=staleness, leeway=leeway)
    await authority.ensure_fresh()
    following = asyncio.create_task(authority.follow(), name="follow revocations")
    try:
        yield authority
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
