"""The matrix as a table that people can read: data down, partners' bases across.

In comes a `Matrix`, out comes a `Table`; `policies.render` puts it into words, as text, Markdown or HTML. It
shows members of age. Those under 18 are shared on the LEGAL basis only, which the caption says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from policies.choices import BASES_WITHOUT_CHOICE
from policies.engine import Action
from policies.matrix import Matrix
from policies.regions import OTHER_REGION
from policies.rules import Rule
from schema.categories import SEALED, SHARE_BITS, Basis, DataCategory, Purpose


class Mark(StrEnum):
    """What happens to one category on one basis. Values are the words of the table."""

    UNTIL_OPT_OUT = "until opt-out"
    ON_REQUEST = "on request"
    ALWAYS = "always"
    """On a basis that leaves the member no choice (`policies.choices.BASES_WITHOUT_CHOICE`)."""

    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Column:
    """One basis and purpose under which the policy shares anything."""

    basis: Basis
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class TableCell:
    """The mark that holds in general, the regions where another holds, and the numbers of its notes."""

    mark: Mark
    exceptions: tuple[tuple[str, Mark], ...] = ()
    notes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One category, with one cell for each column."""

    category: DataCategory
    cells: tuple[TableCell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The whole policy. Note number n is `notes[n - 1]`: the rule that a cell follows; None: the program."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[Rule | None, ...]


def sharing_table(matrix: Matrix) -> Table:
    """Build the table of `matrix`, in the order of the vocabularies; rules are noted as they first occur."""
    columns = tuple(
        Column(basis, purpose)
        for basis in Basis
        for purpose in Purpose
        if matrix.share_mask(basis, purpose, protected=False)
    )
    notes = _Notes(matrix)
    rows = tuple(
        Row(
            category,
            tuple(_cell(matrix, column, category, notes) for column in columns),
        )
        for category in DataCategory
        if category in SHARE_BITS or category in SEALED
    )
    return Table(columns, rows, tuple(notes.rules))


class _Notes:
    """Numbers the notes in the order in which cells ask for them."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix
        self.rules: list[Rule | None] = []

    def of_rules(self, ids: Iterable[str]) -> tuple[int, ...]:
        return tuple(sorted({self.number(self._matrix.rules[rule_id]) for rule_id in ids}))

    def number(self, rule: Rule | None) -> int:
        if rule not in self.rules:
            self.rules.append(rule)
        return self.rules.index(rule) + 1


def _cell(matrix: Matrix, column: Column, category: DataCategory, notes: _Notes) -> TableCell:
    if category in SEALED:
        return TableCell(Mark.NEVER, notes=(notes.number(None),))
    marks = {region: _mark(matrix, column, category, region) for region in matrix.regions}
    general = marks.pop(OTHER_REGION)
    exceptions = tuple((region, mark) for region, mark in marks.items() if mark is not general)
    rules = set(matrix.rule_for(Action.SHARE, column.basis, column.purpose, category))
    for region in (OTHER_REGION, *(region for region, _ in exceptions)):
        rules |= set(matrix.rule_for(Action.PRESUME, column.basis, column.purpose, category, region=region))
    return TableCell(general, exceptions, notes.of_rules(sorted(rules)))


def _mark(matrix: Matrix, column: Column, category: DataCategory, region: str) -> Mark:
    bit = 1 << SHARE_BITS[category]
    if not matrix.share_mask(column.basis, column.purpose, protected=False) & bit:
        return Mark.NEVER
    presumed = matrix.presumed_mask(column.basis, column.purpose, region) & bit
    if column.basis in BASES_WITHOUT_CHOICE:
        return Mark.ALWAYS if presumed else Mark.NEVER
    return Mark.UNTIL_OPT_OUT if presumed else Mark.ON_REQUEST
