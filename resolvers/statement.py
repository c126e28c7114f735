"""The one builder of reads: a projection becomes SQL text, its parameters and its encoder.

In: a `Projection`, and which arguments are present (`SlotShape`). Out: a `Plan`: at most one statement
for the rows and one for the total, a parameter list, and a generated function from rows to answer.

Which rows a partner sees is `resolvers.rows`; parameters and aliases are `resolvers.parameters`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    LargeBinary,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
)

from resolvers.encoder import Writer, converter
from resolvers.feed_rows import FeedRows
from resolvers.parameters import SlotShape, Statement
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
    SharedNow,
    Total,
    Typename,
)
from resolvers.rows import open_in, value_of
from schema.catalogue import Catalogue, Related, RootKind, Stored
from schema.errors import CatalogueError, GatewayError
from schema.tables import Member, PairwiseSubject, Share

_MEMBER: Final[Table] = Member.__table__  # type: ignore[attr-defined]
_SHARE: Final[Table] = Share.__table__  # type: ignore[attr-defined]
_KNOWN: Final[Table] = PairwiseSubject.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Plan:
    """How one root field is answered.

    `encode(rows, slots, total)` gives the finished value. Below a shared root each row starts with the
    member's `log_id` (its bytes) and the share mask (`DISCLOSED` columns), which the disclosure record needs
    and the encoder never shows. `narrowed` is the mask of what `where` compares: the answer tells it of
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
    """The rows of one SELECT: its FROM clause, and the columns that leaves have asked for.

    `member` is joined to each line of the feed.
    """

    def __init__(
        self,
        alias: FromClause,
        source: FromClause,
        mask: ColumnElement[Any] | None,
        member: FromClause | None = None,
    ) -> None:
        self.alias = alias
        self.member = member
        self.source = source
        self.mask = mask
        self.columns: list[ColumnElement[Any]] = []

    def place(self, expression: ColumnElement[Any]) -> int:
        """The index at which `expression` will stand in each row."""
        self.columns.append(expression)
        return len(self.columns) - 1


class _Building(FeedRows):
    def __init__(self, catalogue: Catalogue, projection: Projection, shapes: Sequence[SlotShape]) -> None:
        super().__init__(catalogue, shapes)
        self.projection = projection
        self.writer = Writer()

    # -- roots

    def plan(self) -> Plan:
        match self.projection.kind:
            case RootKind.SELF:
                return self._whole(self.caller("member_id", Uuid()))
            case RootKind.NAMED:
                slot = self._required_slot()
                return self._whole(self.bind("named", Uuid(), lambda b: b.slots[slot].arguments["named"]))
            case RootKind.SHARED_PAGE:
                return self._shared_page()
            case RootKind.SHARED_CHANGES:
                return self._shared_changes()
            case RootKind.SHARED_ONE:
                return self._shared_one()
            case RootKind.PREVIEW:
                return self._preview()
            case RootKind.PLAIN | RootKind.COMMAND:
                raise CatalogueError("this root field has no statement")
            case _:
                assert_never(self.projection.kind)

    def _whole(self, member_id: ColumnElement[Any]) -> Plan:
        """Everything selected of one member, to herself or to an officer who has said why."""
        member = self.alias(_MEMBER)
        scope = _Scope(member, member, None)
        shown = self._record(scope, self.projection.record)
        statement = select(*(scope.columns or [literal_column("1")])).select_from(scope.source)
        statement = statement.where(member.c.id == member_id)
        return self._plan(statement, f"None if not rows else (lambda r: {shown})(rows[0])")

    def _shared_one(self) -> Plan:
        slot = self._required_slot()
        share = self.alias(_SHARE)
        subject = self.bind("subject", Uuid(), lambda b: b.slots[slot].arguments["id"])
        return self._one_shared(share, [*self.share_rows(share), share.c.subject == subject])

    def _preview(self) -> Plan:
        slot = self._required_slot()
        share = self.alias(_SHARE)
        agreement = self.bind("agreement_id", Uuid(), lambda b: b.slots[slot].arguments["agreement"])
        own = share.c.member_id == self.caller("member_id", Uuid())
        shown = self.shown_to_members(agreement)
        return self._one_shared(share, [*self.share_rows(share, agreement), own, shown])

    def _one_shared(self, share: FromClause, conditions: list[ColumnElement[Any]]) -> Plan:
        member = self.alias(_MEMBER)
        scope = _Scope(member, share.join(member, member.c.id == share.c.member_id), share.c.mask)
        scope.columns += [_recorded(member), share.c.mask]
        shown = self._record(scope, self.projection.record, share)
        statement = select(*scope.columns).select_from(scope.source).where(*conditions)
        return self._plan(statement, f"None if not rows else (lambda r: {shown})(rows[0])")

    def _shared_page(self) -> Plan:
        page = self.projection.page
        assert page is not None  # noqa: S101 - a page root always has one
        share = self.alias(_SHARE)
        source, conditions = self.filtered(share, page.slot)
        total = None
        if page.needs_total:
            total = self.compile(select(func.count()).select_from(source).where(*conditions))
        # The LIMIT stands on `share` alone: joined first, PostgreSQL may walk all members in a merge join.
        keys = select(share.c.subject, share.c.member_id, share.c.mask).select_from(source).where(*conditions)
        keys = self.window(keys, (share.c.subject,), page.slot, newest_first=False)
        window = keys.subquery("page")
        member = self.alias(_MEMBER)
        scope = _Scope(member, window.join(member, member.c.id == window.c.member_id), window.c.mask)
        scope.columns += [_recorded(member), window.c.mask]
        shown = self._page_display(scope, page, (window.c.subject,), window)
        name = self.writer.page(page.slot, shown)
        statement = select(*scope.columns).select_from(scope.source).order_by(window.c.subject)
        rows = self.compile(statement) if page.needs_rows else None
        encode = self.writer.compile("rows, slots, total", f"{name}(rows, slots, total)")
        return Plan(self.projection, rows, total, encode, self.narrowed)

    def _shared_changes(self) -> Plan:
        page = self.projection.page
        assert page is not None  # noqa: S101 - a page root always has one
        window = self.changes(page.slot)
        share, known, member = self.alias(_SHARE), self.alias(_KNOWN), self.alias(_MEMBER)
        # Of a line whose member cannot be seen any more, the record still names her, until she is erased.
        source = (
            window.outerjoin(share, and_(*self.share_rows(share), share.c.subject == window.c.subject))
            .outerjoin(known, known.c.subject == window.c.subject)
            .outerjoin(member, member.c.id == known.c.member_id)
        )
        scope = _Scope(window, source, share.c.mask, member)
        order = (window.c.transaction, window.c.seq)
        scope.columns += [_recorded(member), share.c.mask, window.c.withdrawn, *order]
        at_end = self.shapes[page.slot].end
        name = self.writer.changes(
            page.slot, self._page_display(scope, page, order, share, feed=True), at_end=at_end
        )
        statement = select(*scope.columns).select_from(scope.source).order_by(*order)
        rows = self.compile(self.end_of_feed() if at_end else statement)
        return Plan(
            self.projection,
            rows,
            None,
            self.writer.compile("rows, slots, total", f"{name}(rows, slots, total)"),
        )

    def _plan(self, statement: Select[Any], shown: str) -> Plan:
        encode = self.writer.compile("rows, slots, total", shown)
        return Plan(self.projection, self.compile(statement), None, encode)

    def _required_slot(self) -> int:
        if self.projection.slot is None:
            raise CatalogueError("this root field takes an argument")
        return self.projection.slot

    # -- what is read of each row, as SQL columns and as Python source

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
            case SharedNow():
                return self._shared_now(scope, node, share)
            case _:
                assert_never(node)

    def _scalar(self, scope: _Scope, node: Scalar, share: FromClause | None) -> str:
        stored_in_share = isinstance(node.source, Stored) and node.source.column.table is _SHARE
        owner = share if stored_in_share and share is not None else scope.alias
        value = value_of(owner, node.source)
        if isinstance(value.type, Uuid):
            value = cast(
                value, Text
            )  # an id is shown as text, and PostgreSQL writes it at a tenth of the cost
        if node.guard:
            if scope.mask is None:
                raise GatewayError("a guarded value outside a share")
            value = case((open_in(scope.mask, node.guard), value))
        index = scope.place(value)
        name = converter(value.type, node.returns, getattr(node.source, "name", None))
        read = f"r[{index}]"
        return read if name is None else f"(None if {read} is None else {name}({read}))"

    def _one(self, scope: _Scope, node: One) -> str:
        source = node.source
        other = self.alias(source.child.table)
        on = [other.c[source.child.key] == scope.alias.c[source.parent.key]]
        if source.only is not None:
            on.append(other.c[source.only.key])
        if node.guard:
            if scope.mask is None:
                raise GatewayError("a guarded object outside a share")
            # The guard stands in the join: where it is closed, the row is not read at all.
            on.append(open_in(scope.mask, node.guard))
        scope.source = scope.source.outerjoin(other, and_(*on))
        inner = _Scope(other, scope.source, scope.mask)
        inner.columns = scope.columns
        present = scope.place(other.c[source.child.key])
        shown = self._record(inner, node.children)
        scope.source = inner.source
        return f"(None if r[{present}] is None else {shown})"

    def _shared_now(self, scope: _Scope, node: SharedNow, share: FromClause | None) -> str:
        if scope.member is None or share is None:
            raise GatewayError("a member of the feed outside it")
        inner = _Scope(scope.member, scope.source, scope.mask)
        inner.columns = scope.columns
        present = scope.place(share.c.subject)
        shown = self._record(inner, node.children, share)
        scope.source = inner.source
        return f"(None if r[{present}] is None else {shown})"

    def _many(self, scope: _Scope, node: Many) -> str:
        source, page = node.source, node.page
        table = source.child.table
        total = "None"
        if page.needs_total:
            total = f"r[{scope.place(self._counted(scope, source))}]"
        rows = "()"
        other = self.alias(table)
        inner = _Scope(other, other, None)
        order = [other.c[column.key] for column in source.order]
        shown = self._page_display(inner, page, order, None)
        if page.needs_rows:
            keyed = select(func.row(*(inner.columns or [literal_column("1")]))).select_from(inner.source)
            keyed = keyed.where(self._belongs(scope, other, source, page.slot))
            keyed = self.window(keyed, order, page.slot, newest_first=source.newest_first)
            rows = f"r[{scope.place(func.array(keyed.correlate(scope.alias).scalar_subquery()))}]"
        return f"{self.writer.page(page.slot, shown)}({rows}, slots, {total})"

    def _counted(self, scope: _Scope, source: Related) -> ColumnElement[Any]:
        if source.finder is not None:
            function = getattr(func, f"{source.finder}_count")
            parent = scope.alias.c[source.parent.key]
            counted: ColumnElement[Any] = function(parent, self._now(), type_=BigInteger())
            return counted
        other = self.alias(source.child.table)
        count = select(func.count()).select_from(other).where(self._belongs(scope, other, source))
        return count.scalar_subquery()

    def _belongs(
        self, scope: _Scope, other: FromClause, source: Related, slot: int | None = None
    ) -> ColumnElement[Any]:
        """The rows of one parent; with a finder, those that can stand on the page of `slot`."""
        parent = scope.alias.c[source.parent.key]
        if source.finder is None or slot is None:
            belongs = [other.c[source.child.key] == parent]
            if source.only is not None:
                belongs.append(other.c[source.only.key])
            if source.agreement is not None:
                belongs.append(self.shown_to_members(other.c[source.agreement.key]))
            return and_(*belongs)
        (key,) = source.order
        below = self.position(key, slot, 0) if self.shapes[slot].after else cast(null(), BigInteger())
        found = getattr(func, f"{source.finder}_of")(parent, below, self.limit(slot), self._now())
        # As an array, so that the rows are fetched by their key and in no other way.
        return other.c[key.key] == func.any(
            func.array(select(found).correlate(scope.alias).scalar_subquery())
        )

    def _now(self) -> ColumnElement[Any]:
        return self.bind("now", DateTime(timezone=True), lambda binding: binding.now)

    def _page_display(
        self,
        scope: _Scope,
        page: Page,
        order: Sequence[ColumnElement[Any]],
        share: FromClause | None,
        *,
        feed: bool = False,
    ) -> str:
        """A dict display over `rows`, `more`, `slot` and `total`; where the list is the feed, over `end`."""
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
                    members.append(f"{key!r}: {_page_info(child, cursor, feed=feed)}")
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


def _page_info(info: PageInfo, cursor: str, *, feed: bool) -> str:
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
            case PageField(key=key, name="endCursor") if feed:
                members.append(f"{key!r}: end")
            case PageField(key=key, name="endCursor"):
                members.append(f"{key!r}: (lambda r: {cursor})(rows[-1]) if rows else None")
            case PageField(name=name):
                raise CatalogueError(f"`PageInfo.{name}` is not part of a connection")
            case _:
                assert_never(child)
    return "{" + ", ".join(members) + "}"


def _recorded(member: FromClause) -> ColumnElement[Any]:
    """A member's `log_id` as its 16 bytes: that is all the record needs, and an object costs more to make."""
    return func.uuid_send(member.c.log_id, type_=LargeBinary()).label("log_id")
