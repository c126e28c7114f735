"""One record of an archive, for programs: names, plain values, and beside ids what they stand for.

In: a row and what ids stand for. Out: values that JSON knows. The readable page is made of the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from resolvers.archive_reading import ArchiveRecord, Names
from schema.archive import Entry, Section
from schema.categories import categories_of

NUMBER: Final = "number"
"""Of a telephone, where the archive was made with the officer's key."""

RECEIPT: Final = "receipt"
"""Of a choice."""

STANDS_FOR: Final[Mapping[str, str]] = {
    "partner_id": "partner",
    "agreement_id": "agreement",
    "notice_id": "notice",
}
"""Beside which id stands what it stands for, and under which name."""


def shown_record(section: Section, record: ArchiveRecord, names: Names) -> dict[str, Any]:
    """A record of a section, with its parts."""
    shown = _values(section.entries, record.row, names)
    for part in section.parts:
        rows = record.parts.get(part.name, ())
        shown[part.name] = [_values(part.entries, row, names) for row in rows]
    if record.receipt is not None:
        shown[RECEIPT] = record.receipt
    return shown


def _values(entries: Iterable[Entry], row: Mapping[str, Any], names: Names) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for entry in entries:
        value = row[entry.column.name]
        if entry.is_mask:
            shown[entry.name] = sorted(category.value for category in categories_of(value))
            continue
        shown[entry.name] = _plain(value)
        if entry.name in STANDS_FOR:
            shown[STANDS_FOR[entry.name]] = _stands_for(entry.name, value, names)
    return shown


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case UUID() | Decimal():
            return str(value)
        case list():
            return [_plain(each) for each in value]
        case None | str() | bool() | int():
            return value
        case _:
            raise TypeError("a column of an archive holds what no archive can: say how it is written")


def _stands_for(name: str, value: UUID | None, names: Names) -> Any:
    if value is None:
        return None
    if name == "partner_id":
        return names.partners.get(value)
    if name == "notice_id":
        return names.notices.get(value)
    found = names.agreements.get(value)
    if found is None:
        return None
    return {"partner": found.partner, "basis": found.basis, "purpose": found.purpose}
