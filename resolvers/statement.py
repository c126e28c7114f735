"""The one builder of reads: a projection becomes SQL text, its parameters and its encoder.

In: a `Projection`, and which arguments are present (`Shape`). Out: a `Plan`: at most one statement
for the rows and one for the total, a parameter list, and a generated function from rows to answer.

INVARIANT (one-predicate): which rows a partner sees is decided in `_share_rows` and nowhere else:
agreement in force, share row present, and at least one category of the contract open.
INVARIANT (typed-parameters): every value reaches PostgreSQL as a typed parameter, never as text
that the database casts, because a cast error quotes what it could not cast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from resolvers.binding import Binding, Parameter, position_value
from resolvers.derivations import DERIVATIONS, TODAY
from resolvers.encoder import Writer, converter
from resolvers.projection import (
    Cursor,
    Edges,
    Many,
    Node,
    One,
    Page,
    PageField,
    PageInfo,
    Projection,
    RecordNode,
    Scalar,
    Total,
    Typename,
)
from schema.catalogue import (
    Catalogue,
    Derived,
    Filter,
    FilterOperator,
    Related,
    RootKind,
    Stored,
    category_of,
)
from schema.categories import SHARE_BITS
from schema.errors import CatalogueError, GatewayError
from schema.tables import Agreement, Member, Share, ShareChange

_DIALECT: Final = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
_MEMBER: Final[Table] = Member.__table__  # type: ignore[attr-defined]
_SHARE: Final[Table] = Share.__table__  # type: ignore[attr-defined]
_AGREEMENT: Final[Table] = Agreement.__table__  # type: ignore[attr-defined]
_CHANGE: Final[Table] = ShareChange.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class SlotShape:
    """Which arguments of a slot are present: what the text of the statement depends on."""

    after: bool = False
    where: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with `$n` places, and how each is filled."""

    sql: str
    parameters: tuple[Parameter, ...]

    def bind(self, binding: Binding) -> list[Any]:
        """The values of `$1`, `$2`, ... for one request."""
        return [parameter(binding) for parameter in self.parameters]


@dataclass(frozen=True, slots=True)
class Plan:
    """How one root field is answered.

    `encode(rows, slots, total)` gives the finished value. Below a shared root each row starts with the
    internal member id and the share mask (`DISCLOSED` columns), which the disclosure record needs and
    the encoder never shows. `narrowed` is the mask of what `where` compares: the answer tells it of
    every row, selected or not.
    """

    projection: Projection
    rows: Statement | None
    total: Statement | None
    encode: Callable[[Sequence[Any], list[Any], int | None], Any]
    narrowed: int = 0


DISCLOSED: Final = 2
"""How many leading columns of a shared row are for the disclosure record."""


def build(catalogue: Catalogue, projection: Projection, shapes: Sequence[SlotShape]) -> Plan:
    """The plan of a root field for these shapes of its slots."""
    return _Building(catalogue, projection, shapes).plan()


class _Scope:
    """The rows of one SELECT: its FROM clause, and the columns that leaves have asked for."""

    def __init__(self, alias: FromClause, source: FromClause, mask: ColumnElement[Any] | None) -> None:
        self.alias = alias
        self.source = source
        self.mask = mask
        self.columns: list[ColumnElement[Any]] = []

    def place(self, expression: ColumnElement[Any]) -> int:
        """The index at which `expression` will stand in each row."""
        self.columns.append(expression)
        return len(self.columns) - 1


class _Building:
    def __init__(self, catalogue: Catalogue, projection: Projection, shapes: Sequence[SlotShape]) -> None:
        self.catalogue = catalogue
        self.projection = projection
        self.shapes = shapes
        self.writer = Writer()
        self.parameters: dict[str, Parameter] = {TODAY: lambda binding: binding.today}
        self.aliases = 0
        self.narrowed = 0

    # -- parameters and aliases

    def _bind(self, name: str, sql_type: Any, parameter: Parameter) -> ColumnElement[Any]:
        self.parameters[name] = parameter
        return bindparam(name, type_=sql_type)

    def _caller(self, name: str, sql_type: Any) -> ColumnElement[Any]:
        return self._bind(name, sql_type, lambda binding: binding.caller[name])

    def _alias(self, table: FromClause) -> FromClause:
        self.aliases += 1
        return table.alias(f"{table.name}_{self.aliases}")  # type: ignore[attr-defined]

    def _compile(self, statement: Select[Any]) -> Statement:
        compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        places = compiled.positiontup or []
        return Statement(str(compiled), tuple(self.parameters[name] for name in places))

    # -- roots

    def plan(self) -> Plan:
        match self.projection.kind:
            case RootKind.SELF:
                return self._self()
            case RootKind.SHARED_PAGE:
                return self._shared_page()
            case RootKind.SHARED_ONE:
                return self._shared_one()
            case RootKind.PREVIEW:
                return self._preview()
            case RootKind.PLAIN | RootKind.COMMAND:
                raise CatalogueError("this root field has no statement")
            case _:
                assert_never(self.projection.kind)

    def _self(self) -> Plan:
        member = self._alias(_MEMBER)
        scope = _Scope(member, member, None)
        shown = self._record(scope, self.projection.record)
        statement = select(*(scope.columns or [literal_column("1")])).select_from(scope.source)
        statement = statement.where(member.c.id == self._caller("member_id", Uuid()))
        return self._plan(statement, f"None if not rows else (lambda r: {shown})(rows[0])")

    def _shared_one(self) -> Plan:
        slot = self._required_slot()
        share = self._alias(_SHARE)
        subject = self._bind("subject", Uuid(), lambda b: b.slots[slot].arguments["id"])
        return self._one_shared(share, [*self._share_rows(share), share.c.subject == subject])

    def _preview(self) -> Plan:
        slot = self._required_slot()
        share = self._alias(_SHARE)
        agreement = self._bind("agreement_id", Uuid(), lambda b: b.slots[slot].arguments["agreement"])
        own = share.c.member_id == self._caller("member_id", Uuid())
        return self._one_shared(share, [*self._share_rows(share, agreement), own])

    def _one_shared(self, share: FromClause, conditions: list[ColumnElement[Any]]) -> Plan:
        member = self._alias(_MEMBER)
        scope = _Scope(member, share.join(member, member.c.id == share.c.member_id), share.c.mask)
        scope.columns += [share.c.member_id, share.c.mask]
        shown = self._record(scope, self.projection.record, share)
        statement = select(*scope.columns).select_from(scope.source).where(*conditions)
        return self._plan(statement, f"None if not rows else (lambda r: {shown})(rows[0])")

    def _shared_page(self) -> Plan:
        page = self.projection.page
        assert page is not None  # noqa: S101 - a page root always has one
        share = self._alias(_SHARE)
        source, conditions = self._filtered(share, page.slot)
        total = None
        if page.needs_total:
            total = self._compile(select(func.count()).select_from(source).where(*conditions))
        # The LIMIT stands on `share` alone: joined first, PostgreSQL may walk all members in a merge join.
        keys = select(share.c.subject, share.c.member_id, share.c.mask).select_from(source).where(*conditions)
        keys = self._window(keys, (share.c.subject,), page.slot, newest_first=False)
        window = keys.subquery("page")
        member = self._alias(_MEMBER)
        scope = _Scope(member, window.join(member, member.c.id == window.c.member_id), window.c.mask)
        scope.columns += [window.c.member_id, window.c.mask]
        shown = self._page_display(scope, page, (window.c.subject,), window)
        name = self.writer.page(page.slot, shown)
        statement = select(*scope.columns).select_from(scope.source).order_by(window.c.subject)
        rows = self._compile(statement) if page.needs_rows else None
        encode = self.writer.compile("rows, slots, total", f"{name}(rows, slots, total)")
        return Plan(self.projection, rows, total, encode, self.narrowed)

    def _plan(self, statement: Select[Any], shown: str) -> Plan:
        encode = self.writer.compile("rows, slots, total", shown)
        return Plan(self.projection, self._compile(statement), None, encode)

    def _required_slot(self) -> int:
        if self.projection.slot is None:
            raise CatalogueError("this root field takes an argument")
        return self.projection.slot

    # -- which rows

    def _share_rows(
        self, share: FromClause, agreement: ColumnElement[Any] | None = None
    ) -> list[ColumnElement[Any]]:
        """The rows of `share` that one agreement may see now.

        1. the rows of that agreement,
        2. while it is in force,
        3. in which at least one category of the contract is open.
        """
        asked = self._caller("agreement_id", Uuid()) if agreement is None else agreement
        contract = self._caller("contract_mask", BigInteger())
        now = self._bind("now", DateTime(timezone=True), lambda binding: binding.now)
        terms = self._alias(_AGREEMENT)
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
        return [
            share.c.agreement_id == asked,  # 1
            in_force,  # 2
            share.c.mask.bitwise_and(contract) != literal_column("0"),  # 3
        ]

    def _filtered(self, share: FromClause, slot: int) -> tuple[FromClause, list[ColumnElement[Any]]]:
        """The share rows that pass `where`, joined to `member` only when a condition reads it."""
        conditions = self._share_rows(share)
        wanted = self.shapes[slot].where
        if not wanted:
            return share, conditions
        member = self._alias(_MEMBER)
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
        """INVARIANT (filter-shows-nothing-withheld): a row passes only where its value is open."""
        category = category_of(narrowing)
        if category is None or category not in SHARE_BITS or narrowing.by is None:
            raise CatalogueError(f"`MemberFilter.{name}` narrows by what cannot be shared")
        wanted = self._bind(
            f"where_{name}", ARRAY(Text()), lambda b: list(b.slots[slot].arguments["where"][name])
        )
        value = self._value(member, narrowing.by)
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
        return and_(self._open(share.c.mask, guard), matches)

    def _changed_since(self, share: FromClause, slot: int, name: str) -> ColumnElement[Any]:
        """A change, since then, in a category that is open to this contract in this very row."""
        change = self._alias(_CHANGE)
        since = self._bind(
            f"where_{name}", DateTime(timezone=True), lambda b: b.slots[slot].arguments["where"][name]
        )
        open_now = change.c.mask.bitwise_and(share.c.mask).bitwise_and(
            self._caller("contract_mask", BigInteger())
        )
        return exists().where(
            change.c.agreement_id == share.c.agreement_id,
            change.c.subject == share.c.subject,
            change.c.changed_at > since,
            open_now != literal_column("0"),
        )

    def _window(
        self, statement: Select[Any], order: Sequence[ColumnElement[Any]], slot: int, *, newest_first: bool
    ) -> Select[Any]:
        """Order, position and LIMIT of a page; one row more than asked tells whether another page follows."""
        if self.shapes[slot].after:
            position = tuple_(*(self._position(column, slot, i) for i, column in enumerate(order)))
            at = tuple_(*order)
            statement = statement.where(at < position if newest_first else at > position)
        statement = statement.order_by(*(c.desc() if newest_first else c.asc() for c in order))
        limit = self._bind(f"limit_{slot}", BigInteger(), lambda binding: binding.slots[slot].first + 1)
        return statement.limit(limit)

    def _position(self, column: ColumnElement[Any], slot: int, index: int) -> ColumnElement[Any]:
        python_type = datetime if isinstance(column.type, DateTime) else column.type.python_type
        return self._bind(
            f"after_{slot}_{index}",
            column.type,
            lambda binding: position_value(binding, slot, index, python_type),
        )

    # -- what is read of each row, as SQL columns and as Python source

    @staticmethod
    def _open(mask: ColumnElement[Any], guard: int) -> ColumnElement[Any]:
        return mask.bitwise_and(literal_column(str(guard))) != literal_column("0")

    @staticmethod
    def _value(alias: FromClause, source: Stored | Derived) -> ColumnElement[Any]:
        match source:
            case Stored(column):
                return alias.c[column.key]
            case Derived(name=name):
                return DERIVATIONS[name](alias)
            case _:
                assert_never(source)

    def _record(self, scope: _Scope, nodes: Sequence[RecordNode], share: FromClause | None = None) -> str:
        """A dict display over the row `r`; the columns that it reads are placed in `scope`."""
        return "{" + ", ".join(f"{node.key!r}: {self._shown(scope, node, share)}" for node in nodes) + "}"

    def _shown(self, scope: _Scope, node: RecordNode, share: FromClause | None) -> str:
        match node:
            case Typename(name=name):
                return repr(name)
            case Scalar():
                return self._scalar(scope, node, share)
            case One():
                return self._one(scope, node)
            case Many():
                return self._many(scope, node)
            case _:
                assert_never(node)

    def _scalar(self, scope: _Scope, node: Scalar, share: FromClause | None) -> str:
        stored_in_share = isinstance(node.source, Stored) and node.source.column.table is _SHARE
        owner = share if stored_in_share and share is not None else scope.alias
        value = self._value(owner, node.source)
        if node.guard:
            if scope.mask is None:
                raise GatewayError("a guarded value outside a share")
            value = case((self._open(scope.mask, node.guard), value))
        index = scope.place(value)
        name = converter(value.type, node.returns, getattr(node.source, "name", None))
        read = f"r[{index}]"
        return read if name is None else f"(None if {read} is None else {name}({read}))"

    def _one(self, scope: _Scope, node: One) -> str:
        source = node.source
        other = self._alias(source.child.table)
        on = [other.c[source.child.key] == scope.alias.c[source.parent.key]]
        if source.only is not None:
            on.append(other.c[source.only.key])
        if node.guard:
            if scope.mask is None:
                raise GatewayError("a guarded object outside a share")
            # The guard stands in the join: where it is closed, the row is not read at all.
            on.append(self._open(scope.mask, node.guard))
        scope.source = scope.source.outerjoin(other, and_(*on))
        inner = _Scope(other, scope.source, scope.mask)
        inner.columns = scope.columns
        present = scope.place(other.c[source.child.key])
        shown = self._record(inner, node.children)
        scope.source = inner.source
        return f"(None if r[{present}] is None else {shown})"

    def _many(self, scope: _Scope, node: Many) -> str:
        source, page = node.source, node.page
        table = source.child.table
        total = "None"
        if page.needs_total:
            counted = self._alias(table)
            count = select(func.count()).select_from(counted).where(self._belongs(scope, counted, source))
            total = f"r[{scope.place(count.scalar_subquery())}]"
        rows = "()"
        other = self._alias(table)
        inner = _Scope(other, other, None)
        order = [other.c[column.key] for column in source.order]
        shown = self._page_display(inner, page, order, None)
        if page.needs_rows:
            keyed = select(func.row(*(inner.columns or [literal_column("1")]))).select_from(inner.source)
            keyed = keyed.where(self._belongs(scope, other, source))
            keyed = self._window(keyed, order, page.slot, newest_first=source.newest_first)
            rows = f"r[{scope.place(func.array(keyed.correlate(scope.alias).scalar_subquery()))}]"
        return f"{self.writer.page(page.slot, shown)}({rows}, slots, {total})"

    @staticmethod
    def _belongs(scope: _Scope, other: FromClause, source: Related) -> ColumnElement[Any]:
        parent, child = scope.alias.c[source.parent.key], other.c[source.child.key]
        if isinstance(child.type, ARRAY):
            return child.contains(array([parent]))
        return child == parent

    def _page_display(
        self, scope: _Scope, page: Page, order: Sequence[ColumnElement[Any]], share: FromClause | None
    ) -> str:
        """A dict display over `rows`, `more`, `slot` and `total`."""
        cursor = "None"
        if page.needs_cursors:
            cursor = "slot.cursor(" + ", ".join(f"r[{scope.place(column)}]" for column in order) + ")"
        members = []
        for child in page.children:
            match child:
                case Typename(key=key, name=name):
                    members.append(f"{key!r}: {name!r}")
                case Total(key=key):
                    members.append(f"{key!r}: total")
                case PageInfo(key=key):
                    members.append(f"{key!r}: {_page_info(child, cursor)}")
                case Edges(key=key):
                    members.append(f"{key!r}: [{self._edge(scope, child, cursor, share)} for r in rows]")
                case _:
                    assert_never(child)
        return "{" + ", ".join(members) + "}"

    def _edge(self, scope: _Scope, edges: Edges, cursor: str, share: FromClause | None) -> str:
        members = []
        for child in edges.children:
            match child:
                case Typename(key=key, name=name):
                    members.append(f"{key!r}: {name!r}")
                case Cursor(key=key):
                    members.append(f"{key!r}: {cursor}")
                case Node(key=key, record=record):
                    members.append(f"{key!r}: {self._record(scope, record, share)}")
                case _:
                    assert_never(child)
        return "{" + ", ".join(members) + "}"


def _page_info(info: PageInfo, cursor: str) -> str:
    members = []
    for child in info.children:
        match child:
            case Typename(key=key, name=name):
                members.append(f"{key!r}: {name!r}")
            case PageField(key=key, name="hasNextPage"):
                members.append(f"{key!r}: more")
            case PageField(key=key, name="hasPreviousPage"):
                members.append(f"{key!r}: slot.after")
            case PageField(key=key, name="startCursor"):
                members.append(f"{key!r}: (lambda r: {cursor})(rows[0]) if rows else None")
            case PageField(key=key, name="endCursor"):
                members.append(f"{key!r}: (lambda r: {cursor})(rows[-1]) if rows else None")
            case PageField(name=name):
                raise CatalogueError(f"`PageInfo.{name}` is not part of a connection")
            case _:
                assert_never(child)
    return "{" + ", ".join(members) + "}"
