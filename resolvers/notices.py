"""The announcements of new practices (C16), for everybody who opens the home page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from resolvers.connection import Link

MOST: Final = 20
"""Announcements that are shown, the latest first."""


@dataclass(frozen=True, slots=True)
class PublishedNotice:
    """One announcement."""

    title: str
    body: str
    published_at: datetime
    effective_at: datetime


async def published_notices(connection: Link, now: datetime) -> Sequence[PublishedNotice]:
    """What has been announced by now, the latest first."""
    rows = await connection.fetch(
        "SELECT title, body, published_at, effective_at FROM notice WHERE published_at <= $1"
        " ORDER BY published_at DESC, id DESC LIMIT $2",
        now,
        MOST,
    )
    return [PublishedNotice(**dict(row)) for row in rows]
