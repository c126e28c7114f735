"""A policy as a directory: what belongs into it, and what is said of what does not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from gateway.policy_source import load_shipped_directory
from policies.check import check
from policies.directory import read_directory, read_draft
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
        ({"texts/de.toml": "= 1"}, "`texts/de.toml`, line 1: not TOML: write NAME = VALUE"),
        ({"texts/de.toml": 'under-18 = ""'}, "`texts/de.toml`: `under-18` has no text"),
        ({"texts/en.toml": ""}, "texts stand in the rules"),
        (
            {"texts/de.toml": "under-18 = Kinder"},
            "`texts/de.toml`, line 1: `under-18`: write one sentence in",
        ),
        ({"texts/de.toml": 'a = "x"\na = "y"'}, "`texts/de.toml`, line 2: `a` stands there twice"),
        ({"texts/de.toml": 'a = """x\n'}, "`texts/de.toml`, line 2: not TOML"),
        ({"texts/de.toml": "under-18 = 18"}, "`under-18` has no text; write one sentence in quotes"),
        ({"policy.toml": "titel = 1"}, "`titel` is none of `title`, `language`, `effective`: remove it"),
        ({"policy.toml": "titel = 1"}, "`title` is missing: write it in quotes"),
        ({"policy.toml": "title = 1"}, "`policy.toml`: `title`: write it in quotes, 1 to 120 characters"),
        ({"policy.toml": "title = x"}, "`policy.toml`, line 1: `title`: write it in quotes"),
        ({"policy.toml": 'title = "x"\nlanguage = "English"'}, 'such as "en" or "pt-BR"'),
        *(
            (
                {"policy.toml": f'title = "x"\neffective = {day}'},
                "`effective`: write a date such as 2027-01-31",
            )
            for day in ('"soon"', "31.01.2027", "20270131", "0", "true", "2027-01-31T00:00:00Z", "2027-13-01")
        ),
        ({"sharing.cedar": "/" * 1_000_001}, "is longer than"),
    ],
)
def test_what_is_no_policy_is_refused_by_name(changed: Mapping[str, str | None], said: str) -> None:
    files = {path: text for path, text in {**SHIPPED, **changed}.items() if text is not None}
    with pytest.raises(PolicyError) as caught:
        read_directory(files)
    assert said in str(caught.value)


NUMBER = "+1 415 555 0132"
SPELT = NUMBER.replace("4", r"\u{34}")


@pytest.mark.clause("R1", "C10")
@pytest.mark.parametrize(
    ("path", "added", "said"),
    [
        ("sharing.cedar", f"\n// Ask {NUMBER}", "`sharing.cedar`, line {last}: a telephone number"),
        (
            "sharing.cedarschema",
            f"\n// Ask {NUMBER}",
            "`sharing.cedarschema`, line {last}: a telephone number",
        ),
        (
            "sharing.cedar",
            "\n// Ask +1 415\n// 555 0132",
            "`sharing.cedar`: a telephone number stands in lines",
        ),
        ("sharing.cedar", f'\n@note("{SPELT}")', "`sharing.cedar`, line {last}: a telephone number"),
        ("texts/de.toml", f"\n# {NUMBER}", "`texts/de.toml`, line {last}: a telephone number"),
        ("policy.toml", f"\n# {NUMBER}", "`policy.toml`, line {last}: a telephone number"),
        ("decisions/mine.yaml", f"# {NUMBER}", "`decisions/mine.yaml`, line {last}: a telephone number"),
    ],
)
def test_no_telephone_number_is_published_in_whatever_file(path: str, added: str, said: str) -> None:
    text = SHIPPED.get(path, "") + added.replace(r"\n@", "\n@")
    with pytest.raises(PolicyError) as caught:
        read_draft({**SHIPPED, path: text})
    assert said.format(last=text.count("\n") + 1) in str(caught.value)
    assert "0132" not in str(caught.value)


@pytest.mark.clause("R1", "C10")
@pytest.mark.parametrize("number", [NUMBER, NUMBER.replace("4", r"\u0034")])
def test_no_telephone_number_is_published_as_a_title_or_text(number: str) -> None:
    with pytest.raises(PolicyError, match=r"`policy.toml`.*a telephone number stands in it: remove it"):
        read_draft({**SHIPPED, "policy.toml": f'title = "{number}"'})
    told = SHIPPED["texts/de.toml"].replace("niemand.", f"niemand. {number}")
    with pytest.raises(PolicyError, match=r"`texts/de.toml`.*a telephone number stands in it: remove it"):
        read_draft({**SHIPPED, "texts/de.toml": told})


def test_what_was_published_before_is_read_whatever_its_words() -> None:
    assert read_directory({**SHIPPED, "policy.toml": f'title = "{NUMBER}"'}).title == NUMBER


def test_the_shipped_policy_may_be_published() -> None:
    assert read_draft(SHIPPED).files == SHIPPED


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
        read_draft(read_directory(files).files)
    assert str(caught.value).startswith(f"`{path}`, line {line}: a control character")


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
