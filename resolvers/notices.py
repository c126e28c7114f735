"""The announcements of new practices (C16), for everybody: on the home page, and as `notices`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from resolvers.connection import Link
from schema.categories import Basis, Purpose
from schema.vocabulary import Language

MOST: Final = 20
"""Announcements of what has begun that are shown: the latest. Those of what is to come are shown all."""

_SHOWN: Final = "published_at <= $1 AND (withdrawn_at IS NULL OR withdrawn_at > $1)"
_LATEST: Final = "ORDER BY published_at DESC, id DESC"


@dataclass(frozen=True, slots=True)
class PublishedNotice:
    """One announcement."""

    id: UUID
    title: str
    body: str
    basis: Basis
    purpose: Purpose
    categories: list[str]
    published_at: datetime
    effective_at: datetime


async def published_notices(
    connection: Link, now: datetime, language: Language | None = None
) -> Sequence[PublishedNotice]:
    """What has been announced by now, the latest first, in this language where it was published in it.

    None: in the company's own.

    CLAUSE (C16): a new practice is announced to everybody, with the day on which it begins.
    """
    rows = await connection.fetch(
        "SELECT id, coalesce(translations -> $3::text ->> 'title', title) AS title,"
        " coalesce(translations -> $3::text ->> 'body', body) AS body, basis, purpose, categories,"
        f" published_at, effective_at FROM notice WHERE {_SHOWN} AND (effective_at > $1 OR id IN"
        f" (SELECT id FROM notice WHERE {_SHOWN} AND effective_at <= $1 {_LATEST} LIMIT $2)) {_LATEST}",
        now,
        MOST,
        language,
    )
    return [
        PublishedNotice(**(dict(row) | {"basis": Basis(row["basis"]), "purpose": Purpose(row["purpose"])}))
        for row in rows
    ]
