"""Keeps the policy in force as the database has it: after a publication, and when a notice period is over.

1. at start: a database without a policy begins with that of the settings; what is due is applied;
2. each line of the revocation log about the policy lets it be read again, in every replica;
3. when something is due, whichever replica comes first decides the shares again (`apply_due`); the others
   hear of it by 2, or find it done.

A policy that cannot be read stops nothing but what depends on its being known: answers to partners.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Final, Self

from gateway.background import Background
from gateway.database import Database
from gateway.policy_in_force import PolicyInForce
from gateway.telemetry import event, failure
from policies.directory import PolicyDirectory
from resolvers.policy_versions import Compiler, PolicyInDatabase, apply_due, begin, require_policy
from resolvers.revocations import RevocationKind
from schema.errors import PolicyError

LOOK: Final = 1.0
"""Seconds between two looks at the clock: as late is applied what is due."""

REREAD: Final = 60.0
"""Seconds after which it is read though nobody told of another: against whatever was missed."""


class PolicyKeeper:
    """`async with` it around serving: before the first request the shares follow the policy in force."""

    def __init__(
        self,
        database: Database,
        policy: PolicyInForce,
        directory: PolicyDirectory,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._policy = policy
        self._directory = directory
        self._clock = clock
        self._compile = Compiler((directory.source, policy()))
        self._told = asyncio.Event()
        self._background = Background()

    async def __aenter__(self) -> Self:
        """Begin, apply what is due, and go on doing so."""
        async with self._database.transaction() as connection:
            await begin(connection, self._directory, self._clock())
            found = await require_policy(connection)
        if found.sources[found.number].digest != self._directory.source.digest:
            # Nobody is to think that a directory decides: what was published does.
            event("policy.directory_differs", published=found.number)
        await self._compiled(found)
        await self.round()
        self._background.start(self._run(), "policy")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""
        await self._background.stop()

    def hear(self, kind: RevocationKind, _subject: str) -> None:
        """A line of the revocation log."""
        if kind is RevocationKind.POLICY:
            self._policy.outdated()
            self._told.set()

    async def round(self) -> None:
        """Apply what is due, and hold what the database has."""
        heard = self._policy.heard
        async with self._database.connection() as connection:
            found = await require_policy(connection)
        # Half a second of work for a policy not seen before: beside the requests, and not in the turn.
        await self._compiled(found)
        if found.is_due(self._clock(), self._compile):
            async with self._database.transaction() as connection:
                changes = await apply_due(connection, self._compile, self._clock())
                found = await require_policy(connection)
            if changes is not None:
                event("policy.applied", version=found.version, opened=changes.opened, changed=changes.changed)
            await self._compiled(found)
        before, after = self._policy(), found.matrix(self._compile)
        self._policy.replace(after, found.next_due, heard=heard)
        if after.digest != before.digest:
            event("policy.in_force", version=found.version, latest=found.number)

    async def _compiled(self, found: PolicyInDatabase) -> None:
        for source in found.sources.values():
            try:
                await asyncio.to_thread(self._compile, source)
            except PolicyError as error:
                failure("policy.unreadable", error)
                raise

    async def _run(self) -> None:
        waited = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._told.wait()
            due = self._policy.next_due
            waited += LOOK
            if not self._told.is_set() and waited < REREAD and (due is None or self._clock() < due):
                continue
            self._told.clear()
            waited = 0.0
            try:
                await self.round()
            except Exception as error:  # noqa: BLE001 - it is tried again; until then nothing new is believed
                failure("policy.waits", error)
                self._told.set()
                await asyncio.sleep(LOOK)
