"""Which lines of `share_change` a partner reads, in which order, and what each of them tells it.

A line is read under the contract's mask C: agreement AND scopes AND policy. Masks in `share_change` are
closed under composition (`schema.categories.closed`) and so is C, so that `before & C` and `after & C` are
what this very contract showed before and shows after.

1. a line is there if it is about something of C: the predicate of `share_rows`, asked of the line;
2. `kind`: ERASED; SHARED if nothing of C was open before; WITHDRAWN if something of C was lost; CORRECTED;
3. `about`: of an erasure all of C that was ever open; what is open now; what was lost; what it is about.

INVARIANT (no-gap): only lines of transactions below the oldest one still running are read, in the order of
(transaction, seq). A line that commits later therefore never stands before one that was read.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Label,
    Select,
    Subquery,
    Table,
    Text,
    case,
    literal_column,
    null,
    or_,
    select,
)

from resolvers.rows import Rows
from schema.tables import ShareChange

_CHANGE: Final[Table] = ShareChange.__table__  # type: ignore[attr-defined]
_ZERO: Final[ColumnElement[Any]] = literal_column("0")

# Every transaction that is older than this has ended, and what it wrote is in this statement's snapshot.
_HORIZON: Final[ColumnElement[Any]] = literal_column(
    "pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger()
)


class FeedRows(Rows):
    """Builds the window over the feed."""

    def changes(self, slot: int) -> Subquery:
        """The lines of a page: the LIMIT stands on `share_change`, before anything is joined to it."""
        change = self.alias(_CHANGE)
        columns = (change.c.transaction, change.c.seq, change.c.subject, change.c.changed_at)
        lines = select(*columns, *self._told(change)).where(*self._readable(change))
        order = (change.c.transaction, change.c.seq)
        return self.window(lines, order, slot, newest_first=False).subquery("page")

    def end_of_feed(self) -> Select[Any]:
        """The last line that can be read now, in the columns that lead a row of the feed."""
        change = self.alias(_CHANGE)
        position = (change.c.transaction, change.c.seq)
        nobody = (null().label("log_id"), null().label("mask"), null().label("withdrawn"))
        last = select(*nobody, *position).where(*self._readable(change))
        return last.order_by(*(column.desc() for column in position)).limit(literal_column("1"))

    def _readable(self, change: FromClause) -> list[ColumnElement[Any]]:
        return [*self.share_rows(change), change.c.transaction < _HORIZON]

    def _told(self, change: FromClause) -> tuple[Label[Any], ...]:
        contract = self.caller("contract_mask", BigInteger())
        opened = change.c.before.bitwise_and(contract) == _ZERO
        lost = change.c.before.bitwise_and(change.c.after.bitwise_not()).bitwise_and(contract)
        kind = case(
            (change.c.erased, _word("ERASED")),
            (opened, _word("SHARED")),
            (lost != _ZERO, _word("WITHDRAWN")),
            else_=_word("CORRECTED"),
        )
        about = case(
            (change.c.erased, change.c.mask.bitwise_and(contract)),
            (opened, change.c.after.bitwise_and(contract)),
            (lost != _ZERO, lost),
            else_=change.c.mask.bitwise_and(contract),
        )
        withdrawn = case((or_(change.c.erased, lost != _ZERO), change.c.subject))
        return kind.label("kind"), about.label("about"), withdrawn.label("withdrawn")


def _word(name: str) -> ColumnElement[Any]:
    return literal_column(f"'{name}'", Text())
