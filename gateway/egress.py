"""The one way out to a partner: recorded first, then only what the credential still admits.

In: what is about to leave, as an entry of the disclosure log. Out: nothing but permission. Whoever has bytes
for a partner (an answer, a chunk of a stream, a webhook) waits for `release` before the first of them goes.

1. the record is durable (R2);
2. the token, its client and its agreement still count, this very moment: they may have ended since the
   request began, or since the chunk before.

INVARIANT (recorded-then-released): `release` returns only after both; every other outcome raises, and the
caller sends nothing. A record may exist for what was never sent: it says at least what left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from policies.principal import PartnerPrincipal
from resolvers.disclosure_log import DisclosureEntry, DisclosureLog

Confirm: TypeAlias = Callable[[PartnerPrincipal], Awaitable[None]]
"""Returns if the principal's credential still counts; raises `UnauthenticatedError` or `UnavailableError`."""


class Egress:
    """One for a process."""

    def __init__(self, log: DisclosureLog, confirm: Confirm) -> None:
        self._log = log
        self._confirm = confirm

    async def release(self, entry: DisclosureEntry) -> None:
        """Return once what `entry` tells of may leave.

        Raises:
            DisclosureUnrecordedError: it could not be recorded (R2).
            UnauthenticatedError: the credential ended meanwhile.
            UnavailableError: whether it did cannot be found out.
        """
        await self._log.record(entry)  # 1
        await self._confirm(entry.principal)  # 2

    async def confirm(self, principal: PartnerPrincipal) -> None:
        """Return if the credential still counts: for a stream that waits with nothing to send.

        Raises:
            UnauthenticatedError: it ended meanwhile.
            UnavailableError: whether it did cannot be found out.
        """
        await self._confirm(principal)
