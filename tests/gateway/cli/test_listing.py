"""Where there is nothing to list, a sentence says so on standard error, and it is no failure."""

from __future__ import annotations

import re

from tests.architecture.test_docs import PROGRAM
from tests.gateway.cli.test_main import Terminal, agreement_of, office, terminal, url

__all__ = ["office", "terminal", "url"]

ALWAYS = {("keys", "list"), ("policy", "history")}
"""A gateway that was initialised has keys and a policy."""

OF_A_PARTNER = {
    ("client", "list"): (),
    ("deletions", "list"): ("acme",),
    ("documents", "list"): ("--client", "acme-api"),
    ("partner", "keys"): ("acme",),
}
"""What is listed of a partner; the partner is there."""

NONE = "there is no|no|nothing|this partner has|this client has"

LISTS = {path for path in PROGRAM if path[-1] == "list"} - ALWAYS | {
    ("deletions", "overdue"),
    ("officer", "actions", "--officer", "nobody"),
    ("partner", "keys"),
    ("policy", "notices"),
    ("requests", "list", "--kind", "access"),
}


def says_there_is_none(office: Terminal, *words: str) -> None:
    assert office.run(*words) == 0, words
    assert office.out == "", words
    assert re.fullmatch(
        r"(there is no|no|nothing|this partner has|this client has) [^\n{}]+\n", office.err
    ), words


def test_a_list_of_nothing_is_one_sentence_and_no_failure(office: Terminal) -> None:
    for words in sorted(LISTS - OF_A_PARTNER.keys()):
        says_there_is_none(office, *words)
    agreement = agreement_of(office, "--draft")
    says_there_is_none(office, "client", "list")
    office.done("client", "create", "acme-api", "--agreement", agreement)
    for words, of_whom in OF_A_PARTNER.items():
        if words != ("client", "list"):
            says_there_is_none(office, *words, *of_whom)
    says_there_is_none(office, "deletions", "list", "acme", "--confirmed")
