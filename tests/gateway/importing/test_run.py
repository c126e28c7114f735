from __future__ import annotations

import asyncio
import re
import shutil
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from gateway.database import Database
from gateway.importing.problems import ProblemCode
from gateway.keys import Keyring
from tests.gateway.importing.files import complete, importer, owner, reasons, write_csv

EXPORTS = Path(__file__).parent / "exports"
BCRYPT = "$2b$12$" + "abcdefghijklmnopqrstuv" + "A" * 31


_LOG_ID: Final = re.compile(r"(?<=,)[0-9a-f-]{36}\)$")


async def snapshot(database: Database) -> str:
    """The whole database but what is new each time: ciphertexts of the vault, the log's names of members.

    And but for `suppression_due`, a list that is worked off, whose numbers follow the order of the writing.
    """
    async with owner(database) as connection:
        tables = await connection.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            " AND table_name <> 'suppression_due' ORDER BY 1"
        )
        parts = []
        for (name,) in tables:
            rows = await connection.fetch(f'SELECT t::text AS line FROM public."{name}" t ORDER BY 1')
            lines = [_LOG_ID.sub("", row["line"]) if name == "member" else row["line"] for row in rows]
            parts.append(name + "\n" + "\n".join(lines))
        return "\n".join(parts)


async def vault(database: Database) -> dict[str, int]:
    async with owner(database) as connection:
        return {
            name: await connection.fetchval(f"SELECT count(*) FROM vault.{name}")
            for name in ("sealed_phone", "credential", "billing_token")
        }


async def test_a_complete_file_is_stored_whole(tmp_path: Path, database: Database, keys: Keyring) -> None:
    rows = [complete(n, password_hash=BCRYPT, billing_token=f"tok_{n}") for n in range(1, 26)]
    path = write_csv(tmp_path / "members.csv", rows)

    summary = await importer(path, database, keys, batch_rows=10).run()

    assert (summary.accepted, summary.invited, summary.rejected, summary.rows) == (25, 0, 0, 25)
    assert summary.rejects is None
    async with owner(database) as connection:
        member = await connection.fetchrow("SELECT * FROM member WHERE number = 'M-7'")
        assert member is not None
        assert (member["status"], member["email"], member["version"]) == ("ACTIVE", "member7@example.com", 1)
        assert member["birth_date"] == date(1985, 12, 10)
        assert member["interests"] == ["chess", "gardening"]
        for table in ("postal_address", "phone", "billing_method", "choice"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 25
        assert await connection.fetchval(
            "SELECT count(*) FROM vault.sealed_phone s JOIN phone p"
            " ON p.id = s.phone_id AND p.member_id = s.member_id"
        ) == 25  # fmt: skip
    assert await vault(database) == {"sealed_phone": 25, "credential": 25, "billing_token": 25}


@pytest.mark.clause("R1")
async def test_no_number_and_no_hash_stands_outside_the_vault(
    tmp_path: Path, database: Database, keys: Keyring
) -> None:
    rows = [complete(n, password_hash=BCRYPT, interests=f"+1415555{n:04d}") for n in range(1, 6)]
    path = write_csv(tmp_path / "members.csv", rows)

    await importer(path, database, keys).run()

    everything = await snapshot(database)
    rejects = path.with_name("members.csv.rejects.csv").read_text(encoding="utf-8")
    assert "M-5" in everything
    for n in range(1, 6):
        for spelling in (f"1415555{n:04d}", f"415555{n:04d}", f"555{n:04d}", f"555-{n:04d}"):
            assert spelling not in everything
            assert spelling not in rejects
    assert "$2b$" not in everything
    async with owner(database) as connection:
        sealed = await connection.fetch("SELECT encode(ciphertext, 'escape') AS text FROM vault.sealed_phone")
        assert len(sealed) == 5
        # By seven digits: chance writes three of them into what is sealed.
        assert not any(f"555{n:04d}" in row["text"] for row in sealed for n in range(1, 6))


async def test_a_finished_import_is_not_repeated_unless_asked_and_then_changes_nothing(
    tmp_path: Path, database: Database, keys: Keyring
) -> None:
    path = write_csv(tmp_path / "members.csv", [complete(n, billing_token="tok") for n in range(1, 8)])
    await importer(path, database, keys).run()
    phones = "SELECT count(*) FROM phone"
    async with owner(database) as connection:
        first = await connection.fetch("SELECT * FROM member ORDER BY id")

    second = await importer(path, database, keys).run()
    third = await importer(path, database, keys, again=True).run()

    assert second.already_finished
    assert second.rows == 0
    assert (third.already_finished, third.accepted, third.rows) == (False, 7, 7)
    async with owner(database) as connection:
        assert await connection.fetch("SELECT * FROM member ORDER BY id") == first
        assert await connection.fetchval(phones) == 7
        for table in ("postal_address", "billing_method", "choice"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 7
    assert await vault(database) == {"sealed_phone": 7, "credential": 0, "billing_token": 7}


async def test_a_later_file_updates_by_member_number_and_leaves_what_it_does_not_state(
    tmp_path: Path, database: Database, keys: Keyring
) -> None:
    await importer(write_csv(tmp_path / "a.csv", [complete(1, username="ada")]), database, keys).run()
    later = {
        "member_number": "M-1",
        "email": "new@example.com",
        "interests": "",
        "city": "Oakland",
        "line1": "",
    }

    summary = await importer(write_csv(tmp_path / "b.csv", [later]), database, keys).run()

    assert (summary.accepted, summary.invited) == (0, 1)
    async with owner(database) as connection:
        member = await connection.fetchrow("SELECT * FROM member")
        assert member is not None
        assert (member["status"], member["email"], member["interests"]) == ("ACTIVE", "new@example.com", [])
        assert (member["username"], member["given_name"], member["version"]) == ("ada", "Ada", 2)
        assert await connection.fetchval("SELECT city FROM postal_address") == "Mountain View"
        assert await connection.fetchval("SELECT count(*) FROM phone") == 1


async def test_conflicts_reject_the_row_and_nothing_else(
    tmp_path: Path, database: Database, keys: Keyring
) -> None:
    await importer(
        write_csv(tmp_path / "a.csv", [complete(1, username="ada"), complete(9)]), database, keys
    ).run()
    async with owner(database) as connection:
        await connection.execute("UPDATE member SET status = 'CLOSED' WHERE number = 'M-9'")
    rows = [
        complete(2, email="MEMBER1@example.com"),
        complete(3, username="ADA"),
        complete(4, email="same@example.com"),
        complete(5, email="Same@example.com"),
        complete(9),
        complete(6),
    ]
    path = write_csv(tmp_path / "b.csv", [{"username": ""} | row for row in rows])

    summary = await importer(path, database, keys).run()

    assert (summary.accepted, summary.rejected) == (2, 4)
    assert reasons(path) == [
        (2, "rejected", "member.email", "email_taken"),
        (3, "rejected", "member.username", "username_taken"),
        (5, "rejected", "member.email", "email_taken"),
        (6, "rejected", "", "member_closed"),
    ]


@pytest.mark.parametrize("batch_rows", [2, 100])
async def test_of_repeated_numbers_the_last_row_holds_and_says_so(
    tmp_path: Path, database: Database, keys: Keyring, batch_rows: int
) -> None:
    rows = [complete(1, city="First"), complete(2), complete(1, city="Second"), complete(1, email="broken")]
    path = write_csv(tmp_path / "members.csv", rows)

    summary = await importer(path, database, keys, batch_rows=batch_rows).run()

    assert (summary.accepted, summary.rejected) == (3, 1)
    assert reasons(path) == [
        (4, "accepted", "member.number", "repeated_number"),
        (5, "rejected", "member.email", "bad_email"),
    ]
    async with owner(database) as connection:
        assert await connection.fetchval(
            "SELECT a.city FROM postal_address a JOIN member m ON m.id = a.member_id WHERE m.number = 'M-1'"
        ) == "Second"  # fmt: skip


@pytest.mark.clause("C11")
@pytest.mark.parametrize("batch_rows", [1, 100])
async def test_an_opt_out_in_an_earlier_row_of_the_same_member_is_kept(
    tmp_path: Path, database: Database, keys: Keyring, batch_rows: int
) -> None:
    rows = [complete(1, newsletter="", sharing="no"), complete(1, newsletter="", sharing="")]
    path = write_csv(tmp_path / "members.csv", rows)

    summary = await importer(path, database, keys, batch_rows=batch_rows).run()

    assert summary.accepted == 2
    async with owner(database) as connection:
        assert await connection.fetchval("SELECT direction FROM choice") == "OUT"


@pytest.mark.clause("C11")
async def test_each_batch_bears_the_time_at_which_it_is_stored(
    tmp_path: Path, database: Database, keys: Keyring
) -> None:
    day = datetime(2025, 1, 15, tzinfo=UTC)
    running = importer(
        write_csv(tmp_path / "members.csv", [complete(n, consent_date="2025-01-14") for n in (1, 2, 3)]),
        database,
        keys,
        batch_rows=1,
    )
    moments = (day + timedelta(hours=n) for n in count())
    running.clock = lambda: next(moments)

    await running.run()

    async with owner(database) as connection:
        stored = [row[0] for row in await connection.fetch("SELECT updated_at FROM member ORDER BY number")]
        received = [row[0] for row in await connection.fetch("SELECT received_at FROM choice ORDER BY 1")]
        started = await connection.fetchval("SELECT started_at FROM import_job")
    assert started < stored[0] < stored[1] < stored[2]
    assert received == stored


async def test_the_export_of_shopify(tmp_path: Path, database: Database, keys: Keyring) -> None:
    path = Path(shutil.copy(EXPORTS / "shopify.csv", tmp_path))

    summary = await importer(path, database, keys, mapping="shopify").run()

    assert (summary.accepted, summary.invited, summary.rejected) == (0, 3, 0)
    assert summary.absent == ()
    assert reasons(path) == [
        (4, "invited", "member.given_name", "phone_in_text"),
        (4, "invited", "phones", "missing"),
    ]
    async with owner(database) as connection:
        grace = await connection.fetchrow("SELECT * FROM member WHERE number = '7890123456001'")
        assert grace is not None
        assert (grace["status"], grace["region"]) == ("INVITED", "US-VA")
        line1 = await connection.fetchval("SELECT line1 FROM postal_address WHERE postal_code = '22201'")
        assert line1 == "1 Navy Yard Gate 3"
        labels = await connection.fetch(
            "SELECT label FROM phone WHERE member_id = $1 ORDER BY 1", grace["id"]
        )
        assert [row["label"] for row in labels] == ["account", "home"]
        directions = "SELECT direction, count(*) AS n FROM choice GROUP BY 1 ORDER BY 1"
        assert [tuple(row) for row in await connection.fetch(directions)] == [("OUT", 4)]


@pytest.mark.clause("C11")
async def test_the_export_of_mailchimp(tmp_path: Path, database: Database, keys: Keyring) -> None:
    path = Path(shutil.copy(EXPORTS / "mailchimp.csv", tmp_path))

    summary = await importer(path, database, keys, mapping="mailchimp").run()

    assert (summary.invited, summary.rejected) == (2, 1)
    assert (4, "rejected", "member.email", "bad_email") in reasons(path)
    async with owner(database) as connection:
        mary = await connection.fetchrow("SELECT * FROM member WHERE number = '77514fa407'")
        assert mary is not None
        assert (mary["region"], mary["interests"]) == ("US-VA", ["astronomy", "chess"])
        assert mary["joined_at"] == datetime(2023, 3, 15, 17, 51, 42, tzinfo=UTC)
        assert await connection.fetchval("SELECT count(*) FROM phone") == 1
        last = await connection.fetchrow(
            "SELECT c.direction, c.requested_at FROM choice c JOIN member m ON m.id = c.member_id"
            " WHERE m.number = '52e230f061' ORDER BY c.requested_at DESC LIMIT 1"
        )
        assert last is not None
        assert tuple(last) == ("OUT", datetime(2024, 6, 1, 8, tzinfo=UTC))


async def test_the_date_of_an_undated_no_is_the_files_own(
    tmp_path: Path, database: Database, keys: Keyring
) -> None:
    path = write_csv(tmp_path / "members.csv", [complete(1, newsletter="no", consent_date="")])

    await importer(path, database, keys).run()

    async with owner(database) as connection:
        requested_at = await connection.fetchval("SELECT DISTINCT requested_at FROM choice")
    assert abs(requested_at - datetime.fromtimestamp(path.stat().st_mtime, UTC)) < timedelta(seconds=1)


@pytest.mark.clause("C11")
async def test_an_undated_yes_in_a_newer_file_leaves_an_opt_out_in_force(
    tmp_path: Path, database: Database, keys: Keyring
) -> None:
    asked = datetime(2024, 6, 1, tzinfo=UTC)
    out = complete(1, newsletter="", sharing="no", consent_date=asked.isoformat())
    await importer(write_csv(tmp_path / "a.csv", [out]), database, keys).run()
    rows = [complete(n, newsletter="", sharing="yes", consent_date="") for n in (1, 2)]

    summary = await importer(write_csv(tmp_path / "b.csv", rows), database, keys).run()

    assert (summary.accepted, summary.undated_yes, summary.problems) == (2, 2, {})
    async with owner(database) as connection:
        ledger = await connection.fetch("SELECT direction, requested_at FROM choice")
    assert [tuple(row) for row in ledger] == [("OUT", asked)]


async def test_a_dry_run_reports_and_stores_nothing(
    tmp_path: Path, database: Database, keys: Keyring
) -> None:
    path = write_csv(
        tmp_path / "members.csv", [complete(1), complete(2, email="broken"), complete(3, phone="")]
    )

    summary = await importer(path, None, keys).run()

    assert (summary.accepted, summary.invited, summary.rejected) == (1, 1, 1)
    assert [line[3] for line in reasons(path)] == ["bad_email", "missing"]
    async with owner(database) as connection:
        assert await connection.fetchval("SELECT count(*) FROM member") == 0
        assert await connection.fetchval("SELECT count(*) FROM import_job") == 0


async def test_killed_in_the_middle_it_loses_nothing_and_repeats_nothing(
    tmp_path: Path, database: Database, keys: Keyring
) -> None:
    rows = [complete(n, email="broken" if n % 40 == 0 else f"member{n}@example.com") for n in range(1, 501)]
    path = write_csv(tmp_path / "members.csv", rows)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.importing.killed", database.url, str(path),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    for _ in range(3):
        assert await process.stdout.readline()
    process.kill()
    await process.communicate()
    async with owner(database) as connection:
        done = await connection.fetchval("SELECT rows_done FROM import_job")
        assert done % 50 == 1
        assert 150 < done < 501
        stored = await connection.fetchval("SELECT count(*) FROM member")

    summary = await importer(path, database, keys).run()

    assert summary.resumed_after >= done
    assert summary.rows == 501 - summary.resumed_after
    assert (summary.accepted, summary.rejected) == (488, 12)
    assert [row for row, *_ in reasons(path)] == [n + 1 for n in range(40, 501, 40)]
    assert {code for *_, code in reasons(path)} == {ProblemCode.BAD_EMAIL}
    async with owner(database) as connection:
        assert stored < 488
        assert await connection.fetchval("SELECT count(*) FROM member") == 488
        assert await connection.fetchval("SELECT count(*) FROM vault.sealed_phone") == 488
        assert await connection.fetchval("SELECT count(*) FROM choice") == 488
        assert await connection.fetchval("SELECT finished_at IS NOT NULL FROM import_job")


@pytest.mark.slow
async def test_twenty_thousand_rows_at_a_sustained_rate(
    tmp_path: Path, database: Database, keys: Keyring
) -> None:
    path = write_csv(tmp_path / "members.csv", (complete(n) for n in range(20_000)))
    started = datetime.now(UTC)

    summary = await importer(path, database, keys).run()

    assert summary.accepted == 20_000
    # The rate on an idle core is in docs/importing.md; this holds on a busy machine, too.
    assert datetime.now(UTC) - started < timedelta(seconds=100)
