"""The member's choices, folded into what is refused and what is asked for (C11).

In comes the ledger of one member, in any order; out come bit masks for one partner and purpose.

A choice covers a *cell* (partner, purpose, category) when each of its selectors is None or matches;
a category key covers the keys below it. For each cell the covering choice with the latest
`requested_at` wins, however narrow or general it is. At equal dates OUT wins. The order of arrival
decides nothing, and so is not even an argument.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from schema.categories import SHAREABLE, Basis, DataCategory, Purpose, expand, mask_of
from schema.errors import InputError
from schema.vocabulary import ChoiceSource, Direction

CLOCK_TOLERANCE: Final = timedelta(minutes=2)
"""How far ahead of ours another clock may be. A later date could win over every choice yet to come."""

BASES_WITHOUT_CHOICE: Final = frozenset({Basis.LEGAL, Basis.INSOLVENCY})
"""What the law requires, and what passes to the acquirer, is not the member's to refuse or request."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One request to opt in or out. A selector that is None selects everything.

    `requested_at` is aware: it is compared with the dates of other requests and with nothing else.
    """

    requested_at: datetime
    direction: Direction
    partner_id: UUID | None
    purpose: Purpose | None
    categories: frozenset[DataCategory] | None
    source: ChoiceSource

    def __post_init__(self) -> None:
        if self.requested_at.tzinfo is None:
            raise InputError(_NAIVE)

    @property
    def mask(self) -> int:
        """The bits of every category that this choice covers."""
        return _ALL if self.categories is None else _covered(self.categories)


@dataclass(frozen=True, slots=True)
class ChoiceMasks:
    """The effective choices for one partner and purpose. No bit is in both masks.

    `refused` was opted out of, `requested` was opted in to; on the rest the member said nothing.
    """

    refused: int = 0
    requested: int = 0


NO_CHOICES: Final = ChoiceMasks()


def fold(choices: Sequence[Choice], *, partner_id: UUID, purpose: Purpose, basis: Basis) -> ChoiceMasks:
    """Fold the choices of one member for one partner and purpose, all categories at once.

    On the MEMBER_REQUEST basis only an IN that names this very partner asks for anything: a general
    opt-in is no request to a particular company (C8 d). A later OUT that covers it withdraws it.
    """
    if not choices or basis in BASES_WITHOUT_CHOICE:
        return NO_CHOICES
    refused = requested = 0
    # Ascending by date: whoever writes a bit last has the most recent request (C11).
    for choice in in_force_order(choices, partner_id=partner_id, purpose=purpose, basis=basis):
        if choice.direction is Direction.OUT:
            refused |= choice.mask
            requested &= ~choice.mask
        else:
            requested |= choice.mask
            refused &= ~choice.mask
    return ChoiceMasks(refused, requested)


def in_force_order(
    choices: Sequence[Choice], *, partner_id: UUID, purpose: Purpose, basis: Basis
) -> Iterator[Choice]:
    """Yield the choices that count for one partner, purpose and basis, the weakest first, the winner last."""
    if basis in BASES_WITHOUT_CHOICE:
        return
    for choice in sorted(choices, key=_strength) if len(choices) > 1 else choices:
        if choice.partner_id is not None and choice.partner_id != partner_id:
            continue
        if choice.purpose is not None and choice.purpose is not purpose:
            continue
        if basis is Basis.MEMBER_REQUEST and choice.direction is Direction.IN and choice.partner_id is None:
            continue
        yield choice


def validate_request_date(requested_at: datetime, now: datetime) -> datetime:
    """Return the date of a request in UTC, once it may enter the ledger.

    A date that lies ahead within the tolerance counts as now: it must not win over the next request.

    Raises:
        InputError: the date has no time zone, or lies more than `CLOCK_TOLERANCE` in the future.

    """
    if requested_at.tzinfo is None:
        raise InputError(_NAIVE)
    if requested_at - now > CLOCK_TOLERANCE:
        raise InputError("`requestedAt` lies in the future; send the date on which the member asked")
    return min(requested_at, now).astimezone(UTC)


_NAIVE: Final = "`requestedAt` has no time zone; send it with an offset, for example `Z` for UTC"
_ALL: Final = mask_of(SHAREABLE)


@lru_cache(maxsize=1024)
def _covered(categories: frozenset[DataCategory]) -> int:
    return mask_of(expand(categories))


def _strength(choice: Choice) -> tuple[datetime, bool]:
    """Orders choices by date, and at equal dates OUT after IN."""
    return choice.requested_at, choice.direction is Direction.OUT
