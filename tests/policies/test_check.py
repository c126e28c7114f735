from __future__ import annotations

from dataclasses import replace

import pytest

from policies.check import Finding, Severity, check, checked_matrix
from policies.officer_lines import has_control
from policies.rules import PolicySource
from schema.categories import Basis
from schema.errors import PolicyError
from tests.policies.commented import commented_rules

NOTES = '@clause("C8") @text("A sentence.")'


def errors(source: PolicySource) -> list[Finding]:
    return [finding for finding in check(source) if finding.severity is Severity.ERROR]


def without(source: PolicySource, *ids: str) -> PolicySource:
    """The shipped policy with some of its rules taken away, and all comments."""
    code = "\n".join(line for line in source.rules.splitlines() if not line.startswith("//"))
    head, *rules = code.split('@id("')
    kept = [rule for rule in rules if rule.split('"', 1)[0] not in ids]
    assert len(kept) == len(rules) - len(ids)
    return replace(source, rules='@id("'.join([head, *kept]))


def added(source: PolicySource, rule: str) -> PolicySource:
    return replace(source, rules=f"{source.rules}\n{rule}")


def test_the_shipped_policy_has_no_findings(source: PolicySource) -> None:
    assert check(source) == ()


def test_the_commented_rules_have_no_findings(source: PolicySource) -> None:
    rules = commented_rules(source.rules)
    assert set(rules) == {"marketing-opt-in", "opt-in-in-the-eu", "partner-email-opt-in"}
    assert check(added(source, "\n".join(rules.values()))) == ()


@pytest.mark.parametrize("rules", ["permit (", "", "nonsense"])
def test_what_does_not_parse_is_refused_and_nothing_is_a_policy_that_shares_nothing(
    source: PolicySource, rules: str
) -> None:
    findings = check(replace(source, rules=rules))
    if rules:
        assert [(finding.severity, finding.rule) for finding in findings] == [(Severity.ERROR, None)]
        assert "do not parse" in findings[0].message
    else:
        assert {finding.severity for finding in findings} == {Severity.WARNING}


def test_every_fault_of_validation_is_a_finding_of_its_own(source: PolicySource) -> None:
    found = errors(
        added(
            source,
            f'@id("a") {NOTES} permit (principal == Basis::"X", action, resource);'
            f'@id("b") {NOTES} permit (principal, action, resource == DataCategory::"user.nam");',
        )
    )
    assert len(found) == 2
    assert "`a`" in found[0].message
    assert "`user.nam`" in found[1].message


def test_a_schema_that_does_not_fit_is_refused(source: PolicySource) -> None:
    found = errors(replace(source, schema=source.schema.replace('"EU", "EEA", "US-CA", "OTHER"', '"EU"')))
    assert len(found) == 1
    assert "cannot be evaluated" in found[0].message


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        (NOTES, "has no id"),
        (f'@id("Upper Case") {NOTES}', "id of another form"),
        (f'@id("member-request") {NOTES}', "id of more than one rule"),
        ('@id("a") @text("x")', "names no clause"),
        ('@id("a") @clause("C18") @text("x")', "names no clause"),
        ('@id("a") @clause("C8")', "has no text"),
        ('@id("a") @clause("C8") @text("")', "has no text"),
        ('@id("a") @clause("C8") @text("  ")', "a text of another length"),
        (f'@id("a") @clause("C8") @text("{"x" * 501}")', "a text of another length"),
        (r'@id("a") @clause("C8") @text("not\u{202e} so")', "a text with a control character"),
        (r'@id("a") @clause("C8") @text("\u{1b}]0;x\u{7}")', "a text with a control character"),
        ('@id("a") @clause("C8") @text("Call +1 415 555 0132.")', "a text with a telephone number"),
        (rf'@id("a\u{{1b}}") {NOTES}', "`rule 9` has an id of another form"),
    ],
)
def test_every_rule_says_who_it_is(source: PolicySource, annotations: str, message: str) -> None:
    rule = f'{annotations} forbid (principal, action, resource == DataCategory::"user.payment");'
    found = [finding.message for finding in errors(added(source, rule))]
    assert any(message in each for each in found)
    assert not any(has_control(each) for each in found)


def test_a_template_is_refused(source: PolicySource) -> None:
    template = f'@id("t") {NOTES} permit (principal == ?principal, action, resource);'
    assert [finding.message for finding in errors(added(source, template))] == [
        "`t` is a template and permits nothing; replace ?principal and ?resource"
    ]


@pytest.mark.clause("C10")
@pytest.mark.parametrize(
    "extent",
    [
        'resource == DataCategory::"user.contact.phone_number"',
        'resource in DataCategory::"user.contact"',
        'resource in DataCategory::"user"',
    ],
)
def test_a_policy_that_permits_telephone_numbers_is_refused(source: PolicySource, extent: str) -> None:
    rule = f'@id("phones") {NOTES} permit (principal == Basis::"LEGAL", action, {extent});'
    assert errors(added(source, rule)) == []  # the file's own prohibition holds
    # "no-telephone-numbers" removed: "legal-obligation" itself, which names no category, reaches them too.
    found = {
        finding.rule: finding for finding in errors(added(without(source, "no-telephone-numbers"), rule))
    }
    assert found["phones"].message.startswith("`phones` permits `user.contact.phone_number`")
    assert set(found) == {"phones", "legal-obligation", "business-transfer"}


@pytest.mark.clause("C14")
def test_a_policy_that_permits_credentials_is_refused(source: PolicySource) -> None:
    found = errors(without(source, "no-credentials"))
    assert {finding.rule for finding in found} == {"legal-obligation", "business-transfer"}
    assert all("`user.authorization.password`" in finding.message for finding in found)


@pytest.mark.clause("C10")
def test_a_sealed_category_in_a_single_corner_is_found(source: PolicySource) -> None:
    corner = (
        f'@id("corner") {NOTES} permit (principal == Basis::"MARKETING", action == Action::"presume", '
        'resource == DataCategory::"user.contact.phone_number") '
        'when { context.region == Region::"EU" && context.protected '
        '&& context.purpose == Purpose::"REPORTING" };'
    )
    loosened = without(source, "no-telephone-numbers", "under-18")
    assert any(
        finding.rule == "corner" and "phone_number" in finding.message
        for finding in errors(added(loosened, corner))
    )


@pytest.mark.clause("C17")
def test_a_policy_that_shares_minors_is_refused(source: PolicySource) -> None:
    found = {finding.rule: finding for finding in errors(without(source, "under-18"))}
    assert set(found) == {"strategic-partners", "marketing-partners", "business-transfer", "member-request"}
    assert "under 18 on the basis STRATEGIC (C17)" in found["strategic-partners"].message


@pytest.mark.clause("C8", "C10", "C14", "C17")
def test_a_policy_that_permits_everything_is_refused_for_everything(source: PolicySource) -> None:
    found = errors(replace(source, rules="permit(principal, action, resource);"))
    assert {finding.rule for finding in found} == {"rule 1"}
    messages = "\n".join(finding.message for finding in found)
    for part in ("has no id", "phone_number", "password", "under 18", "only the member can ask for"):
        assert part in messages


def test_a_presumption_without_permission_is_refused(source: PolicySource) -> None:
    rule = (
        f'@id("p") {NOTES} permit (principal == Basis::"MARKETING", action == Action::"presume", '
        'resource == DataCategory::"user.payment") unless { context.protected };'
    )
    assert [finding.message for finding in errors(added(source, rule))] == [
        "`p` presumes what no rule shares: orders and payments; permit the action share as well"
    ]


@pytest.mark.clause("C8")
def test_a_presumed_member_request_is_refused(source: PolicySource) -> None:
    eager = source.rules.replace(
        'principal == Basis::"MEMBER_REQUEST",\n  action == Action::"share"',
        'principal == Basis::"MEMBER_REQUEST",\n  action',
    )
    assert eager != source.rules
    found = errors(replace(source, rules=eager))
    assert [finding.rule for finding in found] == ["member-request"]
    assert "only the member can ask for" in found[0].message


@pytest.mark.clause("C8")
def test_a_basis_that_permits_nothing_is_a_warning(source: PolicySource) -> None:
    found = check(without(source, "marketing-partners"))
    assert [finding.severity for finding in found] == [Severity.WARNING]
    assert Basis.MARKETING in found[0].message


def test_a_legal_basis_that_presumes_nothing_is_a_warning(source: PolicySource) -> None:
    rule = f'@id("a") {NOTES} forbid (principal == Basis::"LEGAL", action == Action::"presume", resource);'
    found = check(added(source, rule))
    assert [finding.severity for finding in found] == [Severity.WARNING]
    assert "LEGAL shares what it does not presume" in found[0].message


@pytest.mark.clause("R1")
@pytest.mark.parametrize("key", ["user.contact.phone_number", "user.authorization"])
def test_a_permit_that_names_what_is_never_shared_is_a_warning(source: PolicySource, key: str) -> None:
    rule = (
        f'@id("a") {NOTES} permit (principal == Basis::"LEGAL", action, resource in DataCategory::"{key}");'
    )
    found = check(added(source, rule))
    assert [(finding.severity, finding.rule) for finding in found] == [(Severity.WARNING, "a")]
    assert f"`{key}`" in found[0].message


def test_a_server_starts_with_a_checked_policy_only(source: PolicySource) -> None:
    assert checked_matrix(source).digest == source.digest
    with pytest.raises(PolicyError, match="under 18"):
        checked_matrix(without(source, "under-18"))


def test_a_warning_does_not_keep_a_server_from_starting(source: PolicySource) -> None:
    assert checked_matrix(without(source, "marketing-partners")).digest
