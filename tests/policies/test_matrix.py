from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from policies.engine import Action
from policies.matrix import Matrix, compile_matrix
from policies.render import TableFormat, render
from policies.rules import PolicySource
from policies.table import Column, sharing_table
from schema.categories import (
    SHAREABLE,
    Basis,
    DataCategory,
    Purpose,
    categories_of,
    closed,
    mask_of,
)
from schema.errors import PolicyError
from tests.policies.commented import commented_rules

GOLDEN = Path(__file__).parent / "shipped_policy.txt"
EVERYTHING_RULE = '@id("all") permit (principal, action, resource);'

NEVER_TO_PARTNERS = {
    DataCategory.CREDIT_CARD,
    DataCategory.PAYMENT,
    DataCategory.DATE_OF_BIRTH,
    DataCategory.DEVICE,
    DataCategory.IP_ADDRESS,
    DataCategory.BROWSING_HISTORY,
    DataCategory.BEHAVIOR,
    DataCategory.PRIVATE_CONTENT,
    DataCategory.PRIVACY_PREFERENCES,
    DataCategory.UNIQUE_ID,
    DataCategory.CONTACT,
}


@pytest.mark.clause("C8", "C16")
def test_the_shipped_policy_is_this_table(matrix: Matrix) -> None:
    assert render(sharing_table(matrix), TableFormat.TEXT) == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.clause("C2", "C3", "C8")
@pytest.mark.parametrize("basis", [Basis.STRATEGIC, Basis.MARKETING, Basis.MEMBER_REQUEST])
@pytest.mark.parametrize("purpose", list(Purpose))
def test_no_partner_gets_what_the_policy_keeps_back(matrix: Matrix, basis: Basis, purpose: Purpose) -> None:
    assert not categories_of(matrix.share_mask(basis, purpose, protected=False)) & NEVER_TO_PARTNERS


@pytest.mark.clause("C17")
@pytest.mark.parametrize("rules", [None, EVERYTHING_RULE])
def test_protected_members_are_shared_on_the_legal_basis_only(
    source: PolicySource, rules: str | None
) -> None:
    matrix = compile_matrix(source if rules is None else replace(source, rules=rules))
    shared = {
        basis
        for basis in Basis
        for purpose in Purpose
        if matrix.share_mask(basis, purpose, protected=True)
        or matrix.presumed_mask(basis, purpose, None, protected=True)
    }
    assert shared == {Basis.LEGAL}


@pytest.mark.clause("C10", "C14")
def test_a_file_that_permits_everything_still_gives_no_sealed_bit(source: PolicySource) -> None:
    matrix = compile_matrix(replace(source, rules=EVERYTHING_RULE))
    for basis in Basis:
        for purpose in Purpose:
            assert matrix.share_mask(basis, purpose, protected=False) == mask_of(SHAREABLE)


@pytest.mark.clause("C8")
def test_nothing_is_presumed_of_a_member_request(source: PolicySource) -> None:
    matrix = compile_matrix(replace(source, rules=EVERYTHING_RULE))
    assert matrix.presumed_mask(Basis.MEMBER_REQUEST, Purpose.MEMBER_ASKED, "EU") == 0


def test_a_presumption_is_part_of_what_is_shared(source: PolicySource) -> None:
    presuming = '@id("p") permit (principal, action == Action::"presume", resource);'
    matrix = compile_matrix(replace(source, rules=presuming))
    assert matrix.presumed_mask(Basis.STRATEGIC, Purpose.PARTNER_OFFERS, None) == 0


def test_masks_are_closed(source: PolicySource) -> None:
    without = source.rules + (
        '@id("no-last-name") forbid (principal, action, resource == DataCategory::"user.name.last");'
    )
    matrix = compile_matrix(replace(source, rules=without))
    shared = matrix.share_mask(Basis.STRATEGIC, Purpose.PARTNER_OFFERS, protected=False)
    assert DataCategory.FIRST_NAME in categories_of(shared)
    assert DataCategory.NAME not in categories_of(shared)
    assert shared == closed(shared)


@pytest.mark.clause("C8")
@pytest.mark.parametrize(
    ("rule_id", "column", "region", "elsewhere"),
    [
        ("marketing-opt-in", Column(Basis.MARKETING, Purpose.PARTNER_OFFERS), None, False),
        ("opt-in-in-the-eu", Column(Basis.STRATEGIC, Purpose.JOINT_SERVICE), "EU", True),
        ("opt-in-in-the-eu", Column(Basis.MARKETING, Purpose.PARTNER_EMAIL), "EU", True),
        ("partner-email-opt-in", Column(Basis.MARKETING, Purpose.PARTNER_EMAIL), "US-CA", False),
    ],
)
def test_the_commented_rules_of_the_file_turn_to_opt_in(
    source: PolicySource, rule_id: str, column: Column, region: str | None, elsewhere: bool
) -> None:
    matrix = compile_matrix(replace(source, rules=source.rules + commented_rules(source.rules)[rule_id]))
    basis, purpose = column.basis, column.purpose
    assert matrix.presumed_mask(basis, purpose, region) == 0
    assert matrix.share_mask(basis, purpose, protected=False) != 0
    assert bool(matrix.presumed_mask(basis, purpose, "OTHER")) is elsewhere
    assert matrix.presumed_mask(Basis.STRATEGIC, Purpose.PARTNER_OFFERS, "OTHER") != 0
    assert matrix.rule_for(Action.PRESUME, basis, purpose, DataCategory.NAME, region=region) == (rule_id,)


def test_a_region_that_no_rule_names_is_other(source: PolicySource) -> None:
    rule = commented_rules(source.rules)["opt-in-in-the-eu"]
    matrix = compile_matrix(replace(source, rules=source.rules + rule))
    assert matrix.regions == ("EU", "OTHER")
    presumed = [
        matrix.presumed_mask(Basis.MARKETING, Purpose.PARTNER_OFFERS, region) != 0
        for region in ("EU", "DE", "DE-BY", "GB", "US-CA", "Atlantis", None)
    ]
    assert presumed == [False, False, False, True, True, True, False]


@pytest.mark.clause("C8")
def test_only_what_every_covering_region_presumes_is_presumed(source: PolicySource) -> None:
    schema = source.schema.replace('"EU",', '"EU", "DE",')
    rules = source.rules + (
        '@id("eu") forbid (principal, action == Action::"presume", resource)'
        ' when { context.region == Region::"EU" && resource == DataCategory::"user.contact.email" };'
        '@id("de") forbid (principal, action == Action::"presume", resource)'
        ' when { context.region == Region::"DE" && resource == DataCategory::"user.location.imprecise" };'
    )
    matrix = compile_matrix(PolicySource(rules, schema))

    def cell(category: DataCategory, region: str) -> tuple[bool, tuple[str, ...]]:
        presumed = categories_of(matrix.presumed_mask(Basis.MARKETING, Purpose.PARTNER_OFFERS, region))
        found = matrix.rule_for(
            Action.PRESUME, Basis.MARKETING, Purpose.PARTNER_OFFERS, category, region=region
        )
        return category in presumed, found

    assert cell(DataCategory.EMAIL, "DE-BY") == (False, ("eu",))
    assert cell(DataCategory.REGION, "DE-BY") == (False, ("de",))
    assert cell(DataCategory.REGION, "FR") == (True, ("marketing-partners",))
    assert cell(DataCategory.NAME, "DE") == (True, ("marketing-partners",))
    assert cell(DataCategory.PAYMENT, "DE") == (False, ())


def test_rules_are_found_for_permitted_prohibited_and_silent_cells(source: PolicySource) -> None:
    rules = (
        source.rules
        + '@id("no-mail") forbid (principal, action, resource == DataCategory::"user.contact.email");'
    )
    matrix = compile_matrix(replace(source, rules=rules))

    def rule_for(category: DataCategory) -> tuple[str, ...]:
        return matrix.rule_for(Action.SHARE, Basis.STRATEGIC, Purpose.PARTNER_OFFERS, category)

    assert rule_for(DataCategory.NAME) == ("strategic-partners",)
    assert rule_for(DataCategory.EMAIL) == ("no-mail",)
    assert rule_for(DataCategory.PAYMENT) == ()


def test_a_matrix_is_frozen_and_named_by_its_source(source: PolicySource) -> None:
    matrix = compile_matrix(source)
    assert matrix.digest == source.digest
    with pytest.raises(FrozenInstanceError):
        matrix.digest = ""  # type: ignore[misc]


def test_a_policy_that_does_not_parse_is_refused(source: PolicySource) -> None:
    with pytest.raises(PolicyError):
        compile_matrix(replace(source, rules="permit"))
