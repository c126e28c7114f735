from __future__ import annotations

import asyncio
import io
from pathlib import Path

import asyncpg
import pytest

from tests.gateway.cli.test_main import Terminal, agreement_of, office, terminal, url

__all__ = ["office", "terminal", "url"]


def test_a_key_is_printed_once_alone_and_made_again_on_purpose(office: Terminal) -> None:
    agreement_of(office)
    key = office.done("suppressions", "key", "acme")
    assert len(bytes.fromhex(key.strip())) == 32
    assert office.run("suppressions", "key", "acme") == 1
    assert key.strip() not in office.err
    assert office.done("suppressions", "key", "acme", "--again") == key
    other = office.done("suppressions", "key", "acme", "--rotate", "--overlap-days", "7")
    assert other != key
    assert office.done("suppressions", "key", "acme", "--again") == other
    office.done("partner", "create", "bolt", "--display-name", "Bolt")
    for refused in (("key", "nobody"), ("key", "bolt", "--rotate"), ("key", "bolt", "--again"),
                    ("key", "bolt", "--again", "--rotate")):  # fmt: skip
        assert office.run("suppressions", *refused) == 1
        assert office.out == ""
    assert office.done("suppressions", "key", "bolt") not in {key, other}


@pytest.mark.clause("C11")
async def test_lists_are_read_from_a_file_or_standard_input(
    office: Terminal, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "refusals.csv"
    file.write_text("Ada@Example.net, 2026-03-01\n\nben@example.net,2026-03-02T10:00:00+02:00\n", "utf-8")
    for changed in (2, 0):
        said = await asyncio.to_thread(office.done, "suppressions", "add", str(file))
        assert said == f"2 requests, which change {changed} addresses\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("ada@example.net,2026-02-01\nada@example.net,2026-02-02"))
    await asyncio.to_thread(office.done, "suppressions", "remove", "-")
    owner = await asyncpg.connect(url)
    rows = await owner.fetch(
        "SELECT address, refused_at, allowed_at, source FROM refused_address ORDER BY address"
    )
    due = await owner.fetchval("SELECT count(*) FROM suppression_due")
    await owner.close()
    shown = [
        (
            row["address"],
            *(None if at is None else at.isoformat() for at in (row["refused_at"], row["allowed_at"])),
        )
        for row in rows
    ]
    assert shown == [
        ("ada@example.net", "2026-03-01T00:00:00+00:00", "2026-02-02T00:00:00+00:00"),
        ("ben@example.net", "2026-03-02T08:00:00+00:00", None),
    ]
    assert {row["source"] for row in rows} == {"OFFICER"}
    assert due == 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"ada@example.net\nno address\n", "line 2: this is no e-mail address"),
        (b"ada@example.net,2999-01-01\n", "line 1: `requestedAt` lies in the future"),
        (b"ada@example.net,soon\n", "line 1: `date`"),
        (b"\xff\xfe\n", "not UTF-8"),
        (b"a" * 1_001 + b"\n", "line 1: this is longer"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_not_shown(
    office: Terminal, tmp_path: Path, content: bytes, complaint: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(content)
    assert office.run("suppressions", "add", str(file)) == 1
    assert complaint in office.err
    assert "ada@" not in office.err
    assert office.out == ""


def test_links_are_printed_in_order_and_name_nobody(office: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("ada@example.net\nben@example.net\nADA@example.net\n")
    first, second, third = office.done("suppressions", "links", str(file)).splitlines()
    assert first == third != second
    assert first.startswith("http://127.0.0.1:8000/unsubscribe/")
    assert "ada" not in first
    assert office.run("suppressions", "links", str(tmp_path / "none")) == 1
