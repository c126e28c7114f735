"""The terms of an agreement with a partner: which categories, on which basis, for what, and when (C8)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, Protocol
from uuid import UUID

from schema.categories import SEALED, Basis, DataCategory, Purpose, closed, expand, mask_of
from schema.errors import InputError
from schema.vocabulary import AgreementStatus


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """What one partner may receive. `categories` are keys: each covers the keys below it.

    CLAUSE (C7, C8): an agreement has exactly one basis and one purpose.

    `version` rises with every change of the terms. Dates are aware.
    """

    id: UUID
    partner_id: UUID
    basis: Basis
    purpose: Purpose
    categories: frozenset[DataCategory]
    valid_from: datetime
    valid_until: datetime | None
    status: AgreementStatus
    version: int

    def in_force(self, now: datetime) -> bool:
        """Tell whether the agreement counts: ACTIVE, and `now` in [valid_from, valid_until)."""
        return counts(self.status, self.valid_from, self.valid_until, now)

    @property
    def mask(self) -> int:
        """The bits of everything that the keys cover, closed. It says nothing of whether it is in force."""
        return _granted(self.categories)


def counts(
    status: AgreementStatus, valid_from: datetime, valid_until: datetime | None, now: datetime
) -> bool:
    """Tell whether an agreement of any kind counts: ACTIVE, and `now` in [valid_from, valid_until)."""
    begun, over = valid_from <= now, valid_until is not None and valid_until <= now
    return status is AgreementStatus.ACTIVE and begun and not over


def parse_categories(keys: Iterable[str]) -> frozenset[DataCategory]:
    """Read the categories written as `keys`, as terms of an agreement or selectors of a choice.

    CLAUSE (R1, C10, C14): sealed keys are refused wherever categories are written down.

    A key above a sealed one (`user.contact`) is accepted and does not include it.

    Raises:
        InputError: naming every key that does not exist or is sealed (R1).

    """
    parsed: set[DataCategory] = set()
    unknown: list[str] = []
    sealed: list[str] = []
    for position, key in enumerate(keys, start=1):
        category = _KEYS.get(key)
        if category is None:
            unknown.append(_named(key, position))
        elif category in SEALED:
            sealed.append(f"`{key}`")
        else:
            parsed.add(category)
    if unknown or sealed:
        raise InputError("; ".join(_complaints(unknown, sealed)))
    return frozenset(parsed)


class Scoped(Protocol):
    """Terms that a token's scopes have to stay within."""

    @property
    def categories(self) -> frozenset[DataCategory]:
        """The keys that may be named."""


def refused_scopes(terms: Scoped, scopes: Iterable[str]) -> list[str]:
    """Name the scopes that a token under `terms` cannot have: unknown, sealed (R1), or wider than the terms.

    A scope is within the terms if one of their keys covers it, so that it never says more than they do.
    """
    refused = []
    for position, scope in enumerate(scopes, start=1):
        key = _KEYS.get(scope)
        if key is None or key in SEALED or not any(granted.covers(key) for granted in terms.categories):
            refused.append(_named(scope, position))
    return refused


def scope_mask(terms: AgreementTerms, scopes: Iterable[str]) -> int:
    """Return what is left of `terms` under a token with these scopes, closed.

    A scope that is no category key, or a sealed one, grants nothing.
    """
    keys = frozenset(_KEYS[scope] for scope in scopes if scope in _KEYS)
    return closed(terms.mask & mask_of(expand(keys)))


_KEYS: Final = {category.value: category for category in DataCategory}
_KEY_SHAPE: Final = re.compile(r"[a-z_.]{1,64}")


@lru_cache(maxsize=1024)
def _granted(categories: frozenset[DataCategory]) -> int:
    return closed(mask_of(expand(categories)))


def _named(key: str, position: int) -> str:
    """Name the key if it could be one; otherwise only its place, for it could be anything (R1)."""
    return f"`{key}`" if _KEY_SHAPE.fullmatch(key) else f"key {position}"


def _complaints(unknown: list[str], sealed: list[str]) -> Iterable[str]:
    if unknown:
        yield f"no data category: {', '.join(unknown)}; use keys such as `user.contact.email`"
    if sealed:
        yield f"never shared: {', '.join(sealed)}; leave them out"
