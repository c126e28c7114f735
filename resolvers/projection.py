"""From selected fields to a projection: which sources are read, under which guards.

In: a `Selected` root and the catalogue. Out: a tree of nodes that names only what the catalogue knows.
`statement.py` turns it into SQL and `encoder.py` into the function that builds the answer.

INVARIANT (guarded-by-category): below a root that reads `share`, every node whose category has a
share bit carries that bit as its guard, so that its value is not even fetched where the bit is not set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from sqlalchemy import Table

from resolvers.selection import Selected
from schema.catalogue import Catalogue, Computed, Derived, Related, Root, RootKind, Stored, Structural
from schema.categories import SHARE_BITS, DataCategory
from schema.errors import CatalogueError
from schema.tables import Share

_SHARE: Final[Table] = Share.__table__  # type: ignore[attr-defined]

SHARED_KINDS = frozenset(
    {RootKind.SHARED_PAGE, RootKind.SHARED_CHANGES, RootKind.SHARED_ONE, RootKind.PREVIEW}
)
"""The roots that read members through `share`."""

_PAGES = frozenset({RootKind.SHARED_PAGE, RootKind.SHARED_CHANGES})


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value. `guard` is a share mask, or 0 where nothing guards."""

    key: str
    source: Stored | Derived
    guard: int
    returns: str


@dataclass(frozen=True, slots=True)
class Typename:
    """`__typename`."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class One:
    """An object in another table, or null."""

    key: str
    source: Related
    guard: int
    children: tuple[RecordNode, ...]


@dataclass(frozen=True, slots=True)
class SharedNow:
    """The member of a line of the feed, as `share` opens her now, or null."""

    key: str
    children: tuple[RecordNode, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """`cursor` of an edge."""

    key: str


@dataclass(frozen=True, slots=True)
class Node:
    """`node` of an edge."""

    key: str
    record: tuple[RecordNode, ...]


@dataclass(frozen=True, slots=True)
class Edges:
    """`edges`, and what is selected of each edge."""

    key: str
    children: tuple[Cursor | Node | Typename, ...]


@dataclass(frozen=True, slots=True)
class PageField:
    """One entry of `pageInfo`."""

    key: str
    name: str

    @property
    def is_cursor(self) -> bool:
        """Whether the entry is a cursor."""
        return self.name in {"startCursor", "endCursor"}


@dataclass(frozen=True, slots=True)
class PageInfo:
    """`pageInfo`, and what is selected of it."""

    key: str
    children: tuple[PageField | Typename, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """`totalCount`."""

    key: str


PageNode: TypeAlias = Edges | PageInfo | Total | Typename


@dataclass(frozen=True, slots=True)
class Page:
    """What is selected of a connection."""

    slot: int
    children: tuple[PageNode, ...]

    @property
    def needs_rows(self) -> bool:
        """Whether any row has to be fetched."""
        return any(isinstance(child, Edges | PageInfo) for child in self.children)

    @property
    def needs_total(self) -> bool:
        """Whether the whole list has to be counted."""
        return any(isinstance(child, Total) for child in self.children)

    @property
    def needs_cursors(self) -> bool:
        """Whether rows must carry the columns of their cursor."""
        return any(
            isinstance(below, Cursor) or (isinstance(below, PageField) and below.is_cursor)
            for child in self.children
            if isinstance(child, Edges | PageInfo)
            for below in child.children
        )


@dataclass(frozen=True, slots=True)
class Many:
    """A connection to the rows of another table."""

    key: str
    source: Related
    page: Page


RecordNode: TypeAlias = Scalar | Typename | One | Many | SharedNow


@dataclass(frozen=True, slots=True)
class Projection:
    """A root field: how its rows are found, and what is read of them: of a page or of one record."""

    key: str
    kind: RootKind
    slot: int | None
    record: tuple[RecordNode, ...]
    page: Page | None
    lists: tuple[tuple[int, str], ...]
    """Of each connection, the slot of its arguments and its coordinate (`Type.field`)."""
    mask: int
    """The guards of everything that is read."""


def root_kind(catalogue: Catalogue, selected: Selected) -> RootKind:
    """How the rows of a root field are found; graphql-core's own fields are PLAIN."""
    if selected.name.startswith("__"):
        return RootKind.PLAIN
    source = catalogue.source(selected.parent, selected.name)
    if not isinstance(source, Root):
        raise CatalogueError(f"`{selected.parent}.{selected.name}` is not declared as a root")
    return source.kind


def projected_fields(
    catalogue: Catalogue, roots: Iterable[Selected]
) -> Iterator[tuple[tuple[str, ...], Selected]]:
    """Every field that is answered by a projection, with its response path: roots, and parts of payloads."""
    for selected in roots:
        kind = root_kind(catalogue, selected)
        if kind is RootKind.COMMAND:
            for child in selected.children:
                if child.name.startswith("__"):
                    continue
                source = catalogue.source(child.parent, child.name)
                if isinstance(source, Root) and source.kind is not RootKind.PLAIN:
                    yield (selected.key, child.key), child
        elif kind is not RootKind.PLAIN:
            yield (selected.key,), selected


def project(catalogue: Catalogue, selected: Selected) -> Projection:
    """The projection of a root field that is not PLAIN."""
    return _Projecting(catalogue, root_kind(catalogue, selected)).root(selected)


class _Projecting:
    def __init__(self, catalogue: Catalogue, kind: RootKind) -> None:
        self.catalogue = catalogue
        self.kind = kind
        self.guarded = kind in SHARED_KINDS
        self.lists: list[tuple[int, str]] = []
        self.mask = 0

    def root(self, selected: Selected) -> Projection:
        page = self._page(selected) if self.kind in _PAGES else None
        record = () if page is not None else self._record(selected.children)
        return Projection(selected.key, self.kind, selected.slot, record, page, tuple(self.lists), self.mask)

    def _record(self, selection: tuple[Selected, ...]) -> tuple[RecordNode, ...]:
        return tuple(self._node(selected) for selected in selection)

    def _node(self, selected: Selected) -> RecordNode:
        if selected.name == "__typename":
            return Typename(selected.key, selected.parent)
        source = self.catalogue.source(selected.parent, selected.name)
        category = self.catalogue.category(selected.parent, selected.name)
        guard = self._guard(category)
        self.mask |= guard
        match source:
            case Stored() | Derived():
                return Scalar(selected.key, source, guard, selected.returns)
            case Related() if self.kind is RootKind.SHARED_CHANGES and source.child.table is _SHARE:
                return SharedNow(selected.key, self._record(selected.children))
            case Related(many=True) if self.guarded:
                raise CatalogueError(f"`{selected.parent}.{selected.name}`: a shared member has no lists")
            case Related(many=True):
                return Many(selected.key, source, self._page(selected))
            case Related():
                return One(selected.key, source, guard, self._record(selected.children))
            case Structural() | Computed() | Root():
                raise CatalogueError(f"`{selected.parent}.{selected.name}` is not part of a record")
            case _:
                assert_never(source)

    def _guard(self, category: DataCategory) -> int:
        """The guard of a category below this root. A category that no mask can hold is unreadable there."""
        if not self.guarded or category in {DataCategory.PSEUDONYM, DataCategory.OPERATIONS}:
            return 0
        bit = SHARE_BITS.get(category)
        if bit is None:
            raise CatalogueError(f"`{category}` has no share bit: it cannot be shared")
        return 1 << bit

    def _page(self, selected: Selected) -> Page:
        assert selected.slot is not None  # noqa: S101 - every connection takes arguments
        self.lists.append((selected.slot, f"{selected.parent}.{selected.name}"))
        return Page(selected.slot, tuple(self._page_node(child) for child in selected.children))

    def _page_node(self, selected: Selected) -> PageNode:
        match selected.name:
            case "__typename":
                return Typename(selected.key, selected.parent)
            case "totalCount":
                return Total(selected.key)
            case "pageInfo":
                return PageInfo(selected.key, tuple(_page_field(child) for child in selected.children))
            case "edges":
                return Edges(selected.key, tuple(self._edge_node(child) for child in selected.children))
            case _:
                raise CatalogueError(f"`{selected.parent}.{selected.name}` is not part of a connection")

    def _edge_node(self, selected: Selected) -> Cursor | Node | Typename:
        match selected.name:
            case "__typename":
                return Typename(selected.key, selected.parent)
            case "cursor":
                return Cursor(selected.key)
            case _:
                return Node(selected.key, self._record(selected.children))


def _page_field(selected: Selected) -> PageField | Typename:
    if selected.name == "__typename":
        return Typename(selected.key, selected.parent)
    return PageField(selected.key, selected.name)
