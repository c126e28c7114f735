"""Files as other systems export them, made in the test that reads them, and an importer to read them with."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from gateway.database import Database
from gateway.importing.mapping import load_mapping
from gateway.importing.run import Importer
from gateway.keys import Keyring
from gateway.policy_source import load_shipped_directory
from policies.matrix import compile_matrix
from resolvers.sealing import PhoneSealer

MATRIX = compile_matrix(load_shipped_directory().source)

COMPLETE = {
    "member_number": "M-1",
    "email": "ada.lovelace@example.com",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "birth_date": "1985-12-10",
    "line1": "1600 Amphitheatre Pkwy",
    "city": "Mountain View",
    "state": "CA",
    "postal_code": "94043-1351",
    "country": "US",
    "phone": "(415) 555-0132",
    "card_brand": "Visa",
    "card_last_four": "4242",
    "card_expiry": "12/29",
    "interests": "chess, gardening",
    "newsletter": "yes",
    "consent_date": "2024-05-01T10:00:00Z",
}


def complete(number: int, **changes: str) -> dict[str, str]:
    """A row with everything that C1 asks for, and a number and e-mail of its own."""
    own = {"member_number": f"M-{number}", "email": f"member{number}@example.com"}
    return COMPLETE | {"phone": f"+1415555{number % 10_000:04d}"} | own | changes


def write_csv(
    path: Path, rows: Iterable[Mapping[str, str]], *, encoding: str = "utf-8", delimiter: str = ","
) -> Path:
    rows = list(rows)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def importer(
    path: Path,
    database: Database | None,
    keys: Keyring,
    *,
    mapping: str = "default",
    again: bool = False,
    batch_rows: int = 1_000,
) -> Importer:
    return Importer(
        path=path,
        mapping=load_mapping(mapping),
        sealer=PhoneSealer(keys.phone_public_key.public_key, keys.phone_public_key.key_id),
        matrix=MATRIX,
        transaction=None if database is None else database.transaction,
        again=again,
        batch_rows=batch_rows,
        clock=lambda: datetime.now(UTC),
    )


def reasons(path: Path) -> list[tuple[int, str, str, str]]:
    """The lines of the rejects file of `path`, without their messages."""
    rejects = path.with_name(f"{path.name}.rejects.csv")
    if not rejects.exists():
        return []
    with rejects.open(encoding="utf-8", newline="") as file:
        return [(int(r["row"]), r["outcome"], r["field"], r["code"]) for r in csv.DictReader(file)]


def owner(database: Database) -> AbstractAsyncContextManager[asyncpg.Connection[asyncpg.Record]]:
    """A connection that may read everything, the vault included."""
    return _Owner(database.url)


class _Owner:
    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> asyncpg.Connection[asyncpg.Record]:
        self._connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(self._url)
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()
