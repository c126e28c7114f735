from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from policies.document import Document, document_markdown, sections
from policies.matrix import Matrix, compile_matrix
from policies.member_text import Standing, listed, member_text
from policies.render import TableFormat, render
from policies.rules import PolicySource
from policies.table import sharing_table
from policies.words import ENGLISH, WORDS, Words
from resolvers.notices import PublishedNotice
from schema.categories import Basis, DataCategory, Purpose
from schema.ids import new_id
from tests.decisions.cases import NOW
from tests.policies.commented import commented_rules

DOCS = Path(__file__).resolve().parents[2] / "docs"


def under(document: Document, title: str) -> str:
    """Everything that stands under a heading."""
    return " ".join(line for part in sections(document) if part.title == title for line in part.paragraphs)


def changed(source: PolicySource, *names: str) -> Matrix:
    rules = commented_rules(source.rules)
    return compile_matrix(replace(source, rules=source.rules + "".join(rules[name] for name in names)))


def notice(basis: Basis, effective_in: timedelta) -> PublishedNotice:
    return PublishedNotice(
        id=new_id(),
        title="More",
        body="One.\n\nTwo.",
        basis=basis,
        purpose=Purpose.JOINT_SERVICE,
        categories=["user.name", "user.name.first"],
        published_at=NOW - timedelta(days=2),
        effective_at=NOW + effective_in,
    )


def test_the_documents_are_current(matrix: Matrix) -> None:
    text = (DOCS / "member-text.md").read_text(encoding="utf-8")
    assert text == document_markdown(member_text(matrix, ENGLISH)), "run: make docs"
    table = (DOCS / "sharing-matrix.md").read_text(encoding="utf-8")
    assert table == render(sharing_table(matrix), TableFormat.MARKDOWN), "run: make docs"


@pytest.mark.clause("C8", "C16")
def test_each_basis_is_said_with_its_purposes_data_and_rules(matrix: Matrix) -> None:
    text = member_text(matrix, ENGLISH)
    for basis in Basis:
        said = under(text, ENGLISH.whom[basis])
        for purpose in Purpose:
            shared = matrix.share_mask(basis, purpose, protected=False)
            assert (ENGLISH.uses[purpose] in said) == bool(shared)
    marketing = under(text, ENGLISH.whom[Basis.MARKETING])
    assert "age band, e-mail address, interests, name, region. Until you refuse." in marketing
    assert "postal address" not in marketing
    assert "Decided by `marketing-partners`." in marketing
    assert "Marketing partners receive name, e-mail" in under(text, ENGLISH.rules)


@pytest.mark.clause("R1", "C10", "C14", "C17")
@pytest.mark.parametrize("words", WORDS.values(), ids=lambda words: words.language)
def test_what_holds_whatever_the_rules_say_is_said(source: PolicySource, words: Words) -> None:
    everything = replace(
        source, rules='@id("all") @clause("C8") @text("x") permit (principal, action, resource);'
    )
    text = member_text(compile_matrix(everything), words)
    assert words.minors_text in under(text, words.minors)
    assert words.categories[DataCategory.PHONE_NUMBER] in under(text, words.never)
    for basis in Basis:
        assert words.categories[DataCategory.PHONE_NUMBER] not in under(text, words.whom[basis])


def test_where_something_else_holds_it_is_said(source: PolicySource) -> None:
    text = member_text(changed(source, "opt-in-in-the-eu"), ENGLISH)
    marketing = under(text, ENGLISH.whom[Basis.MARKETING])
    assert "Until you refuse. If you live in the European Union: only if you agree to it." in marketing
    assert "`marketing-partners` and `opt-in-in-the-eu`" in marketing


def test_purposes_with_other_conditions_are_said_apart(source: PolicySource) -> None:
    marketing = under(
        member_text(changed(source, "partner-email-opt-in"), ENGLISH), ENGLISH.whom[Basis.MARKETING]
    )
    assert (
        "For offers that suit you: age band, e-mail address, interests, name, region. Until you" in marketing
    )
    assert "For offers by e-mail: age band, e-mail address, interests, name, region. Only if you" in marketing


def test_a_part_that_waits_for_an_opt_in_is_told_from_the_rest(source: PolicySource) -> None:
    rule = (
        '@id("no-presumed-email") @clause("C8") @text("x") forbid (principal == Basis::"MARKETING",'
        ' action == Action::"presume", resource == DataCategory::"user.contact.email");'
    )
    text = member_text(compile_matrix(replace(source, rules=source.rules + rule)), ENGLISH)
    assert "Until you refuse: age band, interests, name, region. The rest only if you agree to it." in under(
        text, ENGLISH.whom[Basis.MARKETING]
    )


@pytest.mark.clause("C16")
def test_what_was_announced_is_coming_until_its_first_day(matrix: Matrix) -> None:
    soon, begun = notice(Basis.STRATEGIC, timedelta(days=9)), notice(Basis.LEGAL, timedelta(0))
    text = member_text(matrix, ENGLISH, Standing("7", NOW), [soon, begun], NOW)
    titles = [part.title for part in sections(text)]
    assert titles.index("What will change") < titles.index("What has changed")
    assert under(text, ENGLISH.text_title).endswith("in force since 1 June 2026.")
    said = under(text, "More")
    assert said.startswith("One. Two. What it is about: name. What for: a service that we provide together.")
    assert f"in effect from 10 June 2026. {ENGLISH.refusable}" in said
    assert said.endswith(ENGLISH.not_refusable)


def test_a_category_is_not_listed_beside_one_that_covers_it() -> None:
    parts = [DataCategory.NAME, DataCategory.FIRST_NAME, DataCategory.CONTACT, DataCategory.EMAIL]
    assert listed(parts, ENGLISH) == "contact data, e-mail address, name", (
        "contact data would hide the number"
    )
