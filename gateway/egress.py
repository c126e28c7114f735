"""The one way out to a partner: recorded first, then only what the credential still admits.

In: what is about to leave, as an entry of the disclosure log. Out: nothing but permission. Whoever has bytes
for a partner (an answer, a chunk of a stream, a webhook) waits for `release` before the first of them goes.

1. as many members are left of the quotas of the day, and are spent;
2. the record is durable (R2);
3. the token, its client and its agreement still count, this very moment: they may have ended since the
   request began, or since the chunk before.

INVARIANT (recorded-then-released): `release` returns only after all three; every other outcome raises, and
the caller sends nothing. What has no record was not spent either. A record may exist for what was never
sent: it says at least what left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from policies.principal import ClientPrincipal, PartnerPrincipal
from resolvers.disclosure_log import DisclosureEntry, DisclosureLog

Confirm: TypeAlias = Callable[[ClientPrincipal], Awaitable[None]]
"""Returns if the principal's credential still counts; raises `UnauthenticatedError` or `UnavailableError`."""


class Spent(Protocol):
    """Members of a quota that were spent."""

    def refund(self) -> None:
        """They were not delivered."""


SpendMembers: TypeAlias = Callable[[PartnerPrincipal, int], Awaitable[Spent]]
"""Spends of the quotas; raises `QuotaExceededError` or `UnavailableError` where that cannot be."""


class Egress:
    """One for a process. Without `spend` nothing is counted: for tests of something else."""

    def __init__(self, log: DisclosureLog, confirm: Confirm, spend: SpendMembers | None = None) -> None:
        self._log = log
        self._confirm = confirm
        self._spend = spend

    async def release(self, entry: DisclosureEntry, *, counted: int | None = None) -> None:
        """Return once what `entry` tells of may leave.

        CLAUSE (R2): the one way out to a partner waits for the durable record.

        `counted` is how many members it delivers, for the quotas: those of the record unless it is given.
        What takes data back (a withdrawal, a deletion that is owed) delivers none, and no quota keeps it
        from arriving.

        Raises:
            QuotaExceededError: it delivers more members than are left.
            DisclosureUnrecordedError: it could not be recorded (R2).
            UnauthenticatedError: the credential ended meanwhile.
            UnavailableError: whether it did cannot be found out.
        """
        members = len(entry.members) if counted is None else counted
        spent = None if self._spend is None else await self._spend(entry.principal, members)  # 1
        try:
            await self._log.record(entry)  # 2
        except BaseException:
            if spent is not None:
                spent.refund()
            raise
        await self._confirm(entry.principal)  # 3

    async def confirm(self, principal: ClientPrincipal) -> None:
        """Return if the credential still counts: for a stream that waits with nothing to send, or counts.

        Raises:
            UnauthenticatedError: it ended meanwhile.
            UnavailableError: whether it did cannot be found out.
        """
        await self._confirm(principal)
