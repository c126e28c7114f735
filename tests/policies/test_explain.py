from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.agreement import AgreementTerms, scope_mask
from policies.choices import Choice, Ledger, in_force_order
from policies.decision import Allow, Reason
from policies.explain import Explanation, explain
from policies.matrix import Matrix
from policies.sharing import MemberFacts, decide
from schema.categories import SEALED, Basis, DataCategory, Purpose
from schema.vocabulary import ChoiceSource, Direction
from tests.decisions.cases import NOW, THIS_PARTNER
from tests.policies.test_agreement import TERMS
from tests.policies.test_choices import ledgers
from tests.policies.test_sharing import compiled, live_agreements, members

ADULT = MemberFacts(birth_date=date(1980, 5, 17), region="US-CA", active=True)
OUT = Choice(
    NOW - timedelta(days=3),
    Direction.OUT,
    THIS_PARTNER,
    None,
    frozenset({DataCategory.LAST_NAME}),
    ChoiceSource.UNSUBSCRIBE_LINK,
)

STRATEGIC_RULE = (
    "      permit strategic-partners (C8): Strategic partners receive name, e-mail, postal address, "
    "region, age band, interests and purchase categories until the member opts out."
)


def explained(
    matrix: Matrix,
    *,
    facts: MemberFacts = ADULT,
    choices: tuple[Choice, ...] = (),
    category: DataCategory = DataCategory.NAME,
) -> Explanation:
    return explain(matrix, TERMS, TERMS.mask, facts, choices, category=category, now=NOW)


@pytest.mark.clause("C8")
def test_a_shared_category_is_explained_step_by_step(matrix: Matrix) -> None:
    assert list(explained(matrix).lines()) == [
        "yes the agreement is in force",
        "      ACTIVE, from 2026-01-01T00:00:00+00:00 until 2027-01-01T00:00:00+00:00, version 1",
        "yes the policy shares it",
        STRATEGIC_RULE,
        "yes the agreement names it",
        "      terms: user.contact.email, user.name",
        "yes the token's scopes name it",
        "yes the member's account is active",
        "yes the member's age permits it",
        "      18 or over",
        "yes the member has not opted out",
        "      no choice of the member covers it",
        "yes presumed by the policy, or asked for by the member",
        STRATEGIC_RULE,
        "=> name: shared (PRESUMED)",
    ]


@pytest.mark.clause("C11")
def test_the_choice_that_won_is_shown_with_its_date(matrix: Matrix) -> None:
    earlier = replace(OUT, requested_at=NOW - timedelta(days=9), direction=Direction.IN, categories=None)
    lines = list(explained(matrix, choices=(OUT, earlier)).lines())
    extent = "(UNSUBSCRIBE_LINK; this partner, all purposes)"
    assert f"      user.name.last: opted out on 2026-05-29T12:00:00+00:00 {extent}" in lines
    assert f"      user.name.first: opted in on 2026-05-23T12:00:00+00:00 {extent}" in lines
    assert "NO  the member has not opted out" in lines
    assert lines[-1] == "=> name: withheld of this member (REFUSED)"


@pytest.mark.clause("C8", "C16")
def test_a_choice_of_one_basis_counts_on_it_alone_and_is_told_with_it(matrix: Matrix) -> None:
    lines = list(explained(matrix, choices=(replace(OUT, basis=Basis.STRATEGIC),)).lines())
    assert any("this partner, all purposes, basis STRATEGIC)" in line for line in lines)
    other = list(explained(matrix, choices=(replace(OUT, basis=Basis.MARKETING),)).lines())
    assert "      no choice of the member covers it" in other


@pytest.mark.clause("C17")
def test_an_age_is_explained_without_the_birth_date(matrix: Matrix) -> None:
    minor = replace(ADULT, birth_date=date(2010, 5, 17))
    unknown = replace(ADULT, birth_date=None)
    assert any("under 18: the program" in line for line in explained(matrix, facts=minor).lines())
    assert any("birth date unknown" in line for line in explained(matrix, facts=unknown).lines())


def test_nothing_of_the_member_is_told_beyond_the_dates_of_choices(matrix: Matrix) -> None:
    for facts in (ADULT, replace(ADULT, birth_date=date(2010, 5, 17))):
        text = "\n".join(explained(matrix, facts=facts, choices=(OUT,)).lines())
        assert "05-17" not in text
        assert "US-CA" not in text


@pytest.mark.clause("C10", "C14")
def test_a_sealed_category_is_explained_by_the_program_alone(matrix: Matrix) -> None:
    explanation = explained(matrix, category=DataCategory.PHONE_NUMBER)
    assert [step.reason for step in explanation.steps] == [Reason.SEALED]
    assert list(explanation.lines())[-1] == "=> telephone number: not in the contract (SEALED)"


@pytest.mark.clause("C8")
def test_a_silent_policy_and_a_basis_without_choice_say_so(matrix: Matrix) -> None:
    text = "\n".join(explained(matrix, category=DataCategory.PAYMENT).lines())
    assert "no rule permits to share it on the basis STRATEGIC for PARTNER_OFFERS" in text
    legal = replace(TERMS, basis=Basis.LEGAL, purpose=Purpose.LEGAL_OBLIGATION, valid_until=None)
    words = "\n".join(
        explain(matrix, legal, legal.mask, ADULT, (OUT,), category=DataCategory.NAME, now=NOW).lines()
    )
    assert "the basis LEGAL leaves the member no choice" in words
    assert "without an end" in words


@given(live_agreements, members, ledgers, st.sampled_from(sorted(set(DataCategory))))
def test_the_verdict_is_the_decision_and_the_steps_lead_to_it(
    terms: AgreementTerms, facts: MemberFacts, ledger: list[Choice], category: DataCategory
) -> None:
    matrix = compiled("")
    granted = scope_mask(terms, ["user.name", "user.contact"])
    explanation = explain(matrix, terms, granted, facts, ledger, category=category, now=NOW)
    assert explanation.verdict == decide(matrix, terms, granted, facts, ledger, category=category, now=NOW)
    failed = [step.reason for step in explanation.steps if not step.passed]
    if isinstance(explanation.verdict, Allow):
        assert not failed
    elif category not in SEALED:
        assert explanation.verdict.reason is failed[0]


@pytest.mark.clause("C11")
def test_the_pairwise_id_is_explained_by_what_is_left_to_share(matrix: Matrix) -> None:
    everything = replace(OUT, categories=None)
    explanation = explained(matrix, choices=(everything,), category=DataCategory.PSEUDONYM)
    lines = list(explanation.lines())
    assert "      it comes with the row: any shared category is enough" in lines
    assert sum("opted out on" in line for line in lines) == 4
    assert lines[-1] == "=> pairwise member id: withheld of this member (REFUSED)"


def test_a_ledger_is_folded_once_for_all_categories_of_an_agreement(
    matrix: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger of thousands must not be walked for each category, each step and each line of evidence."""
    walked: list[object] = []

    def counted(*given: Any, **selectors: Any) -> Any:
        walked.append(selectors)
        return in_force_order(*given, **selectors)

    monkeypatch.setattr("policies.choices.in_force_order", counted)
    ledger = Ledger([OUT, replace(OUT, direction=Direction.IN, categories=None)])
    for category in sorted(TERMS.categories):
        explain(matrix, TERMS, TERMS.mask, ADULT, ledger, category=category, now=NOW)
    assert len(walked) == 1
