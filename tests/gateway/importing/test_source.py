from __future__ import annotations

from pathlib import Path

import pytest

from gateway.importing.reading import RowReader
from gateway.importing.source import FileKind, inspect
from schema.errors import InputError


def _rows(path: Path) -> list[dict[str, str]]:
    with RowReader(inspect(path)) as reader:
        return [row.cells for row in reader]


@pytest.mark.parametrize(
    ("encoding", "read_as", "guessed"),
    [
        ("utf-8", "utf-8", False),
        ("utf-8-sig", "utf-8-sig", False),
        ("utf-16", "utf-16", False),
        ("windows-1252", "windows-1252", True),
    ],
)
def test_encodings_are_told_apart(tmp_path: Path, encoding: str, read_as: str, guessed: bool) -> None:
    path = tmp_path / "members.csv"
    path.write_text("email,given_name\nzoe@example.com,Zoë Müller\n", encoding=encoding)

    source = inspect(path)

    assert (source.encoding, source.guessed) == (read_as, guessed)
    assert _rows(path) == [{"email": "zoe@example.com", "given_name": "Zoë Müller"}]


def test_big_endian_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_bytes(b"\xfe\xff" + "email\nzoë@example.com\n".encode("utf-16-be"))

    assert _rows(path) == [{"email": "zoë@example.com"}]


def test_a_character_across_the_chunks_of_a_big_file_does_not_make_it_windows_1252(tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_text("name\nx" + "ü" * 600_000 + "\n", encoding="utf-8")

    assert inspect(path).encoding == "utf-8"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_are_told_apart_outside_of_quotes(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "members.csv"
    path.write_text(f'"a;,;,;,;,"{delimiter}b{delimiter}c\n1{delimiter}2{delimiter}3\n')

    assert inspect(path).delimiter == delimiter
    assert _rows(path) == [{"a;,;,;,;,": "1", "b": "2", "c": "3"}]


def test_json_lines_are_known_by_name_or_by_the_first_brace(tmp_path: Path) -> None:
    named, begun = tmp_path / "a.jsonl", tmp_path / "b.txt"
    named.write_text(' {"email": "a@example.com"}\n')
    begun.write_text('{"email": "a@example.com"}\n')

    assert inspect(named).kind is FileKind.JSON_LINES
    assert inspect(begun).kind is FileKind.JSON_LINES


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "members.csv"
    path.write_bytes(content)

    with pytest.raises(InputError, match="empty"):
        inspect(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        inspect(tmp_path / "members.csv")
