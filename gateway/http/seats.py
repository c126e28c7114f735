"""How many long answers a partner may have under way in this process, so that none keeps the others waiting.

In: a partner that begins one. Out: a seat, for as long as the answer takes, or a refusal before it begins.
Quotas count what is asked and what is delivered; this counts what is open at the same time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from gateway.refusals import Code, refused
from schema.errors import UnavailableError


class Seats:
    """Of one kind of answer, named by `what`: so many for `each` partner, and so many `together`."""

    def __init__(self, what: str, *, each: int, together: int) -> None:
        self._what = what
        self._each = each
        self._together = together
        self._taken: Counter[UUID] = Counter()

    @contextmanager
    def taken(self, partner_id: UUID) -> Iterator[None]:
        """Have a seat.

        Raises:
            RequestRefused: TOO_MANY_STREAMS; the partner has as many as it may.
            UnavailableError: all together have.
        """
        if self._taken[partner_id] >= self._each:
            message = f"you have {self._each} {self._what} under way already: end one of them, or wait"
            raise refused(Code.TOO_MANY_STREAMS, message)
        if self._taken.total() >= self._together:
            raise UnavailableError(f"too many {self._what} are under way: try again in a moment")
        self._taken[partner_id] += 1
        try:
            yield
        finally:
            self._taken[partner_id] -= 1
            if not self._taken[partner_id]:
                del self._taken[partner_id]
