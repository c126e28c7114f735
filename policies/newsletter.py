"""Whether a member wants our newsletter, folded from what the member said about it (C9, C11)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from schema.vocabulary import Direction


def wants_newsletter(said: Iterable[tuple[datetime, Direction]]) -> bool:
    """Fold the dates and directions of all requests about the newsletter, in any order.

    CLAUSE (C9, C11): promotional mail goes to whoever asked for it last, and to nobody who never did.

    The latest date wins, at equal dates OUT, and whoever said nothing does not want it.
    """
    latest = max(said, key=lambda request: (request[0], request[1] is Direction.OUT), default=None)
    return latest is not None and latest[1] is Direction.IN
