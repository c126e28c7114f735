"""What partners who mail are told of addresses that they have brought."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import strawberry

from schema.catalogue import computed, structural
from schema.categories import DataCategory

_EMAIL = DataCategory.EMAIL
"""Whether an address may be used goes with the scope for addresses; it is recorded as a privacy choice."""


@strawberry.enum(
    name="SuppressionKind", description="Whether an address must not be mailed, or may be again."
)
class SuppressionKind(StrEnum):
    """What has changed about an address."""

    SUPPRESSED = "SUPPRESSED"
    LIFTED = "LIFTED"


@strawberry.type(
    name="SuppressionChange", description="That something was asked about an address that you have brought."
)
class SuppressionChangeType:
    """One line of the feed."""

    kind: SuppressionKind = computed(_EMAIL, "SUPPRESSED: do not mail. LIFTED: it is allowed again.")
    digest: str = computed(
        _EMAIL, "The address, as you brought it: HMAC-SHA256 under your key, in hexadecimal."
    )
    requested_at: datetime = computed(_EMAIL, "The date of the request that decides (C11).")


@strawberry.type(name="SuppressionPage", description="Changes in order; each address at most once.")
class SuppressionPageType:
    """A page of the feed."""

    changes: list[SuppressionChangeType] = structural("The changes, oldest first.")
    end_cursor: str = structural("Pass it as `after` to go on behind this page, now or later.")
    has_next_page: bool = structural("Whether there are more already.")


__all__ = ["SuppressionChangeType", "SuppressionKind", "SuppressionPageType"]
