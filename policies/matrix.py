"""The policy, evaluated ahead of time into bit masks. The request path reads these and never calls Cedar.

In comes a `PolicySource`, out comes a frozen `Matrix`: for each basis and purpose the mask of what
may be shared, and for each region the mask of what is shared without being asked for.

Three things are part of the program and hold whatever the file says:

INVARIANT (sealed-unnameable): only categories with a share bit are asked about (R1, C10, C14).
INVARIANT (minors-legal-only): a protected member is shared on the LEGAL basis or not at all (C17).
INVARIANT (request-means-asked): nothing is presumed on the MEMBER_REQUEST basis (C8 d).

CLAUSE (C8): what no rule permits for this basis and purpose is in no mask, and so is denied.
CLAUSE (C17): members under 18 are asked about on the basis LEGAL only, whatever the rules say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType
from typing import Final, TypeAlias

from policies.engine import Action, Answer, Cell, Engine, load
from policies.regions import covering
from policies.rules import PolicySource, Rule
from schema.categories import SHARE_BITS, Basis, DataCategory, Purpose, closed

_Key: TypeAlias = tuple[Basis, Purpose, bool, str | None]
"""Basis, purpose, protected, region; the region of what may be shared at all is None."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A compiled policy. Made by `compile_matrix` only.

    `regions` are those that a rule names, and `OTHER` last; `rules` maps each id to its rule;
    `digest` identifies the source.
    """

    digest: str
    regions: tuple[str, ...]
    rules: Mapping[str, Rule]
    _masks: Mapping[_Key, int]
    _determining: Mapping[Cell, tuple[str, ...]]
    waiting: tuple[Rule, ...] = field(default=(), kw_only=True)
    """Rules that were published and do not count yet: what they open was announced (`policies.combined`)."""

    def share_mask(self, basis: Basis, purpose: Purpose, *, protected: bool) -> int:
        """Return the categories that may be shared at all, closed under composition."""
        return self._masks[basis, purpose, protected, None]

    def presumed_mask(
        self, basis: Basis, purpose: Purpose, region: str | None, *, protected: bool = False
    ) -> int:
        """Return the categories shared until the member opts out, closed: a part of the share mask.

        `region` is the member's. Where several regions of the policy may cover it, only what is presumed
        in all of them; where none does, what is presumed in `OTHER`. None may be any region.
        """
        mask = -1
        for name in covering(region, self.regions):
            mask &= self._masks[basis, purpose, protected, name]
        return mask

    def rule_for(
        self,
        action: Action,
        basis: Basis,
        purpose: Purpose,
        category: DataCategory,
        *,
        protected: bool = False,
        region: str | None = None,
    ) -> tuple[str, ...]:
        """Return the ids of the rules that determined one cell, sorted; empty where no rule permits.

        For a permitted cell its permits, for a prohibited one its forbids. Cells that the program
        itself prohibits have no rule.
        """
        regions = covering(region, self.regions) if action is Action.PRESUME else (None,)
        spoken = [
            self._determining.get(Cell(action, basis, purpose, category, protected, name), ())
            for name in regions
        ]
        ids = {rule_id for rules in spoken for rule_id in rules}
        forbids = {rule_id for rule_id in ids if self.rules[rule_id].effect == "forbid"}
        if forbids:
            return tuple(sorted(forbids))
        return tuple(sorted(ids)) if all(spoken) else ()


def compile_matrix(source: PolicySource) -> Matrix:
    """Evaluate `source` over every cell that could matter.

    1. What may be shared: every basis, purpose and category with a bit, for members of age; for
       protected members on the LEGAL basis only (INVARIANT minors-legal-only).
    2. What is presumed: only cells that step 1 permits, in each region that a rule names.

    Raises:
        PolicyError: the policy does not parse, validate or evaluate. A policy that permits what may
            not be permitted compiles, without the effect: refuse it with `policies.check`.

    """
    return compile_loaded(load(source), source.digest)


def compile_loaded(engine: Engine, digest: str) -> Matrix:
    """`compile_matrix` of an engine already loaded from the source with this digest."""
    # 1.
    answers = _ask(
        engine,
        [
            Cell(Action.SHARE, basis, purpose, category, protected)
            for basis, purpose, protected in _GROUPS
            for category in SHARE_BITS
        ],
    )
    # 2. INVARIANT (request-means-asked): MEMBER_REQUEST is not even asked about.
    answers |= _ask(
        engine,
        [
            Cell(Action.PRESUME, cell.basis, cell.purpose, cell.category, cell.protected, region)
            for cell, answer in answers.items()
            if answer.permitted and cell.basis is not Basis.MEMBER_REQUEST
            for region in engine.regions
        ],
    )
    return Matrix(
        digest=digest,
        regions=engine.regions,
        rules=MappingProxyType({rule.name: rule for rule in engine.rules}),
        _masks=MappingProxyType(_masks(answers, engine.regions)),
        _determining=MappingProxyType(
            {cell: answer.rules for cell, answer in answers.items() if answer.rules}
        ),
    )


_GROUPS: Final = tuple(
    (basis, purpose, protected)
    for basis, purpose, protected in product(Basis, Purpose, (False, True))
    if not protected or basis is Basis.LEGAL
)


def _ask(engine: Engine, cells: list[Cell]) -> dict[Cell, Answer]:
    return dict(zip(cells, engine.answer(cells), strict=True))


def _masks(answers: Mapping[Cell, Answer], regions: tuple[str, ...]) -> dict[_Key, int]:
    """Build one mask for each basis, purpose, protection and region, zero where nothing is permitted."""
    masks: dict[_Key, int] = dict.fromkeys(product(Basis, Purpose, (False, True), (None, *regions)), 0)
    for cell, answer in answers.items():
        if answer.permitted:
            masks[cell.basis, cell.purpose, cell.protected, cell.region] |= 1 << SHARE_BITS[cell.category]
    return {key: closed(mask & masks[*key[:3], None]) for key, mask in masks.items()}
