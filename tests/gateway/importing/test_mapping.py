from __future__ import annotations

from pathlib import Path

import pytest

from gateway.importing.mapping import SHIPPED, check_header, load_mapping
from schema.errors import InputError

NEEDED = 'name = "mine"\n[member]\nnumber = "No"\nemail = ["Mail", "E-Mail"]\n'


def _load(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return load_mapping(str(path)).key


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_mappings_load_under_their_names(name: str) -> None:
    loaded = load_mapping(name)

    assert loaded.mapping.name == name
    assert loaded.key.startswith(f"{name}@")


def test_the_key_of_a_mapping_changes_with_its_text(tmp_path: Path) -> None:
    assert _load(tmp_path, NEEDED) != _load(tmp_path, NEEDED + 'given_name = "First"\n')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (NEEDED + 'nickname = "Nick"\n', "`member.nickname` is not a target"),
        (NEEDED + '[adress]\nline1 = "Street"\n', "`adress` is not a target"),
        ('name = "mine"\n[member]\nnumber = "No"\n', "`member.email` must name at least one column"),
        ('name = "mine"\n[member]\nnumber = []\nemail = "E"\n', "`member.number` must name at least one"),
        (NEEDED + "given_name = 7\n", "`member.given_name` is malformed"),
        (NEEDED.replace("mine", "Not A Name"), "`name` is malformed"),
        (NEEDED + '[[phones]]\nlabel = "home"\n', "`phones.0.columns` must name at least one column"),
        ("name = ", "not valid TOML"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_which_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _load(tmp_path, text)


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    with pytest.raises(InputError, match="`shopify`"):
        load_mapping("salesforce")


def test_a_header_without_the_needed_columns_is_refused_and_other_gaps_are_told(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(NEEDED + 'given_name = "First"\n')
    mapping = load_mapping(str(tmp_path / "mine.toml")).mapping

    assert check_header(mapping, ("no", "e-mail")) == ("member.given_name",)
    with pytest.raises(InputError, match=r"`member.email` looks for `mail`, `e-mail`"):
        check_header(mapping, ("no", "first"))
