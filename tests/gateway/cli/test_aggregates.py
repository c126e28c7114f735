from __future__ import annotations

import re

import pytest

from tests.gateway.cli.test_main import UUID_PATTERN, Terminal, office, terminal, url

__all__ = ["office", "terminal", "url"]


@pytest.mark.clause("C5", "C7")
def test_an_agreement_about_counts_from_its_making_to_its_end(office: Terminal) -> None:
    office.done("partner", "create", "adco", "--display-name", "Adco")
    made = office.done(
        "aggregates", "agreement", "create", "adco", "--purpose", "reporting", "--dimension", "age-band",
        "--dimension", "REGION", "--budget", "0.5",
    )  # fmt: skip
    assert re.fullmatch(UUID_PATTERN + "\n", made)
    agreement = made.strip()
    assert office.done("client", "create", "adco-counts", "--agreement", agreement)
    shown = office.done("aggregates", "agreement", "show", agreement)
    assert "0.5 of 0.5 left" in shown
    assert "scopes      user.demographic.age_range, user.location.imprecise" in shown
    assert "clients     adco-counts" in shown
    sdl = office.done("schema", "print", "--as", "client:adco-counts")
    assert "audience(" in sdl
    assert "SharedMember" not in sdl
    assert office.done("token", "partner", "adco", "--client", "adco-counts")
    assert "ENDED" in office.done("aggregates", "agreement", "end", agreement)
    assert "ENDED" in office.done("aggregates", "agreement", "list")
    assert office.run("token", "partner", "adco", "--client", "adco-counts") == 1
    assert office.run("aggregates", "agreement", "end", agreement) == 1


def test_officers_ask_for_the_company_and_the_answer_is_on_record(office: Terminal) -> None:
    question = ("aggregates", "ask", "--by", "age-band", "--where", "region=US,CA", "--epsilon", "0.2")
    first = office.done(*question)
    assert len(first.splitlines()) == 6
    assert "paid 0.2, 1.8 of 2 left" in office.err
    assert office.done(*question) == first
    assert "paid 0, 1.8 of 2 left" in office.err
    answers = office.done("aggregates", "list")
    assert answers.rstrip().endswith("epsilon 0.2\t--by age-band --where region=CA,US")
    assert "{" not in answers
    assert "3.8 of 4 left" in office.done("aggregates", "budgets")


@pytest.mark.parametrize(
    "words",
    [
        ("aggregates", "ask", "--where", "email=a"),
        ("aggregates", "ask", "--epsilon", "3"),
        ("aggregates", "agreement", "create", "nobody", "--purpose", "reporting", "--dimension", "REGION"),
        ("aggregates", "agreement", "create", "x", "--purpose", "joint-service", "--dimension", "REGION"),
        ("aggregates", "agreement", "show", "no-id"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(office: Terminal, words: tuple[str, ...]) -> None:
    assert office.run(*words) == 1
    assert office.err.strip()
    assert "Traceback" not in office.err
