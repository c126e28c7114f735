"""Golden cases: each folder holds a document, the statements that it becomes, and the answer, side by side.

    case.graphql      the first line says as whom, and what the case shows: `# as acme: ...`
    variables.json    optional; {"$cursor": ["other-case", "path", "to", "it"]} takes another case's cursor
    case.sql          every statement that ran, in order, with its parameters
    case.json         the answer, byte for byte but for white space
    recorded.json     for partners, what the disclosure record says

`GOLDEN_UPDATE=1 pytest tests/golden` writes the last three anew, for you to read before you commit. It is
refused where CI is set.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from policies.principal import PartnerPrincipal
from schema.categories import DataCategory, mask_of
from tests import world
from tests.asking import Asking, Reply

HERE: Final = Path(__file__).parent
CASES: Final = sorted(path.parent for path in HERE.glob("*/case.graphql"))
UPDATE: Final = os.environ.get("GOLDEN_UPDATE") == "1"
_HEADER: Final = re.compile(r"# as ([a-z-]+): \S.*")


def test_golden_files_are_never_written_in_ci() -> None:
    assert not (UPDATE and os.environ.get("CI") == "true"), "golden files are updated by hand, never in CI"


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 45


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
async def test_golden(asking: Asking, folder: Path) -> None:
    document = (folder / "case.graphql").read_text(encoding="utf-8")
    reply = await asking.both(_principal(document), document, _variables(folder))

    actual = {
        "case.sql": _sql(reply),
        "case.json": _json(orjson.loads(reply.body)),
        "recorded.json": _json([_recorded(entry) for entry in reply.recorded]),
    }
    if UPDATE:
        assert os.environ.get("CI") != "true"
        for name, text in actual.items():
            (folder / name).write_text(text, encoding="utf-8")
    for name, text in actual.items():
        assert text == (folder / name).read_text(encoding="utf-8"), f"{folder.name}/{name}"
    assert reply.body == _compact(actual["case.json"])


@pytest.mark.clause("C8")
@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
async def test_whatever_a_partner_is_shown_is_in_its_record(asking: Asking, folder: Path) -> None:
    """R2, over the answers themselves: every id and every value shown belongs to the record."""
    document = (folder / "case.graphql").read_text(encoding="utf-8")
    principal = _principal(document)
    reply = await asking.ask(principal, document, _variables(folder))
    if not isinstance(principal, PartnerPrincipal):
        assert reply.recorded == ()
        return
    assert len(reply.recorded) == bool(reply.statements)
    if not reply.recorded:
        return
    (entry,) = reply.recorded
    partner = next(n for n in world.PARTNERS if world.partner_id(n) == principal.partner_id)
    subjects = {str(world.subject(partner, p.name.lower())): p for p in world.PEOPLE}
    text = reply.body.decode()
    shown = {person.log_id for subject, person in subjects.items() if subject in text}
    assert shown <= set(entry.members)
    assert mask_of(entry.categories) & ~asking.contract(principal).key.mask == 0
    for person in world.PEOPLE:
        if person.email in text:
            assert person.log_id in entry.members
            assert DataCategory.EMAIL in entry.categories
        if person.family and person.family in text:
            assert person.log_id in entry.members
            assert entry.categories & {DataCategory.NAME, DataCategory.LAST_NAME}


def _principal(document: str) -> Any:
    match = _HEADER.match(document)
    assert match, "the first line says as whom: `# as acme: what the case shows`"
    return world.CALLERS[match[1]].principal


def _variables(folder: Path) -> dict[str, Any]:
    path = folder / "variables.json"
    if not path.exists():
        return {}
    given: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {name: _resolved(value) for name, value in given.items()}


def _resolved(value: Any) -> Any:
    if not isinstance(value, dict) or "$cursor" not in value:
        return value
    case, *path = value["$cursor"]
    found: Any = json.loads((HERE / case / "case.json").read_text(encoding="utf-8"))["data"]
    for step in path:
        found = found[step]
    assert isinstance(found, str)
    return found


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _compact(text: str) -> bytes:
    return orjson.dumps(json.loads(text))


def _recorded(entry: Any) -> dict[str, Any]:
    names = {person.log_id: person.name for person in world.PEOPLE}
    return {
        "operation": entry.operation_name,
        "categories": sorted(entry.categories),
        "members": [names[member] for member in entry.members],
    }


def _sql(reply: Reply) -> str:
    parts = [f"-- statements: {len(reply.statements)}\n"]
    for sql, parameters in reply.statements:
        values = "".join(f"-- ${i}: {value!r}\n" for i, value in enumerate(parameters, start=1))
        parts.append(f"{values}{pretty(sql)}\n")
    return "\n".join(parts)


def pretty(sql: str) -> str:
    """The statement with line breaks and indentation, and otherwise as it is."""
    lines: list[str] = []
    depth = 0
    for line in re.sub(r", (?=[a-z_]+_?[0-9]*\.|array\(|CASE|row\(|\(SELECT)", ",\n  ", sql).split("\n"):
        lines.append("    " * depth + line.strip(" ") if not line.startswith("  ") else "    " * depth + line)
        depth += line.count("(") - line.count(")")
    shown = "\n".join(line.rstrip() for line in lines)
    assert shown.split() == sql.split()
    return shown
