"""Makes archives of a world's members, and opens them as a member would."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final
from uuid import UUID
from zipfile import ZipFile

import orjson
import pyrage

from gateway.archive.contents import Contents
from gateway.archive.encryption import Lock, ToKeys
from gateway.archive.making import make_archive
from gateway.database import Database
from resolvers.archive_reading import lift_time_limit, read_names
from resolvers.means import Company
from tests import world

COMPANY: Final = Company("Shop & Sons", "shop@example.org", "https://shop.example")
REQUEST: Final = UUID(int=7)


class Opened:
    """An archive without its encryption: each file by its name."""

    def __init__(self, plain: bytes) -> None:
        with ZipFile(io.BytesIO(plain)) as archive:
            assert archive.testzip() is None
            self.files = {name: archive.read(name) for name in archive.namelist()}
        self.data = orjson.loads(self.files["data.json"])
        self.page = self.files["index.html"].decode()

    @property
    def text(self) -> str:
        """All that anybody can read in it, but what describes it."""
        return "\n".join(data.decode() for name, data in self.files.items() if name != "schema.json")


def opened(path: Path, identity: pyrage.x25519.Identity) -> Opened:
    return Opened(pyrage.decrypt(path.read_bytes(), [identity]))


async def archive_of(database: Database, member: UUID, folder: Path, **other: object) -> Opened:
    """The archive of that member, made and opened again."""
    identity, path = pyrage.x25519.Identity.generate(), folder / "archive.zip.age"
    await make(database, member, path, ToKeys([str(identity.to_public())]), **other)
    made = opened(path, identity)
    path.unlink()
    return made


async def make(database: Database, member: UUID, path: Path, lock: Lock, **other: object) -> None:
    """As the command does it, but for the request."""
    async with (
        database.app.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await lift_time_limit(connection)
        given = {
            "connection": connection,
            "member_id": member,
            "member_number": "M-001",
            "request_id": REQUEST,
            "made_at": world.NOW,
            "company": COMPANY,
            "names": await read_names(connection),
            **other,
        }
        await make_archive(path, lock, Contents(**given))  # type: ignore[arg-type]
