from __future__ import annotations

from dataclasses import replace

import pytest

from policies.engine import Action, Answer, Cell, load
from policies.rules import PolicySource
from schema.categories import Basis, DataCategory, Purpose
from schema.errors import PolicyError


def test_rules_carry_their_annotations_in_the_order_of_the_file(source: PolicySource) -> None:
    rules = load(source).rules
    assert [rule.position for rule in rules] == list(range(1, len(rules) + 1))
    assert rules[0].id == "strategic-partners"
    assert rules[0].clause == "C8"
    assert rules[0].effect == "permit"


def test_many_rules_stay_in_order(source: PolicySource) -> None:
    many = "\n".join(f'@id("r{number}") permit (principal, action, resource);' for number in range(12))
    assert [rule.id for rule in load(replace(source, rules=many)).rules] == [f"r{n}" for n in range(12)]


def test_answers_name_the_rules_that_determined_them(source: PolicySource) -> None:
    offers = Purpose.PARTNER_OFFERS
    answers = load(source).answer(
        [
            Cell(Action.SHARE, Basis.STRATEGIC, offers, DataCategory.EMAIL, protected=False),
            Cell(Action.SHARE, Basis.STRATEGIC, offers, DataCategory.EMAIL, protected=True),
            Cell(Action.SHARE, Basis.MARKETING, offers, DataCategory.STREET, protected=False),
        ]
    )
    assert answers == [
        Answer(permitted=True, rules=("strategic-partners",)),
        Answer(permitted=False, rules=("under-18",)),
        Answer(permitted=False, rules=()),
    ]


def test_only_named_regions_are_told_apart(source: PolicySource) -> None:
    assert load(source).regions == ("OTHER",)
    by_region = source.rules + (
        '@id("r") forbid (principal, action == Action::"presume", resource) '
        'when { [Region::"US-CA", Region::"EU", Region::"OTHER"].contains(context.region) };'
    )
    assert load(replace(source, rules=by_region)).regions == ("EU", "US-CA", "OTHER")


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("permit (", "the rules do not parse"),
        ('@id("a") permit (principal == Basis::"FRIEND", action, resource);', "`a`.*FRIEND"),
        ('@id("a") permit (principal, action, resource) when { context.weather };', "`a`.*weather"),
        (
            'permit (principal, action, resource) when { context.region == Region::"EU" };',
            "`rule 1`.*region",
        ),
        (
            (
                '@id("a") permit (principal, action == Action::"presume", resource) '
                'when { context.region == Region::"Mars" };'
            ),
            "`a`.*Mars",
        ),
        (
            '@id("a") forbid (principal, action, resource in DataCategory::"user.contact.phone");',
            "no data category is called `user.contact.phone`",
        ),
    ],
)
def test_a_fault_in_the_rules_is_named(source: PolicySource, rules: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        load(replace(source, rules=rules))


def test_a_schema_that_does_not_parse_is_refused(source: PolicySource) -> None:
    with pytest.raises(PolicyError, match="the schema does not parse"):
        load(replace(source, schema="entity"))


def test_a_schema_that_does_not_fit_the_program_is_refused(source: PolicySource) -> None:
    narrower = replace(source, schema=source.schema.replace('"EU", "EEA", "US-CA", "OTHER"', '"EU"'))
    cell = Cell(
        Action.PRESUME,
        Basis.LEGAL,
        Purpose.LEGAL_OBLIGATION,
        DataCategory.NAME,
        protected=False,
        region="OTHER",
    )
    with pytest.raises(PolicyError, match=r"cannot be evaluated.*as the shipped one does"):
        load(narrower).answer([cell])


def test_a_rule_that_fails_to_evaluate_is_an_error_and_not_a_denial(source: PolicySource) -> None:
    overflowing = (
        '@id("a") permit (principal, action, resource);'
        '@id("b") forbid (principal, action, resource) when { 9223372036854775807 + 1 > 0 };'
    )
    cell = Cell(Action.SHARE, Basis.LEGAL, Purpose.LEGAL_OBLIGATION, DataCategory.NAME, protected=False)
    with pytest.raises(PolicyError, match=r"cannot be evaluated.*overflow"):
        load(replace(source, rules=overflowing)).answer([cell])
