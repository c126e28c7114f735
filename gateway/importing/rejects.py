"""The rejects file: `FILE.rejects.csv` beside the imported file. Row numbers and reasons, never a value.

Columns: row, outcome, field, code, message. It is written and synced before its batch commits, and cut
back to what was committed when an interrupted import goes on, so it always fits the database.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gateway.importing.problems import Outcome, Problem
from schema.errors import InputError

HEADER: Final = ("row", "outcome", "field", "code", "message")


class RejectsFile:
    """The file for one import. There is none as long as nothing is wrong."""

    def __init__(self, imported: Path) -> None:
        self.path = imported.with_name(f"{imported.name}.rejects.csv")

    def resume_after(self, row: int) -> None:
        """Drop the lines of rows beyond `row`; of row 0, the whole file.

        Raises:
            InputError: the folder cannot be written.
        """
        try:
            if not self.path.exists():
                return
            with self.path.open(encoding="utf-8", newline="") as file:
                lines = [
                    line for line in csv.reader(file) if line and line[0].isdecimal() and int(line[0]) <= row
                ]
            if not lines:
                self.path.unlink()
                return
            draft = self.path.with_name(f"{self.path.name}.draft")
            _write(draft, "w", [HEADER, *lines])
            draft.replace(self.path)
        except (OSError, csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"`{self.path.name}` cannot be written: check the folder of the file") from error

    def append(self, problems: Iterable[tuple[int, Outcome, Problem]]) -> None:
        """Add problems and wait until they are on the disk.

        Raises:
            InputError: the folder cannot be written.
        """
        lines = [(str(row), o.value, p.field, p.code.value, p.message) for row, o, p in problems]
        if not lines:
            return
        try:
            _write(self.path, "a", lines if self.path.exists() else [HEADER, *lines])
        except OSError as error:
            raise InputError(f"`{self.path.name}` cannot be written: check the folder of the file") from error


def _write(path: Path, mode: str, lines: Iterable[Iterable[str]]) -> None:
    with path.open(mode, encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
        file.flush()
        os.fsync(file.fileno())
