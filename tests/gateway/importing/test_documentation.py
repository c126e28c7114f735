from __future__ import annotations

import tomllib
from pathlib import Path

from gateway.importing.mapping import ColumnMapping
from gateway.importing.problems import MESSAGES, REJECTING, ProblemCode

PAGE = (Path(__file__).parents[3] / "docs" / "importing.md").read_text(encoding="utf-8")


def test_every_code_has_a_message_and_a_line_in_the_documentation() -> None:
    documented = {line.split("`")[1]: line for line in PAGE.splitlines() if line.startswith("| `")}

    assert set(documented) == {code.value for code in ProblemCode}
    assert set(MESSAGES) == set(ProblemCode)
    assert {name for name, line in documented.items() if "| rejected |" in line} == set(REJECTING)


def test_the_mapping_in_the_documentation_loads() -> None:
    text = PAGE.split("```toml\n")[1].split("```")[0]

    mapping = ColumnMapping.model_validate(tomllib.loads(text))

    assert dict(mapping.targets())["member.email"] == ("e-mail", "mail")
    assert mapping.words.yes == {"ja"}
