from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from schema.ids import new_id
from tests.gateway.cli.test_main import UUID_PATTERN, Terminal, office, terminal, url

__all__ = ["office", "terminal", "url"]


async def _open(url: str) -> None:
    """A visitor's message, and a member who waits for access and for an erasure."""
    now = datetime.now(UTC)
    connection = await asyncpg.connect(url)
    member = new_id()
    await connection.execute(
        "INSERT INTO member (id, number, status, email, interests, purchase_categories, joined_at,"
        " updated_at, version) VALUES ($1, 'M-7', 'INVITED', 'ada@example.org', '{}', '{}', $2, $2, 1)",
        member,
        now,
    )
    for number, (owner, kind, subject, reply_to) in enumerate(
        (
            (None, "CONTACT", "Hello", "v@example.org"),
            (member, "ACCESS", "Access to your data", None),
            (member, "ERASURE", "Erasure of your account", None),
        )
    ):
        await connection.execute(
            "INSERT INTO member_request (id, member_id, kind, status, subject, body, reply_to, opened_at,"
            " due_at) VALUES ($1, $2, $3, 'OPEN', $4, E'Do you ship?\\nFar?', $5, $6, $7)",
            new_id(),
            owner,
            kind,
            subject,
            reply_to,
            now,
            now + timedelta(days=30 - number),
        )
    await connection.close()


@pytest.fixture
def queue(office: Terminal, url: str) -> Terminal:
    asyncio.run(_open(url))
    return office


def id_of(queue: Terminal, kind: str) -> str:
    listed = queue.done("requests", "list", "--kind", kind)
    assert re.fullmatch(rf"{UUID_PATTERN}\t.*\n", listed)
    return listed.split("\t")[0]


def test_what_is_under_way_is_listed_due_first(queue: Terminal) -> None:
    lines = [line.split("\t") for line in queue.done("requests", "list").splitlines()]
    assert [line[1] for line in lines] == ["ERASURE", "ACCESS", "CONTACT"]
    assert [line[4] for line in lines] == ["member M-7", "member M-7", "a visitor"]
    assert "example.org" not in queue.out
    assert "Far?" not in queue.out
    assert queue.done("requests", "list", "--status", "done") == ""


@pytest.mark.clause("C15")
def test_a_request_from_the_list_to_its_answer(queue: Terminal) -> None:
    request = id_of(queue, "contact")
    shown = queue.done("requests", "show", request)
    assert "v@example.org" in shown
    assert "    Do you ship?\n    Far?" in shown
    assert queue.done("requests", "take", request) == f"request {request}: IN_PROGRESS\n"
    assert queue.done("requests", "answer", request, "--outcome", "We do.") == f"request {request}: DONE\n"
    assert "    We do." in queue.done("requests", "show", request)
    assert queue.run("requests", "answer", request, "--outcome", "Again.") == 1
    assert "is over" in queue.err


@pytest.mark.clause("C12")
def test_a_request_is_declined_with_a_reason(queue: Terminal) -> None:
    request = id_of(queue, "access")
    assert queue.done("requests", "answer", request, "--outcome", "Asked twice.", "--declined").endswith(
        "DECLINED\n"
    )
    assert "Asked twice." in queue.done("requests", "show", request)


def test_what_cannot_be_done_is_refused_and_changes_nothing(queue: Terminal) -> None:
    request, erasure = id_of(queue, "contact"), id_of(queue, "erasure")
    before = queue.done("requests", "list")
    for arguments in (
        ("show", "1"),
        ("show", str(new_id())),
        ("take", erasure),
        ("answer", erasure, "--outcome", "No."),
        ("answer", request, "--outcome", " "),
        ("answer", request, "--outcome", "Call +1 202 555 0143."),
    ):
        assert queue.run("requests", *arguments) == 1, arguments
        assert queue.err.startswith("error: ")
        assert "555" not in queue.err
    assert queue.run("requests", "answer", request) == 2
    assert queue.run("requests", "list", "--kind", "nonsense") == 2
    assert queue.done("requests", "list") == before
