"""What officers write and name, under attack: the name of an archive, and the texts of a policy."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from pyrage.x25519 import Identity

from gateway.archive.encryption import ToKeys, encrypted_file
from policies.directory import read_directory
from schema.errors import PolicyError

SHIPPED: Final = Path(__file__).parents[2] / "policies" / "shipped"

HOSTILE: Final = ("a\\u0000b", "a\\n9\\tRolled back", "a\\u001b[2J", "a\\u202Eb", "a\\u2028b")
"""As TOML writes them: nothing of the file itself looks wrong."""


def shipped() -> dict[str, str]:
    files = (path for path in SHIPPED.rglob("*") if path.is_file())
    return {path.relative_to(SHIPPED).as_posix(): path.read_text(encoding="utf-8") for path in files}


@pytest.mark.clause("C12")
def test_a_name_as_long_as_the_disk_allows_takes_an_archive_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 255)
    with encrypted_file(path, ToKeys([str(Identity.generate().to_public())])) as out:
        out.write(b"plain")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.clause("C16")
@pytest.mark.parametrize("text", HOSTILE)
def test_a_title_forges_no_line_of_the_history_and_moves_no_terminal(text: str) -> None:
    with pytest.raises(PolicyError) as refused:
        read_directory({**shipped(), "policy.toml": f'title = "{text}"\n'})
    assert str(refused.value) == "`policy.toml`: `title` has a control character: remove it"


@pytest.mark.clause("C16")
@pytest.mark.parametrize("text", [each for each in HOSTILE if "\\n" not in each and "2028" not in each])
def test_a_text_in_another_language_holds_no_control_character(text: str) -> None:
    files = shipped()
    files["texts/de.toml"] += f'\nforged = "{text}"\n'
    with pytest.raises(PolicyError) as refused:
        read_directory(files)
    assert str(refused.value) == "`texts/de.toml`: `forged` has a control character: remove it"
