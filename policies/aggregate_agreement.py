"""The terms of an agreement about aggregates: what may be asked of the audience, for what, and when (C5, C7).

It is none of the five bases of C8, because no datum of a member leaves under it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from policies.agreement import counts
from policies.privacy_budget import Thousandths
from schema.categories import DataCategory, Purpose, mask_of
from schema.errors import InputError
from schema.vocabulary import DIMENSION_CATEGORIES, AgreementStatus, AudienceDimension

PURPOSES: Final = frozenset({Purpose.REPORTING, Purpose.PARTNER_OFFERS, Purpose.OWN_OFFERS})
"""What aggregates are given for: to know the audience, and to place offers (C5, C7)."""


@dataclass(frozen=True, slots=True)
class AggregateTerms:
    """What one company may ask. `budget` is what it may spend in a month. Dates are aware.

    CLAUSE (C5, C7): who asks about the audience does so under terms: what may be asked, for what, and how
    much of it.
    """

    id: UUID
    partner_id: UUID
    purpose: Purpose
    dimensions: frozenset[AudienceDimension]
    budget: Thousandths
    valid_from: datetime
    valid_until: datetime | None
    status: AgreementStatus
    version: int

    def in_force(self, now: datetime) -> bool:
        """Tell whether the agreement counts: ACTIVE, and `now` in [valid_from, valid_until)."""
        return counts(self.status, self.valid_from, self.valid_until, now)

    @property
    def categories(self) -> frozenset[DataCategory]:
        """The keys that a token's scopes may name."""
        return frozenset(DIMENSION_CATEGORIES[dimension] for dimension in self.dimensions)

    @property
    def mask(self) -> int:
        """The bits of all dimensions. It says nothing of whether the agreement is in force."""
        return mask_of(self.categories)


def dimension_mask(terms: AggregateTerms, scopes: Iterable[str]) -> int:
    """The bits of the dimensions that are left of `terms` under a token with these scopes."""
    keys = [_KEYS[scope] for scope in scopes if scope in _KEYS]
    return mask_of(c for c in terms.categories if any(key.covers(c) for key in keys))


def parse_dimensions(names: Iterable[str]) -> frozenset[AudienceDimension]:
    """Dimensions as an officer writes them.

    Raises:
        InputError: there is none, or one that is none.
    """
    found = frozenset(dimension for name in names if (dimension := _DIMENSIONS.get(_word(name))))
    if not found or not all(_word(name) in _DIMENSIONS for name in names):
        raise InputError(f"`--dimension`: one or more of {', '.join(AudienceDimension)}")
    return found


def _word(name: str) -> str:
    return name.strip().upper().replace("-", "_")


_KEYS: Final = {category.value: category for category in DataCategory}
_DIMENSIONS: Final = {dimension.value: dimension for dimension in AudienceDimension}
