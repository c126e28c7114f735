"""What two officers decide together: who approves is another than who proposed (C8 b, c)."""

from __future__ import annotations

from policies.officer_lines import read_line
from schema.errors import ForbiddenError

MAX_TEXT = 500


def require_another(proposed_by: str, officer: str, what: str) -> None:
    """Return if somebody else approves than proposed. The database holds no row in which they are one.

    CLAUSE (C8): what the law requires, or a transfer, is disclosed on the word of two officers.

    Raises:
        ForbiddenError: it is the same officer.
    """
    if proposed_by.strip().casefold() == officer.strip().casefold():
        noun = what.partition(" ")[0]
        raise ForbiddenError(f"it was you who proposed this {noun}, so another officer has to approve it")


def read_text(name: str, value: str) -> str:
    """A line that an officer wrote, as it may be kept and shown (R1).

    Raises:
        InputError: it is empty or too long, or may not be shown.
        FreeTextPhoneError: it holds a telephone number.
    """
    return read_line(name, value, longest=MAX_TEXT)
