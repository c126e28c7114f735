"""What a prepared statement is given when it runs: the caller, the clock, the arguments of each slot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

import orjson

from policies.age import age_date
from schema.errors import CursorError, FilterSizeError, PageSizeError
from schema.ids import parse_uuid


class CursorCodec(Protocol):
    """Makes and opens cursors. `scope` binds one to its caller, list and filter."""

    def encode(self, scope: bytes, position: Sequence[Any]) -> str:
        """The opaque cursor of a position."""

    def decode(self, scope: bytes, cursor: str) -> list[Any]:
        """The position, or CursorError."""


@dataclass(frozen=True, slots=True)
class PageLimits:
    """How large a page may be, and how large it is when the caller does not say."""

    default: int
    largest: int
    values: int = 100
    """How many values one list of a filter may hold."""

    def size(self, first: int | None) -> int:
        """The page size for the argument `first`.

        Raises:
            PageSizeError: negative, or above the largest.
        """
        if first is None:
            return self.default
        if not 0 <= first <= self.largest:
            raise PageSizeError(f"`first` must be between 0 and {self.largest}: ask for smaller pages")
        return first

    def check_filter(self, where: Mapping[str, Any] | None) -> None:
        """Admit a filter.

        Raises:
            FilterSizeError: one of its lists holds too many values.
        """
        for name, given in (where or {}).items():
            if isinstance(given, list) and len(given) > self.values:
                raise FilterSizeError(f"`{name}` may hold {self.values} values: ask several times")


BEGINNING: Final = (0, 0)
"""Before the first line of the feed: no transaction has the number 0."""


@dataclass(slots=True)
class SlotValues:
    """The coerced arguments of one slot, and its page's cursors.

    `list_of` names its list: an id of the caller's, and where in the schema it stands.
    """

    arguments: Mapping[str, Any]
    first: int = 0
    list_of: tuple[Any, str] = (None, "")
    position: list[Any] | None = None
    codec: CursorCodec | None = None
    end: str | None = None
    """Of a page of the feed that has been encoded: where it ends."""
    _scope: bytes = field(default=b"", init=False, repr=False)

    @property
    def after(self) -> bool:
        """Whether the page was reached by a cursor."""
        return self.position is not None

    def cursor(self, *position: Any) -> str:
        """The cursor of a row whose ordering columns hold `position`."""
        assert self.codec is not None  # noqa: S101 - set for every connection
        if not self._scope:
            self._scope = self.scope()
        return self.codec.encode(self._scope, position)

    def scope(self) -> bytes:
        """What its cursors are bound to: the caller, the list, and the filter."""
        (owner, coordinate), where = self.list_of, self.arguments.get("where")
        filtered = b"" if not where else orjson.dumps(where, default=str, option=orjson.OPT_SORT_KEYS)
        return b"\x1f".join((str(owner).encode(), coordinate.encode(), filtered))

    def unmoved(self) -> str:
        """The cursor by which an empty page of the feed was reached, or of the feed's beginning."""
        return self.cursor(*(self.position or BEGINNING))


@dataclass(slots=True)
class Binding:
    """Everything that parameters are taken from, for one request."""

    caller: Mapping[str, Any]
    now: datetime
    slots: list[SlotValues]

    @property
    def today(self) -> date:
        """The date by which ages are counted."""
        return age_date(self.now)


Parameter: TypeAlias = Callable[[Binding], Any]
"""How one `$n` of a statement is filled."""


def position_value(binding: Binding, slot: int, index: int, python_type: type) -> Any:
    """One ordering column of the cursor passed as `after`.

    Raises:
        CursorError: the cursor does not hold what this list is ordered by.
    """
    position = binding.slots[slot].position
    if position is None or index >= len(position) or not isinstance(position[index], str):
        raise CursorError("`after` is not a cursor of this list: pass an `endCursor` you were given for it")
    text = position[index]
    try:
        if python_type is UUID:
            value = parse_uuid(text)
            if value is not None:
                return value
        elif python_type is datetime:
            return datetime.fromisoformat(text)
        elif python_type is int and text.isdecimal():
            return int(text)
    except ValueError:
        pass
    raise CursorError("`after` is not a cursor of this list: pass an `endCursor` you were given for it")
