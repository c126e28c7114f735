"""The compiled policy that decides now: one holder for a gateway, asked anew by each request.

Publishing replaces what it holds, in every replica, without a restart; who asked before goes on with what it
was given, and is asked before its answer leaves whether that still says the same (`mark`).
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from policies.matrix import Matrix
from policies.versions import fingerprint
from schema.categories import Basis, Purpose
from schema.errors import UnavailableError

READING: Final = 5.0
"""Seconds in which another policy is read and compiled, or answers to partners have to be asked for again."""


class PolicyInForce:
    """Call it for the compiled policy of this moment."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix
        self._marks: dict[tuple[Basis, Purpose], object] = {}
        self._known = asyncio.Event()
        self._known.set()
        self.heard = 0
        """How often it was told that another one decides."""
        self.next_due: datetime | None = None
        """When something else is to decide; None while nothing is to come."""

    def __call__(self) -> Matrix:
        """The policy that decides now."""
        return self._matrix

    def replace(self, matrix: Matrix, next_due: datetime | None = None, *, heard: int | None = None) -> None:
        """Decide by this one from now on.

        `heard`: how often it had been told of another when this one was read.
        """
        if matrix.digest != self._matrix.digest:
            self._marks.clear()
        self._matrix, self.next_due = matrix, next_due
        if heard is None or heard == self.heard:
            self._known.set()

    def outdated(self) -> None:
        """Another policy decides by now, and has yet to be read."""
        self.heard += 1
        self._known.clear()

    def mark(self, basis: Basis, purpose: Purpose) -> object:
        """Stands for what it says about a basis and a purpose: equal only if everybody is decided alike."""
        known = self._marks.get((basis, purpose))
        if known is None:
            known = self._marks[basis, purpose] = fingerprint(self._matrix, basis, purpose)
        return known

    async def settled(self) -> None:
        """Return once the policy is known that was last told of.

        Raises:
            UnavailableError: it cannot be read.
        """
        if self._known.is_set():
            return
        try:
            async with asyncio.timeout(READING):
                await self._known.wait()
        except TimeoutError:
            raise UnavailableError("the sharing policy is being replaced: try again") from None
