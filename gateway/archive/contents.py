"""What goes into one archive: the member's sections, read anew as often as somebody asks for them.

The readable page and the document for programs are two passes over the same moment of the database, so that
neither has to be kept in memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.archive.records import NUMBER, shown_record
from resolvers.archive_reading import Names, read_section
from resolvers.connection import Link
from resolvers.means import Company
from schema.archive import Section


@dataclass(frozen=True, slots=True)
class Contents:
    """The archive of one member at one moment. `numbers`: by phone, where the officer's key opened them."""

    connection: Link = field(repr=False)
    member_id: UUID
    member_number: str
    request_id: UUID
    made_at: datetime
    company: Company
    names: Names = field(repr=False)
    numbers: Mapping[str, str] | None = field(default=None, repr=False)

    async def records(self, section: Section, *, most: int | None = None) -> AsyncIterator[dict[str, Any]]:
        """The records of a section, in its order; with `most`, so many from its beginning."""
        async for record in read_section(
            self.connection, section, self.member_id, self.company, now=self.made_at, most=most
        ):
            shown = shown_record(section, record, self.names)
            if section.name == "telephone_numbers" and self.numbers is not None:
                number = self.numbers.get(shown["id"])
                if number is not None:
                    shown[NUMBER] = number
            yield shown
