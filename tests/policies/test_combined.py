"""Which rules are shown as in force while something that was announced waits (C16)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.policy_source import load_shipped_directory
from policies.combined import CombinedMatrix, _is_open, _open_cells, _spoken, matrix_of
from policies.document import sections
from policies.engine import Action
from policies.matrix import Matrix, compile_matrix
from policies.member_text import member_text
from policies.table import sharing_table
from policies.versions import both, either, only
from policies.words import WORDS
from schema.categories import Basis, DataCategory, Purpose
from schema.vocabulary import Language
from tests.policies.test_versions import EU_ASKED, PURCHASES, policy

OLD = "Marketing partners receive name, e-mail, region, age band and interests until the member opts out."
NEW = "Marketing partners receive name, e-mail, user name, region, age band and interests."
NARROW = """
@id("no-interests") @clause("C8") @text("No interests.")
forbid (principal == Basis::"MARKETING", action, resource in DataCategory::"user.demographic.profile");
"""


def widened(*added: str) -> Matrix:
    """Marketing partners receive the user name as well, and their rule says so."""
    source = load_shipped_directory().source
    before, rule = source.rules.split('@id("marketing-partners")')
    rule = rule.replace(OLD, NEW).replace(
        'DataCategory::"user.contact.email"',
        'DataCategory::"user.contact.email", DataCategory::"user.account.username"',
        1,
    )
    return compile_matrix(replace(source, rules=f'{before}@id("marketing-partners"){rule}{"".join(added)}'))


def waiting_for(old: Matrix, new: Matrix) -> CombinedMatrix:
    """Version 2 is published after version 1, and what it opens waits."""
    held = matrix_of(both(only(1), only(2)), {1: old, 2: new})
    assert isinstance(held, CombinedMatrix)
    return held


def ids(held: Matrix) -> tuple[set[str], set[str]]:
    return set(held.rules), {rule.name for rule in held.waiting}


def cited(held: Matrix, category: DataCategory) -> tuple[str, ...]:
    return held.rule_for(Action.SHARE, Basis.MARKETING, Purpose.PARTNER_EMAIL, category)


@pytest.mark.clause("C16")
def test_a_rule_that_opens_what_waits_is_told_apart() -> None:
    held = waiting_for(policy(), policy(PURCHASES))
    assert ids(held) == (set(policy().rules), {"purchases"})
    assert cited(held, DataCategory.PURCHASE_HISTORY) == ()


@pytest.mark.clause("C16")
def test_of_a_rule_that_was_widened_the_earlier_text_is_in_force() -> None:
    held = waiting_for(policy(), widened())
    assert held.rules["marketing-partners"].text == OLD
    assert [rule.text for rule in held.waiting] == [NEW]
    assert cited(held, DataCategory.EMAIL) == ("marketing-partners",)
    assert cited(held, DataCategory.USERNAME) == ()


@pytest.mark.clause("C16")
def test_a_prohibition_that_was_taken_out_is_in_force_until_its_notice_is_over() -> None:
    held = waiting_for(policy(EU_ASKED), policy())
    assert ids(held) == ({*policy().rules, "eu"}, set())
    shown = member_text(held, WORDS[Language.EN])
    assert "`marketing-partners` and `eu`" in str(sections(shown))


@pytest.mark.clause("C16")
def test_what_closes_is_in_force_at_once_beside_what_waits() -> None:
    held = waiting_for(policy(), widened(NARROW))
    assert held.rules["marketing-partners"].text == OLD
    assert "no-interests" in held.rules
    assert [rule.text for rule in held.waiting] == [NEW]


def test_what_waits_for_nothing_shows_the_version_in_force_as_it_is() -> None:
    new = policy(NARROW)
    held = waiting_for(policy(), new)
    assert (held.rules, held.waiting) == (new.rules, ())


@pytest.mark.clause("C16")
def test_the_page_shows_what_waits_below_the_rules_that_count() -> None:
    held = waiting_for(policy(), widened())
    words = WORDS[Language.EN]
    parts = {part.title: part.paragraphs for part in sections(member_text(held, words))}
    assert any(NEW in line for line in parts[words.rules_waiting])
    assert not any(NEW in line for line in parts[words.rules])
    assert words.rules_waiting not in str(sections(member_text(policy(), words)))


@pytest.mark.parametrize(
    "held",
    [
        waiting_for(policy(EU_ASKED), widened(PURCHASES, NARROW)),
        matrix_of(
            either(both(only(3), only(1)), both(only(3), only(2))),
            {1: policy(), 2: policy(PURCHASES), 3: widened(PURCHASES)},
        ),
    ],
    ids=["two", "three"],
)
def test_every_rule_that_is_cited_is_in_force_and_permits_only_what_is_open(held: CombinedMatrix) -> None:
    sharing_table(held)  # names each rule that it cites
    for cell in _open_cells(held):
        cited = [held.rules[name] for name in _spoken(held, cell)]
        effects = {rule.effect for rule in cited}
        assert effects == {"permit"} if _is_open(held, cell) else effects <= {"forbid"}
    for rule in held.rules.values():
        assert rule not in held.waiting
