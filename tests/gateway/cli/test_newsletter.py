from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from tests.gateway.cli.test_main import Terminal, office, terminal, url

__all__ = ["office", "terminal", "url"]


def test_an_issue_is_sent_once_and_listed(office: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "news.txt"
    file.write_text("Grüße\n\nA text.\n", encoding="utf-8")

    assert office.done("newsletter", "send", str(file), "--subject", "Spring") == "in the outbox: 0 mails\n"
    assert office.run("newsletter", "send", str(file), "--subject", "Spring") == 1
    assert "`--again`" in office.err
    office.done("newsletter", "send", str(file), "--subject", "Spring", "--again")
    listed = office.done("newsletter", "list").splitlines()
    assert [line.split("\t")[1:] for line in listed] == [["Spring", "0 waiting"]] * 2


@pytest.mark.clause("C9")
async def test_it_goes_to_who_asked_for_it(office: Terminal, url: str, tmp_path: Path) -> None:
    owner = await asyncpg.connect(url)
    for number, direction in enumerate(("IN", "OUT", None), start=1):
        member_id = await owner.fetchval(
            "INSERT INTO member (id, number, status, given_name, family_name, email, email_verified_at,"
            " interests, purchase_categories, joined_at, updated_at, version) VALUES (gen_random_uuid(), $1,"
            " 'ACTIVE', 'A', 'B', $1 || '@example.org', now(), '{}', '{}', now(), now(), 1) RETURNING id",
            f"M-{number}",
        )
        if direction is not None:
            await owner.execute(
                "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source)"
                " VALUES (gen_random_uuid(), $1, now(), now(), 'NEWSLETTER', $2, 'PROFILE_PAGE')",
                member_id,
                direction,
            )
    await owner.close()
    file = tmp_path / "news.txt"
    file.write_text("A text.", encoding="utf-8")

    sent = await asyncio.to_thread(office.done, "newsletter", "send", str(file), "--subject", "Spring")
    assert sent == "in the outbox: 1 mails\n"


@pytest.mark.parametrize("subject", ["", "two\nlines", "a" * 201, "a\r\nBcc: x@example.org"])
def test_a_subject_is_one_line(office: Terminal, tmp_path: Path, subject: str) -> None:
    file = tmp_path / "news.txt"
    file.write_text("A text.", encoding="utf-8")
    assert office.run("newsletter", "send", str(file), "--subject", subject) == 1
    assert "`--subject`" in office.err


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", b"a\x00b", b"a" * 100_001])
def test_a_file_is_text(office: Terminal, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "news.txt"
    file.write_bytes(content)
    assert office.run("newsletter", "send", str(file), "--subject", "Spring") == 1
    assert "`FILE`" in office.err
