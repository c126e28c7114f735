"""THE decision: which categories of one member one agreement gives to its partner.

In come the compiled policy, the agreement, facts and choices of one member, and the time; out comes
a share mask, or a `Decision` about one category. This is the only place where these are combined.

INVARIANT (one-step-list): `share_mask` and `decide` read the same list of steps (`steps`), so a
category is in the mask exactly when it is decided `Allow`, for a token whose scopes cut nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Final
from uuid import UUID

from policies.age import age_date, is_protected
from policies.agreement import AgreementTerms
from policies.choices import Choice, ChoiceMasks, fold
from policies.decision import Allow, Decision, Deny, Reason, Withhold
from policies.matrix import Matrix
from schema.categories import SEALED, SHARE_BITS, SHAREABLE, Basis, DataCategory, closed, expand, mask_of

DECISION_VERSION: Final = 3
"""Rises whenever the same data and policy are decided otherwise than before: stored shares are then
decided again at the next start. `tests/policies/test_decision_version.py` notices."""

EVERYTHING: Final = mask_of(SHAREABLE)
"""Every share bit: the mask of a condition that excludes nothing."""


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What the decision needs to know of a member. `active` is false for invited and closed accounts.

    `named_by` are the agreements of approved legal cases that name this member.
    """

    birth_date: date | None
    region: str | None
    active: bool
    named_by: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """One condition: the categories that pass it, and the reason for which the others do not.

    `contractual` conditions are the same for every member of the agreement.
    """

    reason: Reason
    passing: int
    contractual: bool


def share_mask(
    matrix: Matrix,
    terms: AgreementTerms,
    facts: MemberFacts,
    choices: Sequence[Choice],
    now: datetime,
) -> int:
    """Return the categories shared of this member at `now`; zero: for this partner there is no such member.

    The caller must still narrow it by the token's scopes (`policies.agreement.scope_mask`).
    """
    mask = EVERYTHING
    for step in steps(matrix, terms, facts, choices, now):
        mask &= step.passing
        if not mask:
            return 0
    return _closed(mask)


def decide(
    matrix: Matrix,
    terms: AgreementTerms,
    scopes_mask: int,
    facts: MemberFacts,
    choices: Sequence[Choice],
    *,
    category: DataCategory,
    now: datetime,
) -> Decision:
    """Decide whether a token of this agreement sees `category` of this member, and why.

    A composite needs all of its parts. A category without a share bit that is not sealed (the
    pairwise id, public structure) comes with the row: it needs any category at all.
    """
    if category in SEALED:
        return Deny(Reason.SEALED)
    needed = needed_mask(category)
    mask = EVERYTHING
    for step in steps(matrix, terms, facts, choices, now, scopes_mask=scopes_mask):
        mask &= step.passing
        if not passes(mask, needed):
            return Deny(step.reason) if step.contractual else Withhold(step.reason)
    requested = _fold(choices, terms, now).requested
    return Allow(Reason.REQUESTED if passes(mask & requested, needed) else Reason.PRESUMED)


def share_end(terms: AgreementTerms, choices: Sequence[Choice], now: datetime) -> datetime | None:
    """When what is shared under this agreement ends by the member's own request; None: by no request."""
    return _fold(choices, terms, now).ends_at


class Decisions:
    """The decisions about one member at one time: asked once for all agreements that are alike.

    INVARIANT (alike-decided-once): two agreements are alike if they have the same basis, purpose and
    categories, are both in force or both not, name the member in the same case, and no choice tells their
    partners apart. `tests/policies/test_sharing.py` compares with `share_mask` and `share_end`.
    """

    __slots__ = ("_choices", "_facts", "_known", "_matrix", "_now", "_told_apart")

    def __init__(self, matrix: Matrix, facts: MemberFacts, choices: Sequence[Choice], now: datetime) -> None:
        self._matrix, self._facts, self._choices, self._now = matrix, facts, choices, now
        self._told_apart = {choice.partner_id for choice in choices}
        self._known: dict[tuple[object, ...], tuple[int, datetime | None]] = {}

    def under(self, terms: AgreementTerms) -> tuple[int, datetime | None]:
        """The share mask under this agreement, and when that ends by the member's own request.

        What begins later is decided as of its beginning: reads ask whether it is in force.
        """
        moment = max(self._now, terms.valid_from)
        alike = (
            terms.basis,
            terms.purpose,
            terms.categories,
            terms.in_force(moment),
            moment,
            terms.partner_id if terms.partner_id in self._told_apart else None,
            terms.id in self._facts.named_by,
        )
        known = self._known.get(alike)
        if known is None:
            mask = share_mask(self._matrix, terms, self._facts, self._choices, moment)
            known = mask, share_end(terms, self._choices, moment) if mask else None
            self._known[alike] = known
        return known


def steps(
    matrix: Matrix,
    terms: AgreementTerms,
    facts: MemberFacts,
    choices: Sequence[Choice],
    now: datetime,
    *,
    scopes_mask: int = EVERYTHING,
) -> Iterator[Step]:
    """Yield the conditions in the order in which they are asked; what passes all of them is shared.

    CLAUSE (C7, C8): nothing is shared but on the basis and for the purpose of an agreement in force.

    1. The agreement is in force.
    2. The policy shares the category on this basis for this purpose.
    3. The agreement names it.
    4. The token's scopes name it.
    5. On the LEGAL basis: the case names the member (C8 b), of whom it is enough that she is stored.
    6. On every other: the member's account is active.
    7. The member is of age, or the policy shares it of protected members (LEGAL only, C17).
    8. The member did not opt out (C11).
    9. The policy presumes it in the member's region, or the member asked for it.
    """
    basis, purpose = terms.basis, terms.purpose
    # 1.
    yield Step(Reason.NOT_IN_FORCE, EVERYTHING if terms.in_force(now) else 0, contractual=True)
    # 2.
    yield Step(Reason.POLICY, matrix.share_mask(basis, purpose, protected=False), contractual=True)
    # 3.
    yield Step(Reason.AGREEMENT, terms.mask, contractual=True)
    # 4.
    yield Step(Reason.SCOPE, scopes_mask, contractual=True)
    if basis is Basis.LEGAL:
        # 5. INVARIANT (named-or-nobody): the law gets nothing of a member whom no approved case names.
        named = terms.id in facts.named_by
        yield Step(Reason.NOT_NAMED, EVERYTHING if named else 0, contractual=False)
    else:
        # 6.
        yield Step(Reason.INACTIVE, EVERYTHING if facts.active else 0, contractual=False)
    # 7.
    protected = is_protected(facts.birth_date, age_date(now))
    of_age = matrix.share_mask(basis, purpose, protected=True) if protected else EVERYTHING
    yield Step(Reason.PROTECTED, of_age, contractual=False)
    # 8.
    chosen = _fold(choices, terms, now)
    yield Step(Reason.REFUSED, EVERYTHING & ~chosen.refused, contractual=False)
    # 9.
    presumed = matrix.presumed_mask(basis, purpose, facts.region, protected=protected)
    yield Step(Reason.NOT_REQUESTED, presumed | chosen.requested, contractual=False)


def _fold(choices: Sequence[Choice], terms: AgreementTerms, now: datetime) -> ChoiceMasks:
    return fold(choices, partner_id=terms.partner_id, purpose=terms.purpose, basis=terms.basis, now=now)


def passes(mask: int, needed: int) -> bool:
    """Tell whether `mask` holds all that is needed; `needed` of zero stands for "anything at all"."""
    return mask & needed == needed if needed else _closed(mask) != 0


@cache
def needed_mask(category: DataCategory) -> int:
    """Return the bits that a category needs: its own and those below it; zero: it comes with the row."""
    return mask_of(expand({category})) if category in SHARE_BITS else 0


_closed = lru_cache(maxsize=4096)(closed)
"""Few distinct masks occur, and closing one costs more than all else in `share_mask`."""
