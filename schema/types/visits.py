"""Inputs of the cookie choice and of page views (C3, C4)."""

from __future__ import annotations

import strawberry

from schema.catalogue import accepts
from schema.categories import DataCategory


@strawberry.input(name="ChooseCookiesInput", description="Which cookies may be kept.")
class ChooseCookiesInput:
    """The choice of a visitor; it is kept in a cookie and nowhere else."""

    tracking: bool = accepts(
        DataCategory.PRIVACY_PREFERENCES, "Whether pages that you look at while signed in may be recorded."
    )


@strawberry.input(name="RecordPageViewInput", description="A page that was looked at.")
class RecordPageViewInput:
    """Recorded only with the visitor's choice."""

    path: str = accepts(
        DataCategory.BROWSING_HISTORY, "The page, from `/` on. What follows `?` or `#` is not kept."
    )
    referrer: str | None = accepts(
        DataCategory.BROWSING_HISTORY,
        "Where the visit came from: an address on the web. Its query is not kept.",
        optional=True,
    )
    seconds: int | None = accepts(
        DataCategory.BROWSING_HISTORY, "How long it was looked at, up to now; 0 if not given.", optional=True
    )
