"""A source as numbered rows of named cells, streamed.

Rows are numbered as a spreadsheet shows them (the header is row 1) and, in JSON Lines, as lines. A row that
cannot be read comes out with its problem, and reading goes on.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from gateway.importing.mapping import heading
from gateway.importing.problems import ProblemCode
from gateway.importing.source import FileKind, Source
from schema.errors import InputError

LONGEST_FIELD: Final = 1_000_000
"""Characters. Beyond it a quote was never closed, so the rest of the file is unreadable."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One record. `problem` is set where it could not be read; `cells` are empty then."""

    number: int
    cells: dict[str, str]
    problem: ProblemCode | None = None


class RowReader:
    """An open source. `header` is None for JSON Lines, where each line names its own fields."""

    def __init__(self, source: Source) -> None:
        self.source = source
        try:
            self._raw = source.path.open("rb")
        except OSError as error:
            raise InputError(f"the file cannot be read: {error.strerror}") from error
        # A decoding error cannot happen (`inspect` read the file whole) unless the file changes meanwhile.
        self._text = io.TextIOWrapper(self._raw, source.encoding, errors="replace", newline="")
        self._csv = csv.reader(self._text, delimiter=source.delimiter or ",")
        self.header: tuple[str, ...] | None = None
        if source.kind is FileKind.CSV:
            try:
                self.header = self._read_header()
            except InputError:
                self._text.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._text.close()

    @property
    def position(self) -> int:
        """Bytes read so far, of `source.size`."""
        return self._raw.tell()

    def __iter__(self) -> Iterator[SourceRow]:
        return self._csv_rows(self.header) if self.header is not None else self._json_rows()

    def _next(self) -> list[str] | None:
        """The next record, or None at the end. The limit is the csv module's own, and global."""
        csv.field_size_limit(LONGEST_FIELD)
        try:
            return next(self._csv, None)
        except csv.Error as error:
            raise InputError(
                f"the file cannot be read beyond line {self._csv.line_num}: a quote is not closed"
            ) from error

    def _read_header(self) -> tuple[str, ...]:
        header: list[str] | None = []
        while header is not None and not any(cell.strip() for cell in header):
            header = self._next()
        names = tuple(heading(cell) for cell in header or ())
        positions: dict[str, list[int]] = {}
        for position, name in enumerate(names, start=1):
            positions.setdefault(name, []).append(position)
        repeated = [places for name, places in positions.items() if name and len(places) > 1]
        if repeated:
            # Never the name: in a file without a header it is a cell, and may be a telephone number (R1).
            listed = ", and in columns ".join(" and ".join(map(str, places)) for places in repeated)
            raise InputError(
                f"the header has the same name in columns {listed}: rename one, or put a header above them"
            )
        return names

    def _csv_rows(self, header: tuple[str, ...]) -> Iterator[SourceRow]:
        number, width = 1, len(header)
        while (cells := self._next()) is not None:
            number += 1
            if len(cells) == width:
                row = dict(zip(header, cells, strict=True))
                if width > 1 or any(cells):
                    yield SourceRow(number, row)
            elif any(cell.strip() for cell in cells):
                yield SourceRow(number, {}, ProblemCode.RAGGED_ROW)

    def _json_rows(self) -> Iterator[SourceRow]:
        number = 0
        while line := self._text.readline(LONGEST_FIELD):
            number += 1
            complete = line.endswith("\n") or len(line) < LONGEST_FIELD
            while not complete and (rest := self._text.readline(LONGEST_FIELD)):
                complete = rest.endswith("\n")
                line = ""
            if complete and line and not line.strip():
                continue
            cells = _flatten(line)
            if cells is None:
                yield SourceRow(number, {}, ProblemCode.NOT_JSON)
            else:
                yield SourceRow(number, cells)


def _flatten(line: str) -> dict[str, str] | None:
    """The object in `line`, nested names joined by dots and lists by commas; None for anything else."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    cells: dict[str, str] = {}
    waiting = [("", value)]
    while waiting:
        prefix, level = waiting.pop()
        for name, inner in level.items():
            key = heading(prefix + name)
            if isinstance(inner, dict):
                waiting.append((f"{key}.", inner))
            elif isinstance(inner, list):
                cells[key] = ",".join(str(item) for item in inner if not isinstance(item, dict | list))
            elif inner is not None:
                cells[key] = str(inner)
    return cells
