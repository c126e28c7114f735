"""A file as bytes: its digest, its encoding, its kind and its delimiter. One pass, in constant memory.

Encodings are tried in this order: a byte-order mark decides (UTF-8, UTF-16); else the whole file is
UTF-8; else it is read as Windows-1252, which is reported, since nothing proves it.
"""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from schema.errors import InputError

CHUNK: Final = 1 << 20
DELIMITERS: Final = (",", ";", "\t")
_SAMPLE: Final = 1 << 16
"""Bytes in which the header line is looked for."""

_FALLBACK: Final = "windows-1252"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class FileKind(StrEnum):
    """What a file holds: rows below a header, or one JSON object a line."""

    CSV = "CSV"
    JSON_LINES = "JSON Lines"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that has been looked at. `modified_at` dates the opt-outs in it that bear no date."""

    path: Path
    size: int
    sha256: str
    encoding: str
    guessed: bool
    kind: FileKind
    delimiter: str
    modified_at: datetime


def inspect(path: Path) -> Source:
    """Look at the file at `path`.

    Raises:
        InputError: it cannot be read, or is empty.
    """
    try:
        status = path.stat()
        with path.open("rb") as file:
            sample = file.read(_SAMPLE)
            file.seek(0)
            marked = next((name for mark, name in _MARKS if sample.startswith(mark)), None)
            digest, is_utf8 = hashlib.sha256(), True
            decoder = codecs.getincrementaldecoder("utf-8")()
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                if is_utf8 and marked is None:
                    is_utf8 = _decodes(decoder, chunk, final=False)
            is_utf8 = is_utf8 and _decodes(decoder, b"", final=True)
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}") from error
    encoding = marked or ("utf-8" if is_utf8 else _FALLBACK)
    head = sample.decode(encoding, errors="ignore")
    if not head.strip():
        raise InputError("the file is empty")
    kind = _kind(path, head)
    return Source(
        path=path,
        size=status.st_size,
        sha256=digest.hexdigest(),
        encoding=encoding,
        guessed=encoding == _FALLBACK,
        kind=kind,
        delimiter=_delimiter(head) if kind is FileKind.CSV else "",
        modified_at=datetime.fromtimestamp(int(status.st_mtime), UTC),
    )


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _kind(path: Path, head: str) -> FileKind:
    if path.suffix.lower() in {".jsonl", ".ndjson"} or head.lstrip().startswith("{"):
        return FileKind.JSON_LINES
    return FileKind.CSV


def _delimiter(head: str) -> str:
    """The delimiter that occurs most often in the header line, outside quotes; a comma where none does."""
    counts = dict.fromkeys(DELIMITERS, 0)
    quoted = False
    for character in head:
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "\r\n" and any(counts.values()):
            break
        elif not quoted and character in counts:
            counts[character] += 1
    return max(counts, key=lambda delimiter: counts[delimiter])
