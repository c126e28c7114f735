"""`gateway case` as two officers type it: proposed, approved, handed over as a file, closed."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import asyncpg
import pytest

from tests.gateway.cli.test_main import Terminal, office, terminal, url

__all__ = ["office", "terminal", "url"]

OPEN = ("case", "open", "state-police", "--name", "State Police", "--reference", "K-17", "--ground", "CCP 95",
        "--category", "user.name", "--category", "user.contact", "--member", "M-7", "--expires")  # fmt: skip


async def _run(url: str, sql: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(sql, *values)
    await connection.close()
    return list(rows)


def run(url: str, sql: str, *values: object) -> list[asyncpg.Record]:
    return asyncio.run(_run(url, sql, *values))


def soon(url: str) -> str:
    """A date within the bounds of a case, whenever this is run."""
    (row,) = run(url, "SELECT to_char(now() + interval '20 days', 'YYYY-MM-DD') AS day")
    return str(row["day"])


@pytest.fixture
def member(url: str) -> str:
    run(
        url,
        "INSERT INTO member (id, number, status, given_name, family_name, email, interests,"
        " purchase_categories, joined_at, updated_at, version) VALUES (gen_random_uuid(), 'M-7', 'ACTIVE',"
        " 'Ada', 'Lovelace', 'ada@example.org', '{}', '{}', now(), now(), 1)",
    )
    return "M-7"


@pytest.mark.clause("C8", "R2")
def test_a_case_is_proposed_approved_handed_over_and_closed(
    office: Terminal, url: str, member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = soon(url)
    case = office.done(
        *OPEN, day, "--defer-until", day, "--ordered-by", "District Court", "--order", "G-1"
    ).strip()
    out = tmp_path / "case.json"
    disclose = ("case", "disclose", case, "--out", str(out), "--reason", "asked for by letter")
    assert office.run(*disclose) == 1
    assert "PROPOSED" in office.err
    assert office.run("case", "approve", case) == 1
    assert "another officer" in office.err
    monkeypatch.setenv("GATEWAY_OFFICER", "otto")
    shown = office.done("case", "approve", case)
    assert "OPEN" in shown
    assert f"deferred    until {day}, by District Court, G-1: approved by otto" in shown
    assert office.run("case", "disclose", case, "--out", str(out), "--reason", " ") == 1
    assert not out.exists()
    office.done(*disclose)
    written = json.loads(out.read_text())
    (found,) = written["members"]
    assert (found["name"], found["email"]) == ("Ada Lovelace", "ada@example.org")
    assert "phone" not in out.read_text().lower()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    (record,) = run(url, "SELECT client_id, token_id, basis, cardinality(members) AS members FROM disclosure")
    assert tuple(record) == (f"case:{case}", "officer:otto", "LEGAL", 1)
    office.done("disclosures", "verify")
    assert office.run(*disclose) == 1, "a file that is there is not written over"
    office.done("case", "defer", case, "--until", day, "--ordered-by", "District Court", "--order", "G-2")
    assert member in office.done("case", "show", case)
    assert "K-17" in office.done("case", "list")
    assert "1 member withdrawn" in office.done("case", "close", case)
    lines = run(url, "SELECT officer, act, reason FROM officer_action WHERE act LIKE 'case.%' ORDER BY seq")
    assert [(line["officer"], line["act"]) for line in lines] == [
        ("olga", "case.open"), ("otto", "case.approve"), ("otto", "case.disclose"), ("otto", "case.defer"),
        ("otto", "case.read"), ("otto", "case.read"), ("otto", "case.close"),
    ]  # fmt: skip
    assert lines[2]["reason"] == "asked for by letter"


@pytest.mark.clause("R2")
def test_nothing_is_written_when_the_disclosure_cannot_be_recorded(
    office: Terminal, url: str, member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = office.done(*OPEN, soon(url)).strip()
    monkeypatch.setenv("GATEWAY_OFFICER", "otto")
    office.done("case", "approve", case)
    run(url, "ALTER TABLE disclosure ADD CONSTRAINT full_disk CHECK (false)")
    out = tmp_path / "case.json"
    assert office.run("case", "disclose", case, "--out", str(out), "--reason", "asked for") == 1
    assert "could not be recorded" in office.err
    assert not out.exists()
    assert member not in office.err


@pytest.mark.clause("R1", "C10")
def test_a_telephone_number_is_refused_by_its_name_and_echoed_by_no_text(
    office: Terminal, url: str, member: str
) -> None:
    day = soon(url)
    assert office.run(*OPEN, day, "--category", "user.contact.phone_number") == 1
    assert "never shared" in office.err
    assert office.run(*OPEN, day, "--member", "+1 415 555 0132") == 1
    assert "0132" not in office.err
    for ground in (" ", "call +1 415 555 0132", "x" * 501):
        assert office.run(*OPEN, day, "--ground", ground) == 1
        assert "`ground`" in office.err
        assert not [said for said in ("`reason`", "0132", "x" * 9) if said in office.err]
    assert office.run(*OPEN, "soon") == 1
    assert office.run(*OPEN, day, "--defer-until", day) == 1
    assert member not in office.err
