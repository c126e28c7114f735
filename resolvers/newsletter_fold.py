"""Whether the ledger says that a member wants our newsletter, in SQL: the one place that says how (C9, C11).

`policies.newsletter` is the same rule in Python, and `tests/resolvers/test_newsletter_fold.py` compares them.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Table, func, literal_column, select
from sqlalchemy.dialects import postgresql

from schema.tables import ChoiceRecord

LATEST_FIRST: Final = "requested_at DESC, direction DESC"
"""The order in which the first entry of a ledger wins: by date, at equal dates OUT, which sorts after IN."""

_CHOICE: Final[Table] = ChoiceRecord.__table__  # type: ignore[attr-defined]


def newsletter_wanted(member_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """True or false, never null: whoever never chose does not want it."""
    said = _CHOICE.alias("said")
    latest = (
        select(said.c.direction == literal_column("'IN'"))
        .where(said.c.member_id == member_id, said.c.topic == literal_column("'NEWSLETTER'"))
        .order_by(said.c.requested_at.desc(), said.c.direction.desc())
        .limit(literal_column("1"))
        .correlate_except(said)
        .scalar_subquery()
    )
    return func.coalesce(latest, literal_column("false"))


NEWSLETTER_WANTED: Final = str(
    newsletter_wanted(literal_column("member.id")).compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
)
"""The same of the row of `member` at hand, for statements that are written as text."""
