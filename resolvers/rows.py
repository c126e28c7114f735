"""Which rows a partner sees, and which of them stand on a page: the one predicate.

INVARIANT (one-predicate): which rows a partner sees is decided in `share_rows` and nowhere else:
agreement in force, share row present, and at least one category of the contract open.
INVARIANT (filter-shows-nothing-withheld): a condition holds only in rows where its value is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, assert_never

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    FromClause,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from resolvers.binding import position_value
from resolvers.derivations import DERIVATIONS
from resolvers.parameters import Parameters, SlotShape
from schema.catalogue import Catalogue, Derived, Filter, FilterOperator, Stored, category_of
from schema.categories import SHARE_BITS
from schema.errors import CatalogueError
from schema.tables import Agreement, Member, ShareChange

_MEMBER: Final[Table] = Member.__table__  # type: ignore[attr-defined]
_AGREEMENT: Final[Table] = Agreement.__table__  # type: ignore[attr-defined]
_CHANGE: Final[Table] = ShareChange.__table__  # type: ignore[attr-defined]


class Rows(Parameters):
    """Builds conditions, joins and windows over `share`."""

    def __init__(self, catalogue: Catalogue, shapes: Sequence[SlotShape]) -> None:
        super().__init__(shapes)
        self.catalogue = catalogue
        self.narrowed = 0
        """The mask of what `where` compares."""

    def share_rows(
        self, share: FromClause, agreement: ColumnElement[Any] | None = None
    ) -> list[ColumnElement[Any]]:
        """The rows of `share` that one agreement may see now.

        CLAUSE (C8): a partner finds members through this one predicate: an agreement in force, a row of
        `share`, an open category.

        1. the rows of that agreement,
        2. while it is in force,
        3. in which at least one category of the contract is open,
        4. and which have not ended by the member's own request. (A line of the feed has no end.)
        """
        asked = self.caller("agreement_id", Uuid()) if agreement is None else agreement
        contract = self.caller("contract_mask", BigInteger())
        now = self.bind("now", DateTime(timezone=True), lambda binding: binding.now)
        terms = self.alias(_AGREEMENT)
        in_force = (
            select(
                and_(
                    terms.c.status == literal_column("'ACTIVE'"),
                    terms.c.valid_from <= now,
                    or_(terms.c.valid_until.is_(None), now < terms.c.valid_until),
                )
            )
            .where(terms.c.id == asked)
            .scalar_subquery()
        )
        conditions = [
            share.c.agreement_id == asked,  # 1
            in_force,  # 2
            share.c.mask.bitwise_and(contract) != literal_column("0"),  # 3
        ]
        if "ends_at" in share.c:
            conditions.append(or_(share.c.ends_at.is_(None), now < share.c.ends_at))  # 4
        return conditions

    def shown_to_members(self, agreement: ColumnElement[Any]) -> ColumnElement[Any]:
        """That no order defers the case of this agreement now (C8 b).

        INVARIANT (deferred-unseen): whatever a member reads that rests on an agreement asks this.
        """
        now = self.bind("now", DateTime(timezone=True), lambda binding: binding.now)
        terms = self.alias(_AGREEMENT)
        deferred = exists().where(terms.c.id == agreement, terms.c.deferred_until > now)
        return not_(deferred)

    def filtered(self, share: FromClause, slot: int) -> tuple[FromClause, list[ColumnElement[Any]]]:
        """The share rows that pass `where`, joined to `member` only when a condition reads it."""
        conditions = self.share_rows(share)
        wanted = self.shapes[slot].where
        if not wanted:
            return share, conditions
        member = self.alias(_MEMBER)
        joined: FromClause = share
        for name in wanted:
            narrowing = self.catalogue.filters["MemberFilter", name]
            if narrowing.by is None:
                conditions.append(self._changed_since(share, slot, name))
                continue
            joined = share.join(member, member.c.id == share.c.member_id)
            conditions.append(self._narrowed(share, member, slot, name, narrowing))
        return joined, conditions

    def _narrowed(
        self, share: FromClause, member: FromClause, slot: int, name: str, narrowing: Filter
    ) -> ColumnElement[Any]:
        """A row passes only where its value is open, and matches."""
        category = category_of(narrowing)
        if category is None or category not in SHARE_BITS or narrowing.by is None:
            raise CatalogueError(f"`MemberFilter.{name}` narrows by what cannot be shared")
        wanted = self.bind(
            f"where_{name}", ARRAY(Text()), lambda b: list(b.slots[slot].arguments["where"][name])
        )
        value = value_of(member, narrowing.by)
        match narrowing.operator:
            case FilterOperator.ANY_OF:
                matches = value == func.any(wanted)
            case FilterOperator.OVERLAPS:
                matches = value.op("&&", return_type=Boolean())(wanted)
            case FilterOperator.CHANGED_SINCE:
                raise CatalogueError(f"`MemberFilter.{name}` compares no value")
            case _:
                assert_never(narrowing.operator)
        guard = 1 << SHARE_BITS[category]
        self.narrowed |= guard
        return and_(open_in(share.c.mask, guard), matches)

    def _changed_since(self, share: FromClause, slot: int, name: str) -> ColumnElement[Any]:
        """A change, since then, in a category that is open to this contract in this very row."""
        change = self.alias(_CHANGE)
        since = self.bind(
            f"where_{name}", DateTime(timezone=True), lambda b: b.slots[slot].arguments["where"][name]
        )
        open_now = change.c.mask.bitwise_and(share.c.mask).bitwise_and(
            self.caller("contract_mask", BigInteger())
        )
        return exists().where(
            change.c.agreement_id == share.c.agreement_id,
            change.c.subject == share.c.subject,
            change.c.changed_at > since,
            open_now != literal_column("0"),
        )

    def window(
        self, statement: Select[Any], order: Sequence[ColumnElement[Any]], slot: int, *, newest_first: bool
    ) -> Select[Any]:
        """Order, position and LIMIT of a page; one row more than asked tells whether another page follows."""
        if self.shapes[slot].after:
            position = tuple_(*(self.position(column, slot, i) for i, column in enumerate(order)))
            at = tuple_(*order)
            statement = statement.where(at < position if newest_first else at > position)
        statement = statement.order_by(*(c.desc() if newest_first else c.asc() for c in order))
        return statement.limit(self.limit(slot))

    def limit(self, slot: int) -> ColumnElement[Any]:
        """How many rows a page fetches: one more than it shows."""
        return self.bind(f"limit_{slot}", BigInteger(), lambda binding: binding.slots[slot].first + 1)

    def position(self, column: ColumnElement[Any], slot: int, index: int) -> ColumnElement[Any]:
        """The value of an ordering column in the cursor of a page."""
        python_type = datetime if isinstance(column.type, DateTime) else column.type.python_type
        return self.bind(
            f"after_{slot}_{index}",
            column.type,
            lambda binding: position_value(binding, slot, index, python_type),
        )


def open_in(mask: ColumnElement[Any], guard: int) -> ColumnElement[Any]:
    """Whether a share mask opens what `guard` guards."""
    return mask.bitwise_and(literal_column(str(guard))) != literal_column("0")


def value_of(alias: FromClause, source: Stored | Derived) -> ColumnElement[Any]:
    """The SQL expression of a source, on a row of `alias`."""
    match source:
        case Stored(column):
            return alias.c[column.key]
        case Derived(name=name):
            return DERIVATIONS[name](alias)
        case _:
            assert_never(source)
