"""The import of a file of invented members: `gateway import`, beside the same file by COPY into one table.

In: how many rows. Out: rows a second of each. Both begin with a database that has partners and no members.
The gateway checks each row, seals telephone numbers, and decides what each partner sees of each member; COPY
stores the columns as texts, with two indexes.
"""

from __future__ import annotations

import asyncio
import csv
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.contestants import ROOT
from benchmarks.figures import COPY, Round
from benchmarks.filling import Size
from benchmarks.population import World, world
from benchmarks.processes import Cores, on_cores
from benchmarks.wholes import Whole, measure, run_psql
from gateway.seeding.people import Person, draw_person, outline
from gateway.seeding.secrets import password_hash_of, phone_numbers_of

SEED: Final = 2
COLUMNS: Final = (
    *("member_number", "email", "given_name", "family_name", "username", "birth_date", "interests"),
    *("joined_at", "line1", "line2", "city", "state", "postal_code", "country", "phone"),
    *("card_brand", "card_last_four", "card_expiry", "password_hash"),
)
_TABLE: Final = (
    "CREATE TABLE imported (" + ", ".join(f"{name} text" for name in COLUMNS) + ");"
    " CREATE UNIQUE INDEX ON imported (member_number); CREATE UNIQUE INDEX ON imported (lower(email));"
)


def write_file(path: Path, rows: int) -> None:
    """Members as another system would hand them over."""
    now = datetime.now(UTC)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for index in range(rows):
            person = draw_person(SEED, index, outline(SEED, index), now)
            writer.writerow(_row(person, index))


def _row(person: Person, index: int) -> list[object]:
    number, _, username, given, family, email, _, born, _, interests, *_ = person.member[1:]
    line1, line2, city, state, postal_code, country = person.address[4:10]
    (phone,) = phone_numbers_of(SEED, index, person.country, 1)
    brand, last_four, month, year = person.billing[0][2:6] if person.billing else ("", "", 0, 0)
    return [
        *(number, email, given, family, username, born, ",".join(interests), person.joined_at.isoformat()),
        *(line1, line2, city, state, postal_code, country, phone, brand, last_four),
        f"{month:02d}/{year}" if month else "",
        password_hash_of(SEED, index),
    ]


async def measure_import(rows: int, cores: Cores) -> dict[str, list[Round]]:
    """Each way once."""
    async with world(Size(members=0)) as running:
        file = running.folder / "members.csv"
        await asyncio.to_thread(write_file, file, rows)
        await run_psql(running, _TABLE)
        statement = f"\\copy imported FROM '{file}' WITH (FORMAT csv, HEADER true)"
        ways = [
            Whole(COPY, lambda: _copied(running, statement, rows), None),
            Whole("gateway", lambda: _imported(running, file, rows, cores), os.getpid()),
        ]
        return {way.name: [await measure(running, way)] for way in ways}


async def _copied(running: World, statement: str, rows: int) -> int:
    await run_psql(running, statement)
    return rows


async def _imported(running: World, file: Path, rows: int, cores: Cores) -> int:
    """All rows, or an error: the exit code tells of rejected ones. Its processor time counts as a child's."""
    command = str(Path(sys.executable).parent / "gateway")
    with on_cores(cores.server):
        process = await asyncio.create_subprocess_exec(
            command,
            "import",
            str(file),
            cwd=ROOT,
            env={**os.environ, **running.environment(0)},
            stdout=asyncio.subprocess.DEVNULL,
        )
    if await process.wait():
        raise RuntimeError("`gateway import` did not take every row")
    return rows
