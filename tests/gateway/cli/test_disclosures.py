from __future__ import annotations

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from resolvers.disclosure_log import DisclosureLog, use_bytes
from tests.gateway.cli.test_main import Terminal, office, terminal, url
from tests.resolvers.test_disclosure_log import entry

__all__ = ["office", "terminal", "url"]


async def _record(url: str) -> None:
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1, init=use_bytes) as pool,
        DisclosureLog(pool, flush_interval=0, timeout=5) as log,
    ):
        for _ in range(3):
            await log.record(entry())


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
def recorded(office: Terminal, url: str) -> Terminal:
    asyncio.run(_record(url))
    return office


@pytest.mark.clause("R2")
def test_a_log_is_kept_and_verified_in_place_and_away(recorded: Terminal, url: str, tmp_path: Path) -> None:
    statement, key, log = tmp_path / "checkpoint", tmp_path / "key.json", tmp_path / "log.jsonl"
    statement.write_text(recorded.done("disclosures", "checkpoint"))
    key.write_text(recorded.done("disclosures", "key"))
    recorded.done("disclosures", "export", "--file", str(log))
    assert json.loads(log.read_text().splitlines()[-1]) == {"end": 3}
    kept = ("--checkpoint", str(statement), "--key", str(key))
    assert "3 records of 1 writers, 0 checkpoints, 1 kept elsewhere: no findings" in recorded.done(
        "disclosures", "verify", *kept
    )
    assert "no findings" in recorded.done("disclosures", "verify", "--file", str(log), *kept)

    asyncio.run(_execute(url, "DELETE FROM disclosure WHERE position = 3"))
    assert "no findings" in recorded.done("disclosures", "verify"), "alone it cannot know of an end cut off"
    assert recorded.run("disclosures", "verify", *kept) == 1
    assert "CUT_OFF writer=" in recorded.out
    assert "position=2 checkpoint=checkpoint" in recorded.out


def test_records_are_listed_newest_first_and_narrowed(recorded: Terminal) -> None:
    lines = recorded.done("disclosures", "list").splitlines()
    assert [line.rpartition("/")[2] for line in lines] == ["3", "2", "1"]
    assert recorded.done("disclosures", "list", "--first", "1").count("\n") == 1
    assert recorded.done("disclosures", "list", "--client", "acme-api", "--category", "user.name") != ""
    assert recorded.done("disclosures", "list", "--category", "user.contact.address") == ""
    assert recorded.done("disclosures", "list", "--from", "2026-03-02") == ""
    assert recorded.done("disclosures", "list", "--until", "2026-03-02").count("\n") == 3
    assert recorded.run("disclosures", "list", "--partner", "nobody") == 1
    assert recorded.run("disclosures", "list", "--member", "M-404") == 1


def test_what_is_no_checkpoint_or_key_is_said(recorded: Terminal, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("a.b.c\n")
    assert recorded.run("disclosures", "verify", "--checkpoint", str(other)) == 1
    assert "CHECKPOINT checkpoint=other: it is no signed statement" in recorded.out
    assert recorded.run("disclosures", "verify", "--key", str(other)) == 1
    assert recorded.run("disclosures", "verify", "--file", str(other)) == 1
    assert recorded.run("disclosures", "export", "--file", str(other)) == 1


def test_the_doctor_tells_of_records_that_wait_for_a_checkpoint(recorded: Terminal, url: str) -> None:
    assert recorded.run("doctor") == 1
    assert "FAIL  disclosures are checkpointed: disclosures wait" in recorded.out
    checkpoint = "INSERT INTO disclosure_checkpoint (made_at, records, statement) SELECT recorded_at"
    asyncio.run(_execute(url, f"{checkpoint} - interval '25 hours', 3, '' FROM disclosure LIMIT 1"))
    assert recorded.run("doctor") == 1
    assert "FAIL  disclosures are checkpointed" in recorded.out
    asyncio.run(_execute(url, f"{checkpoint} - interval '23 hours', 3, '' FROM disclosure LIMIT 1"))
    assert "ok    disclosures are checkpointed" in recorded.done("doctor")
