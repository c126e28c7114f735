"""The cells of one row, asked for by target, and the problems found while they are read.

INVARIANT (no-number-in-text): `text` and `labels` give nothing in which a telephone number can be read (R1);
whatever others may read of a row comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from gateway.importing import fields
from gateway.importing.problems import Problem, ProblemCode
from policies.choices import CLOCK_TOLERANCE
from policies.free_text import find_phone_number
from policies.split_texts import find_split_number

LONGEST: Final[Mapping[str, int]] = {
    "member.given_name": 100,
    "member.family_name": 100,
    "address.line1": 200,
    "address.line2": 200,
    "address.city": 100,
    "address.state": 100,
    "address.postal_code": 16,
    "billing.brand": 40,
    "billing.token": 255,
}
"""Characters that a text may have. Beyond them a column is likely mapped wrongly, so the row is rejected."""


class Cells:
    """One row. `columns` gives for each target the columns that the file has for it.

    `undated_yes`: the row opts in to something and says not when, so that was not taken.
    """

    def __init__(self, cells: Mapping[str, str], columns: Mapping[str, Sequence[str]], now: datetime) -> None:
        self.cells = cells
        self.columns = columns
        self.now = now
        self.undated_yes = False
        self._values = {target: first_cell(cells, names) for target, names in columns.items()}
        self._problems: dict[Problem, None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found wrong so far, each once, in the order in which it was found."""
        return tuple(self._problems)

    def fault(self, target: str, code: ProblemCode) -> None:
        """Note a problem."""
        self._problems[Problem(target, code)] = None

    def has_column(self, target: str) -> bool:
        """Whether the file could have stated `target`, or something below it."""
        return any(name == target or name.startswith(f"{target}.") for name in self.columns)

    def raw(self, target: str) -> str:
        """The first cell that is not blank among the columns of `target`; else an empty text."""
        return self._values.get(target, "")

    def text(self, target: str, country: str | None) -> str | None:
        """A text of one column, or None where it is blank, withheld or refused."""
        return self.checked(target, self.raw(target), country)

    def checked(self, target: str, value: str, country: str | None) -> str | None:
        """`value` as a text that others may read, or None where it is blank, withheld or refused."""
        if not value:
            return None
        text = fields.clean_text(value)
        if len(text) > LONGEST.get(target, fields.LONGEST_LABEL):
            self.fault(target, ProblemCode.TOO_LONG)
            return None
        if text and find_phone_number(text, region=country):
            self.fault(target, ProblemCode.PHONE_IN_TEXT)
            return None
        return text or None

    def together(self, texts: Mapping[str, str | None], country: str | None) -> list[str | None]:
        """Texts, by target, that others read next to each other; all withheld where a number spans them."""
        if not find_split_number(list(texts.values()), region=country):
            return list(texts.values())
        for target, text in texts.items():
            if text:
                self.fault(target, ProblemCode.PHONE_IN_TEXT)
        return [None] * len(texts)

    def labels(self, target: str, country: str | None) -> tuple[str, ...]:
        """A list of labels; a telephone number in one of them, or across them, withholds the list."""
        raw = self.raw(target)
        entries = fields.labels(raw) if raw else ()
        if len(entries) > fields.MOST_LABELS or any(len(entry) > fields.LONGEST_LABEL for entry in entries):
            self.fault(target, ProblemCode.TOO_LONG)
            return ()
        if entries and find_phone_number(", ".join(entries), region=country):
            self.fault(target, ProblemCode.PHONE_IN_TEXT)
            return ()
        return entries

    def instant(self, target: str, code: ProblemCode) -> datetime | None:
        """A point in time, never one to come: a choice dated ahead would win over every later one (C11)."""
        raw = self.raw(target)
        if not raw:
            return None
        at = fields.instant(raw)
        if at is None or at > self.now + CLOCK_TOLERANCE:
            self.fault(target, code)
            return None
        return min(at, self.now)


def first_cell(cells: Mapping[str, str], names: Sequence[str]) -> str:
    """The first cell that is not blank among those of these names, stripped; else an empty text."""
    for name in names:
        value = cells.get(name)
        if value and (value := value.strip()):
            return value
    return ""
