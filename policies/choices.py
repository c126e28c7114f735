"""The member's choices, folded into what is refused and what is asked for (C11).

In comes the ledger of one member, in any order; out come bit masks for one partner, purpose and basis.

A choice covers a *cell* (partner, purpose, basis, category) when each of its selectors is None or matches;
a category key covers the keys below it. For each cell the covering choice with the latest
`requested_at` wins, however narrow or general it is. At equal dates OUT wins. The order of arrival
decides nothing, and so is not even an argument.

A *request* (C8 d) is an IN to one company for one purpose that ends by itself. It covers every category, so
the latest one takes the place of the one before, but asks for those that it names. When it has ended it asks
for nothing, and what it took the place of does not come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Self
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

    `requested_at` is aware: it is compared with the dates of other requests and with nothing else. `ends_at`
    makes it a request to one company for one purpose: only such a one counts on the MEMBER_REQUEST basis.
    """

    requested_at: datetime
    direction: Direction
    partner_id: UUID | None
    purpose: Purpose | None
    categories: frozenset[DataCategory] | None
    source: ChoiceSource
    basis: Basis | None = None
    ends_at: datetime | None = None
    mask: int = field(init=False, compare=False, repr=False)
    """The bits of every category that this choice covers."""
    named: int = field(init=False, compare=False, repr=False)
    """The bits of every category that it names: what an IN asks for."""

    def __post_init__(self) -> None:
        if self.requested_at.tzinfo is None:
            raise InputError(_NAIVE)
        if self.ends_at is not None and not self._is_request():
            raise InputError("only a request to one company for one purpose ends by itself")
        named = _ALL if self.categories is None else _covered(self.categories)
        object.__setattr__(self, "named", named)
        object.__setattr__(self, "mask", named if self.ends_at is None else _ALL)

    def _is_request(self) -> bool:
        return (
            self.direction is Direction.IN
            and self.basis is Basis.MEMBER_REQUEST
            and self.partner_id is not None
            and self.purpose is not None
        )


@dataclass(frozen=True, slots=True)
class ChoiceMasks:
    """The effective choices for one partner, purpose and basis. No bit is in both masks.

    `refused` was opted out of, `requested` was opted in to; on the rest the member said nothing. From
    `ends_at` on nothing is requested; None: that does not come by itself.
    """

    refused: int = 0
    requested: int = 0
    ends_at: datetime | None = None


NO_CHOICES: Final = ChoiceMasks()


class Ledger(tuple[Choice, ...]):  # noqa: SLOT001 - it keeps what it folded
    """The choices of one member, the strongest first: put in order once, and folded once for each use.

    CLAUSE (C11): the covering choice with the latest date of request wins, at equal dates the opt-out.
    """

    _folds: dict[tuple[UUID, Purpose, Basis], tuple[ChoiceMasks, tuple[Choice, ...]]]

    def __new__(cls, choices: Iterable[Choice]) -> Self:
        """Put them in order: by date; at equal dates OUT before IN, and what ends first before the rest."""
        ledger = super().__new__(cls, sorted(choices, key=_strength, reverse=True))
        ledger._folds = {}
        return ledger

    def folded(
        self, partner_id: UUID, purpose: Purpose, basis: Basis
    ) -> tuple[ChoiceMasks, tuple[Choice, ...]]:
        """The masks, and the choices that win a category, the strongest first."""
        known = self._folds.get((partner_id, purpose, basis))
        if known is None:
            known = self._folds[partner_id, purpose, basis] = self._fold(partner_id, purpose, basis)
        return known

    def _fold(
        self, partner_id: UUID, purpose: Purpose, basis: Basis
    ) -> tuple[ChoiceMasks, tuple[Choice, ...]]:
        refused = requested = 0
        ends_at: datetime | None = None
        undecided = _ALL
        winners: list[Choice] = []
        # Descending by date: whoever comes first to a bit has the most recent request (C11).
        for choice in in_force_order(self, partner_id=partner_id, purpose=purpose, basis=basis):
            won = choice.mask & undecided
            if not won:
                continue
            winners.append(choice)
            if choice.direction is Direction.OUT:
                refused |= won
            else:
                requested |= won & choice.named
                ends_at = choice.ends_at
            undecided &= ~won
            if not undecided:
                break
        return ChoiceMasks(refused, requested, ends_at), tuple(winners)


def fold(
    choices: Sequence[Choice], *, partner_id: UUID, purpose: Purpose, basis: Basis, now: datetime
) -> ChoiceMasks:
    """Fold the choices of one member for one partner, purpose and basis, all categories at once.

    On the MEMBER_REQUEST basis only a request to this very partner asks for anything: an opt-in is no request
    to a particular company (C8 d). It ends by itself, and a later OUT that covers it withdraws it.
    """
    if not choices or basis in BASES_WITHOUT_CHOICE:
        return NO_CHOICES
    masks, _ = _ledger(choices).folded(partner_id, purpose, basis)
    # INVARIANT (request-means-asked): all that is requested on this basis is of the one request that won.
    return masks if masks.ends_at is None or now < masks.ends_at else ChoiceMasks(refused=masks.refused)


def decisive(
    choices: Sequence[Choice], *, partner_id: UUID, purpose: Purpose, basis: Basis, category: DataCategory
) -> Choice | None:
    """Find the choice that wins for one category: the most recent one that covers it (C11)."""
    bit = mask_of({category})
    _, winners = _ledger(choices).folded(partner_id, purpose, basis)
    return next((choice for choice in winners if choice.mask & bit), None)


def in_force_order(ledger: Ledger, *, partner_id: UUID, purpose: Purpose, basis: Basis) -> Iterator[Choice]:
    """Yield the choices that count for one partner, purpose and basis, the strongest first."""
    if basis in BASES_WITHOUT_CHOICE:
        return
    for choice in ledger:
        if choice.partner_id is not None and choice.partner_id != partner_id:
            continue
        if choice.purpose is not None and choice.purpose is not purpose:
            continue
        if choice.basis is not None and choice.basis is not basis:
            continue
        if basis is Basis.MEMBER_REQUEST and choice.direction is Direction.IN and choice.ends_at is None:
            continue
        yield choice


def may_change(ledger: Ledger, refusal: Choice) -> bool:
    """Whether this OUT may refuse anything that is not refused without it. False: certainly nothing.

    It walks from the strongest choice down, and judges by choices that are about no less than `refusal`:
    what they refuse, with no weaker IN than `refusal` above them, is refused everywhere already.
    """
    new = refusal.mask
    for choice in ledger:
        if not choice.mask & new or not _meet(choice, refusal):
            continue
        if choice.direction is Direction.OUT:
            if _is_within(refusal, choice):
                new &= ~choice.mask
        elif _strength(choice) < _strength(refusal):
            return True
        if not new:
            break
    return new != 0


def _meet(one: Choice, other: Choice) -> bool:
    return all(mine is None or its is None or mine == its for mine, its in _selectors(one, other))


def _is_within(one: Choice, other: Choice) -> bool:
    return all(its is None or mine == its for mine, its in _selectors(one, other))


def _selectors(one: Choice, other: Choice) -> tuple[tuple[object, object], ...]:
    return (one.partner_id, other.partner_id), (one.purpose, other.purpose), (one.basis, other.basis)


def _ledger(choices: Sequence[Choice]) -> Ledger:
    return choices if isinstance(choices, Ledger) else Ledger(choices)


def validate_request_date(requested_at: datetime, now: datetime) -> datetime:
    """Return the date of a request in UTC, once it may enter the ledger.

    CLAUSE (C11): a date to come is refused, because it would win over every request until then.

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


def _strength(choice: Choice) -> tuple[datetime, bool, timedelta, int]:
    """Orders choices by date; at equal dates OUT after IN, then what ends first and asks for less last."""
    left = timedelta(0) if choice.ends_at is None else _NEVER - choice.ends_at
    return choice.requested_at, choice.direction is Direction.OUT, left, -choice.named


_NEVER: Final = datetime.max.replace(tzinfo=UTC)
