"""Why a partner sees or does not see one category of one member: every condition, with its evidence.

In comes what `policies.sharing.decide` takes; out come its steps, each with what it rests on: the rules of
the policy, the terms, the scopes, the dates of choices. It names the agreement, the category and
the dates of choices, and nothing else of the member: neither birth date nor region.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, assert_never

from policies.age import age_date, is_protected
from policies.agreement import AgreementTerms
from policies.choices import BASES_WITHOUT_CHOICE, Choice, decisive
from policies.decision import Allow, Decision, Deny, Reason, Withhold
from policies.engine import Action
from policies.matrix import Matrix
from policies.sharing import EVERYTHING, MemberFacts, decide, needed_mask, passes, steps
from schema.categories import CATEGORY_LABELS, SEALED, Basis, DataCategory, categories_of, mask_of


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """One condition: its title, whether the category passes it, and what that rests on, in sentences."""

    reason: Reason
    title: str
    passed: bool
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All conditions in the order in which they are asked, and the decision that follows."""

    category: DataCategory
    steps: tuple[ExplainedStep, ...]
    verdict: Decision

    def lines(self) -> Iterator[str]:
        """Yield the explanation as text for an officer, one line at a time."""
        for step in self.steps:
            yield f"{'yes' if step.passed else 'NO ':<4}{step.title}"
            for sentence in step.evidence:
                yield f"      {sentence}"
        yield f"=> {self.verdict_words}"

    @property
    def verdict_words(self) -> str:
        """The decision as one sentence."""
        label = CATEGORY_LABELS[self.category]
        match self.verdict:
            case Allow(reason):
                return f"{label}: shared ({reason})"
            case Withhold(reason):
                return f"{label}: withheld of this member ({reason})"
            case Deny(reason):
                return f"{label}: not in the contract ({reason})"
            case _:
                assert_never(self.verdict)


def explain(
    matrix: Matrix,
    terms: AgreementTerms,
    scopes_mask: int,
    facts: MemberFacts,
    choices: Sequence[Choice],
    *,
    category: DataCategory,
    now: datetime,
) -> Explanation:
    """Explain every condition that `category` of this member meets under this agreement, met or not.

    The verdict is `decide`'s own; the steps are those that it reads.
    """
    verdict = decide(matrix, terms, scopes_mask, facts, choices, category=category, now=now)
    if category in SEALED:
        sealed = ExplainedStep(Reason.SEALED, "not sealed", passed=False, evidence=(_SEALED_EVIDENCE,))
        return Explanation(category, (sealed,), verdict)
    case = _Case(matrix, terms, facts, choices, category, now)
    explained: list[ExplainedStep] = []
    left = EVERYTHING
    for step in steps(matrix, terms, facts, choices, now, scopes_mask=scopes_mask):
        passed = passes(left & step.passing, case.needed)
        # A step that is not met takes nothing away here, so that each later one is judged for itself.
        left = left & step.passing if passed else left
        evidence = tuple(case.evidence(step.reason))
        explained.append(ExplainedStep(step.reason, _TITLES[step.reason], passed, evidence))
    return Explanation(category, tuple(explained), verdict)


_SEALED_EVIDENCE: Final = "the program seals it: it leaves through no path, whatever policy and agreement say"

_TITLES: Final = {
    Reason.NOT_IN_FORCE: "the agreement is in force",
    Reason.POLICY: "the policy shares it",
    Reason.AGREEMENT: "the agreement names it",
    Reason.SCOPE: "the token's scopes name it",
    Reason.NOT_NAMED: "a legal case names the member",
    Reason.INACTIVE: "the member's account is active",
    Reason.PROTECTED: "the member's age permits it",
    Reason.REFUSED: "the member has not opted out",
    Reason.NOT_REQUESTED: "presumed by the policy, or asked for by the member",
}


@dataclass(frozen=True, slots=True)
class _Case:
    """What the evidence is read from."""

    matrix: Matrix
    terms: AgreementTerms
    facts: MemberFacts
    choices: Sequence[Choice]
    category: DataCategory
    now: datetime

    @property
    def protected(self) -> bool:
        return is_protected(self.facts.birth_date, age_date(self.now))

    @property
    def needed(self) -> int:
        return needed_mask(self.category)

    def evidence(self, reason: Reason) -> Iterator[str]:
        match reason:
            case Reason.NOT_IN_FORCE:
                yield self._term()
            case Reason.POLICY:
                yield from self._rules(Action.SHARE)
            case Reason.AGREEMENT:
                yield f"terms: {', '.join(sorted(self.terms.categories))}"
            case Reason.NOT_NAMED:
                yield self._named()
            case Reason.PROTECTED:
                yield from self._age()
            case Reason.REFUSED:
                yield from self._choices()
            case Reason.NOT_REQUESTED:
                yield from self._rules(Action.PRESUME)
            case _:
                pass

    def _term(self) -> str:
        terms = self.terms
        end = f"until {terms.valid_until.isoformat()}" if terms.valid_until else "without an end"
        return f"{terms.status}, from {terms.valid_from.isoformat()} {end}, version {terms.version}"

    def _rules(self, action: Action) -> Iterator[str]:
        if not self.needed:
            yield "it comes with the row: any shared category is enough"
            return
        basis, purpose = self.terms.basis, self.terms.purpose
        ids = self.matrix.rule_for(
            action,
            basis,
            purpose,
            self.category,
            protected=self.protected and basis is Basis.LEGAL,
            region=self.facts.region,
        )
        if not ids:
            yield f"no rule permits to {action} it on the basis {basis} for {purpose.name}"
        for rule_id in ids:
            rule = self.matrix.rules[rule_id]
            yield f"{rule.effect} {rule_id} ({rule.clause}): {rule.text}"

    def _named(self) -> str:
        if self.terms.id in self.facts.named_by:
            return "an approved legal case names this member (C8)"
        return "no approved legal case under this agreement names this member (C8)"

    def _age(self) -> Iterator[str]:
        if not self.protected:
            yield "18 or over"
        else:
            why = (
                "birth date unknown, so treated as under 18" if self.facts.birth_date is None else "under 18"
            )
            yield f"{why}: the program shares such a member on the LEGAL basis only (C17)"

    def _choices(self) -> Iterator[str]:
        if self.terms.basis in BASES_WITHOUT_CHOICE:
            yield f"the basis {self.terms.basis} leaves the member no choice"
            return
        found = False
        terms = self.terms
        for part in sorted(categories_of(self.needed or terms.mask)):
            choice = decisive(
                self.choices,
                partner_id=terms.partner_id,
                purpose=terms.purpose,
                basis=terms.basis,
                category=part,
            )
            if choice is not None:
                found = True
                yield _choice_words(part, choice)
        if not found:
            yield "no choice of the member covers it"


def _choice_words(part: DataCategory, choice: Choice) -> str:
    extent = "this partner" if choice.partner_id else "all partners"
    purpose = choice.purpose.name if choice.purpose else "all purposes"
    basis = f", basis {choice.basis}" if choice.basis else ""
    date = _day(choice.requested_at)
    if choice.ends_at is not None:
        asked = "asked for" if mask_of({part}) & choice.named else "not asked for by the request"
        return f"{part}: {asked} on {date}, until {_day(choice.ends_at)} ({extent}, {purpose})"
    return f"{part}: opted {choice.direction.lower()} on {date} ({choice.source}; {extent}, {purpose}{basis})"


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
