from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy_source import load_shipped_directory
from policies.age import is_protected
from policies.agreement import AgreementTerms, scope_mask
from policies.choices import BASES_WITHOUT_CHOICE, Choice
from policies.decision import Allow, Decision, Deny, Reason, Withhold
from policies.matrix import Matrix, compile_matrix
from policies.sharing import EVERYTHING, Decisions, MemberFacts, decide, needed_mask, share_end, share_mask
from schema.categories import (
    SEALED,
    SHARE_BITS,
    SHAREABLE,
    Basis,
    DataCategory,
    Purpose,
    categories_of,
    closed,
    expand,
)
from schema.vocabulary import AgreementStatus, ChoiceSource, Direction
from tests.decisions.cases import AGREEMENT, NOW, OTHER_PARTNER, THIS_PARTNER, DecisionCase, load_cases
from tests.policies.test_choices import ledgers, model

CASES = load_cases()
VERDICTS: dict[str, Callable[[Reason], Decision]] = {"allow": Allow, "withhold": Withhold, "deny": Deny}
OPT_IN_EU = """
@id("opt-in-eu") @clause("C8") @text("Nobody in the EU is shared without a request, the law apart.")
forbid (principal, action == Action::"presume", resource)
when { principal != Basis::"LEGAL" && context.region == Region::"EU" };
@id("no-presumed-surname") @clause("C8") @text("Last names are shared on request.")
forbid (principal, action == Action::"presume", resource == DataCategory::"user.name.last");
"""


@cache
def compiled(added_rules: str) -> Matrix:
    source = load_shipped_directory().source
    return compile_matrix(replace(source, rules=source.rules + added_rules))


@cache
def compiled_alone(rules: str) -> Matrix:
    return compile_matrix(replace(load_shipped_directory().source, rules=rules))


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[pytest.mark.clause(clause) for clause in case.clauses])
        for case in CASES
    ],
)
def test_decision_tables(case: DecisionCase) -> None:
    matrix = compiled(case.added_rules)
    granted = scope_mask(case.terms, case.scopes)
    decision = decide(matrix, case.terms, granted, case.facts, case.choices, category=case.category, now=NOW)
    assert decision == VERDICTS[case.expect](case.reason)

    unscoped = share_mask(matrix, case.terms, case.facts, case.choices, NOW)
    assert unscoped == closed(unscoped)
    shared = closed(unscoped & granted)
    seen = case.category in categories_of(shared) if case.category in SHARE_BITS else shared != 0
    assert (seen and case.category not in SEALED) == (case.expect == "allow")


def test_the_tables_give_every_reason() -> None:
    assert {case.reason for case in CASES} == set(Reason)


agreements = st.builds(
    AgreementTerms,
    id=st.just(AGREEMENT),
    partner_id=st.just(THIS_PARTNER),
    basis=st.sampled_from(Basis),
    purpose=st.sampled_from(Purpose),
    categories=st.frozensets(st.sampled_from(sorted(set(DataCategory) - SEALED)), min_size=1),
    valid_from=st.sampled_from([NOW - timedelta(days=1), NOW, NOW + timedelta(days=1)]),
    valid_until=st.sampled_from([None, NOW, NOW + timedelta(days=1)]),
    status=st.sampled_from(AgreementStatus),
    version=st.just(1),
)
# Most agreements of the first kind share nothing; these share something unless the member objects.
live_agreements = st.sampled_from(
    [
        (Basis.STRATEGIC, Purpose.PARTNER_OFFERS),
        (Basis.MARKETING, Purpose.PARTNER_OFFERS),
        (Basis.MEMBER_REQUEST, Purpose.MEMBER_ASKED),
        (Basis.LEGAL, Purpose.LEGAL_OBLIGATION),
        (Basis.INSOLVENCY, Purpose.BUSINESS_TRANSFER),
    ]
).flatmap(
    lambda pair: agreements.map(
        lambda terms: replace(
            terms,
            basis=pair[0],
            purpose=pair[1],
            valid_from=NOW,
            valid_until=None,
            status=AgreementStatus.ACTIVE,
        )
    )
)
members = st.builds(
    MemberFacts,
    birth_date=st.sampled_from([None, date(1980, 1, 1), date(2008, 6, 1), date(2008, 6, 2)]),
    region=st.sampled_from([None, "EU", "DE", "DE-BY", "US-CA", "elsewhere"]),
    active=st.sampled_from([True, True, True, False]),
    named_by=st.sampled_from([frozenset(), frozenset({AGREEMENT}), frozenset({THIS_PARTNER})]),
)
added_rules = st.sampled_from(["", OPT_IN_EU])


def slow_model(
    matrix: Matrix, terms: AgreementTerms, facts: MemberFacts, ledger: list[Choice], now: datetime
) -> frozenset[DataCategory]:
    """What REQUIREMENTS say of sharing, one category at a time, with sets and without masks or steps."""
    protected = is_protected(facts.birth_date, now.astimezone(UTC).date())
    named = terms.id in facts.named_by
    reached = named if terms.basis is Basis.LEGAL else facts.active and not protected
    if not (reached and terms.in_force(now)):
        return frozenset()
    permitted = categories_of(matrix.share_mask(terms.basis, terms.purpose, protected=protected))
    presumed = categories_of(
        matrix.presumed_mask(terms.basis, terms.purpose, facts.region, protected=protected)
    )

    def own(category: DataCategory) -> bool:
        wish = model(ledger, terms.partner_id, terms.purpose, terms.basis, category)
        agreed = any(key.covers(category) for key in terms.categories)
        wanted = wish is Direction.IN or (wish is None and category in presumed)
        return agreed and category in permitted and wanted

    return frozenset(
        category
        for category in SHAREABLE
        if all(own(part) for part in expand({category}) if part in SHAREABLE)
    )


@pytest.mark.clause("C8", "C11", "C17")
@given(added_rules, agreements | live_agreements, members, ledgers)
def test_the_mask_agrees_with_a_plain_model(
    added: str, terms: AgreementTerms, facts: MemberFacts, ledger: list[Choice]
) -> None:
    matrix = compiled(added)
    shared = share_mask(matrix, terms, facts, ledger, NOW)
    assert categories_of(shared) == slow_model(matrix, terms, facts, ledger, NOW)
    assert shared == closed(shared)


@given(added_rules, live_agreements, members, ledgers, st.frozensets(st.sampled_from(sorted(DataCategory))))
def test_one_category_is_decided_as_the_mask_says(
    added: str,
    terms: AgreementTerms,
    facts: MemberFacts,
    ledger: list[Choice],
    scopes: frozenset[DataCategory],
) -> None:
    matrix = compiled(added)
    granted = scope_mask(terms, scopes)
    shared = closed(share_mask(matrix, terms, facts, ledger, NOW) & granted)
    for category in DataCategory:
        decision = decide(matrix, terms, granted, facts, ledger, category=category, now=NOW)
        match decision:
            case Allow(reason):
                assert reason in {Reason.PRESUMED, Reason.REQUESTED}
                assert category in categories_of(shared) or (category not in SHARE_BITS and shared)
            case Withhold() | Deny():
                assert category not in categories_of(shared)
                assert category in SHAREABLE | SEALED or not shared


@pytest.mark.clause("C17")
@given(agreements | live_agreements, ledgers)
def test_nobody_under_18_is_shared_but_on_the_legal_basis(
    terms: AgreementTerms, ledger: list[Choice]
) -> None:
    anything = compiled_alone('@id("all") permit (principal, action, resource);')
    minor = MemberFacts(birth_date=date(2010, 1, 1), region=None, active=True)
    if terms.basis is not Basis.LEGAL:
        assert share_mask(anything, terms, minor, ledger, NOW) == 0


@pytest.mark.clause("C8")
@given(live_agreements, ledgers)
def test_bases_without_choice_ignore_the_ledger(terms: AgreementTerms, ledger: list[Choice]) -> None:
    adult = MemberFacts(birth_date=date(1980, 1, 1), region=None, active=True, named_by=frozenset({terms.id}))
    matrix = compiled("")
    if terms.basis in BASES_WITHOUT_CHOICE:
        assert share_mask(matrix, terms, adult, ledger, NOW) == share_mask(matrix, terms, adult, [], NOW)


def test_what_is_needed_of_a_composite_is_all_of_its_parts() -> None:
    assert categories_of(needed_mask(DataCategory.NAME)) == {
        DataCategory.NAME,
        DataCategory.FIRST_NAME,
        DataCategory.LAST_NAME,
    }
    assert needed_mask(DataCategory.PSEUDONYM) == 0
    assert all(needed_mask(category) & EVERYTHING for category in SHAREABLE)


@given(
    added_rules,
    st.lists(agreements | live_agreements, min_size=1, max_size=6),
    members,
    ledgers,
    st.frozensets(st.integers(0, 5)),
    st.lists(st.sampled_from([timedelta(0), timedelta(days=-400), timedelta(days=400)]), max_size=6),
)
def test_agreements_that_are_alike_are_decided_like_each_by_itself(
    added: str,
    many: list[AgreementTerms],
    facts: MemberFacts,
    ledger: list[Choice],
    named: frozenset[int],
    moves: list[timedelta],
) -> None:
    """INVARIANT (alike-decided-once)."""
    matrix = compiled(added)
    many += [
        replace(terms, valid_from=terms.valid_from + move) for terms, move in zip(many, moves, strict=False)
    ]
    many += [
        replace(terms, partner_id=partner) for terms in many for partner in (THIS_PARTNER, OTHER_PARTNER)
    ]
    facts = replace(facts, named_by=frozenset(many[place].id for place in named if place < len(many)))
    decisions = Decisions(matrix, facts, ledger, NOW)
    for terms in many:
        moment = max(NOW, terms.valid_from)
        mask = share_mask(matrix, terms, facts, ledger, moment)
        end = share_end(terms, ledger, moment) if mask else None
        assert decisions.under(terms) == (mask, end)


def test_a_choice_about_one_partner_tells_agreements_apart() -> None:
    refused = Choice(NOW, Direction.OUT, THIS_PARTNER, None, None, ChoiceSource.MAIL)
    terms = AgreementTerms(
        AGREEMENT,
        THIS_PARTNER,
        Basis.STRATEGIC,
        Purpose.JOINT_SERVICE,
        frozenset({DataCategory.NAME}),
        NOW,
        None,
        AgreementStatus.ACTIVE,
        1,
    )
    adult = MemberFacts(birth_date=date(1980, 1, 1), region=None, active=True)
    for order in ((THIS_PARTNER, OTHER_PARTNER), (OTHER_PARTNER, THIS_PARTNER)):
        decisions = Decisions(compiled(""), adult, [refused], NOW)
        masks = {partner: decisions.under(replace(terms, partner_id=partner))[0] for partner in order}
        assert masks[THIS_PARTNER] == 0
        assert masks[OTHER_PARTNER]


@pytest.mark.clause("C8")
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    "changes",
    [
        {"status": AgreementStatus.SUSPENDED},
        {"valid_until": NOW},
        {"id": UUID(int=99)},  # the case names the member under the other
        {"purpose": Purpose.PARTNER_OFFERS},
        {"basis": Basis.MARKETING},
        {"categories": frozenset({DataCategory.EMAIL})},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_differs_in_one_thing_only_is_not_alike(changes: dict[str, Any], *, first: bool) -> None:
    """Two cases of one authority ask for the same, and name other people."""
    legal = AgreementTerms(
        AGREEMENT,
        THIS_PARTNER,
        Basis.LEGAL,
        Purpose.LEGAL_OBLIGATION,
        frozenset({DataCategory.NAME}),
        NOW,
        None,
        AgreementStatus.ACTIVE,
        1,
    )
    other = replace(legal, **changes)
    facts = MemberFacts(date(1980, 1, 1), None, active=True, named_by=frozenset({AGREEMENT}))
    matrix = compiled("")
    decisions = Decisions(matrix, facts, (), NOW)
    for terms in (legal, other) if first else (other, legal):
        assert decisions.under(terms) == (share_mask(matrix, terms, facts, (), NOW), None)
    assert decisions.under(legal)[0] != decisions.under(other)[0]
