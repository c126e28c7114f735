"""A policy as a directory: what belongs into it, and what is said of what does not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from gateway.policy_source import load_shipped_directory
from policies.check import check
from policies.directory import read_directory, refuse_hidden
from policies.engine import load
from schema.errors import PolicyError

SHIPPED: Mapping[str, str] = load_shipped_directory().files


def test_the_files_are_given_back_as_they_were() -> None:
    assert read_directory(read_directory(SHIPPED).files) == read_directory(SHIPPED)


def test_every_rule_is_told_in_the_reader_s_language() -> None:
    source = read_directory(SHIPPED).source
    assert source.languages == ("de",)
    texts = {rule.name: rule for rule in load(source).rules}
    assert texts["no-credentials"].text_in("de").startswith("Passw\u00f6rter")
    assert texts["no-credentials"].text_in("fr") == texts["no-credentials"].text


def test_only_what_decides_and_what_is_told_makes_another_policy() -> None:
    before = read_directory(SHIPPED)
    renamed = read_directory({**SHIPPED, "policy.toml": 'title = "Another"\neffective = 2027-01-31'})
    assert renamed.source.digest == before.source.digest
    assert (renamed.title, renamed.effective) == ("Another", date(2027, 1, 31))
    told = SHIPPED["texts/de.toml"].replace("niemand.", "keiner.")
    assert read_directory({**SHIPPED, "texts/de.toml": told}).source.digest != before.source.digest


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sharing.cedar": None}, "`sharing.cedar` is missing"),
        ({"notes.txt": "x"}, "`notes.txt` is no file of a policy"),
        ({"texts/German.toml": "x"}, "`texts/German.toml` is no file of a policy"),
        ({"decisions/deep/x.yaml": "x"}, "`decisions/deep/x.yaml` is no file of a policy"),
        ({"texts/de.toml": "= 1"}, "`texts/de.toml`: not TOML"),
        ({"texts/de.toml": 'under-18 = ""'}, "`texts/de.toml`: `under-18` has no text"),
        ({"texts/en.toml": ""}, "texts stand in the rules"),
        ({"policy.toml": "titel = 1"}, "`titel`"),
        ({"policy.toml": 'title = "x"\neffective = "soon"'}, "`effective`"),
        ({"sharing.cedar": "/" * 1_000_001}, "is longer than"),
    ],
)
def test_what_is_no_policy_is_refused_by_name(changed: Mapping[str, str | None], said: str) -> None:
    files = {path: text for path, text in {**SHIPPED, **changed}.items() if text is not None}
    with pytest.raises(PolicyError) as caught:
        read_directory(files)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("path", "added", "line"),
    [
        ("sharing.cedar", "// fine\r\n//\twell\n// \u202e no\n", 3),
        ("decisions/topics.yaml", "# \x1b]0;x\x07\n", 1),
        ("policy.toml", "# \u2066\n", 1),
    ],
)
def test_no_file_hides_what_counts_and_what_was_published_stays_readable(
    path: str, added: str, line: int
) -> None:
    files = {**SHIPPED, path: added + SHIPPED[path]}
    with pytest.raises(PolicyError) as caught:
        refuse_hidden(read_directory(files).files)
    assert str(caught.value).startswith(f"`{path}`, line {line}: a control character")
    refuse_hidden(SHIPPED)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("under-18 =", "under-eighteen =", "`under-18` has no text in `texts/de.toml`"),
        ("under-18 =", "under-eighteen =", "a text for `under-eighteen`, which no rule is called"),
    ],
)
def test_every_rule_has_a_text_in_each_language_and_every_text_a_rule(old: str, new: str, said: str) -> None:
    changed = read_directory({**SHIPPED, "texts/de.toml": SHIPPED["texts/de.toml"].replace(old, new)})
    assert any(said in finding.message for finding in check(changed.source))
