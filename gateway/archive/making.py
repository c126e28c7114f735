"""Makes one archive: the member's data at one moment, into a ZIP file, into an encrypted file.

Comes in: a connection that sees one moment, the member, and to whom it is encrypted. Goes out: the file.
What it holds is written as it is read, so a large member needs no more memory than a small one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson

from gateway.archive.contents import Contents
from gateway.archive.description import data_schema
from gateway.archive.document import write_document
from gateway.archive.encryption import Lock, encrypted_file
from gateway.archive.page import further_pages, write_further, write_index
from resolvers.archive_reading import count_section
from schema.archive import SECTIONS

READ_ME: Final = """\
index.html    to read, with any browser; more/ holds the rest of long lists
data.json     the same, complete, for programs
schema.json   what data.json means, with the kind of data of every value
"""

Step = Callable[[float, str], None]
"""Told how much of the work is done, from 0 to 1, and at what we are."""


async def make_archive(path: Path, lock: Lock, contents: Contents, told: Step = lambda *_: None) -> None:
    """Write the archive to `path`.

    Raises:
        InputError: the file cannot be written; nothing of it is left.
    """
    counts = {
        section.name: await count_section(contents.connection, section, contents.member_id, contents.made_at)
        for section in SECTIONS
    }
    with encrypted_file(path, lock) as plain, ZipFile(plain, "w", ZIP_DEFLATED) as archive:
        files = _Files(archive, contents)
        files.put("README.txt", READ_ME.encode())
        told(0, "index.html")
        with files.open("index.html") as out:
            await write_index(out, contents, counts)
        for section in (each for each in SECTIONS if further_pages(counts[each.name])):
            told(0.1, f"more/{section.name}")
            await write_further(files.open, contents, section, counts[section.name])
        told(0.5, "data.json")
        with files.open("data.json") as out:
            await write_document(out, contents)
        files.put("schema.json", orjson.dumps(data_schema(), option=orjson.OPT_INDENT_2))
        told(1, "")


class _Files:
    """The files inside, all of the moment of the archive."""

    def __init__(self, archive: ZipFile, contents: Contents) -> None:
        self._archive = archive
        self._moment = contents.made_at.timetuple()[:6]

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Begin a file; it is ended before the next is begun."""
        with self._archive.open(self._named(name), "w") as out:
            yield out

    def put(self, name: str, data: bytes) -> None:
        """A whole file."""
        self._archive.writestr(self._named(name), data)

    def _named(self, name: str) -> ZipInfo:
        info = ZipInfo(name, self._moment)
        info.compress_type = ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        return info
