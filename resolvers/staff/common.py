"""What the root fields of officers have in common: a desk, a page, a payload with findings.

INVARIANT (cut-by-act): each root field names the act that it does, so that a contract shows to an officer
what her roles may do and nothing else; the operation below asks again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import strawberry
from strawberry import Info

from policies.officers import Act
from policies.principal import OfficerPrincipal, Principal
from resolvers.connection import Transactions
from resolvers.context import Work, context_of
from resolvers.desk import Desk, LongDesk
from resolvers.mutations.payload import field_errors
from schema.catalogue import RootKind, root
from schema.categories import Audience
from schema.errors import (
    CursorError,
    FieldErrors,
    ForbiddenError,
    InputError,
    NotFoundError,
)
from schema.ids import parse_uuid
from schema.types.commands import FieldErrorType
from schema.types.staff.common import Page

T = TypeVar("T")
Node = TypeVar("Node")
Payload = TypeVar("Payload")

Operation: TypeAlias = Callable[[Desk], Awaitable[T]]


def asks(act: Act, description: str, resolver: Any, kind: RootKind = RootKind.PLAIN) -> Any:
    """A root field that an officer reads by this act."""
    return root(kind, Audience.OFFICER, description=description, resolver=resolver, act=act.value)


def does(act: Act, description: str, resolver: Any) -> Any:
    """A command that is this act."""
    return root(RootKind.COMMAND, Audience.OFFICER, description=description, resolver=resolver, act=act.value)


def officer_of(principal: Principal) -> OfficerPrincipal:
    """The officer who asks.

    Raises:
        ForbiddenError: it is none.
    """
    if not isinstance(principal, OfficerPrincipal):
        raise ForbiddenError("only an officer may ask this")
    return principal


def desk_of(work: Work) -> Desk:
    """The desk of the officer who asks, in the transaction of `work`."""
    return Desk(work.connection, officer_of(work.principal).officer, work.now, lambda: work.matrix)


async def at_desk(info: Info[Any, Any], operation: Operation[T]) -> T:
    """What an operation gives, once it has been committed with its line."""
    result: T = await context_of(info).perform(lambda work: operation(desk_of(work)))
    return result


async def at_long_desk(info: Info[Any, Any], operation: Callable[[LongDesk], Awaitable[T]]) -> T:
    """What an operation of several transactions gives, once all of them have been committed."""
    context = context_of(info)
    officer = officer_of(context.principal).officer

    async def run(transactions: Transactions) -> T:
        return await operation(LongDesk(transactions, officer, context.means.clock, lambda: context.matrix))

    result: T = await context.perform_long(run)
    return result


async def concluded(payload: Callable[..., Payload], steps: Awaitable[Mapping[str, Any]]) -> Payload:
    """The payload of a command once its steps are done: with what they give, or what refused them."""
    try:
        shown = await steps
    except FieldErrors as refused:
        return payload(errors=field_errors(refused))
    except (InputError, NotFoundError, ForbiddenError) as refused:
        return payload(errors=[FieldErrorType(path=[], code=refused.code, message=str(refused))])
    return payload(errors=[], **shown)


def shown_as(kind: type[Node], view: object, **other: Any) -> Node:
    """The GraphQL object of this kind that shows a view: what is not given has the same name there."""
    names = (field.name for field in fields(kind) if field.name not in other)  # type: ignore[arg-type]
    return kind(**{name: _written(getattr(view, name)) for name in names}, **other)


def _written(value: Any) -> Any:
    """A value of a view as GraphQL's types have it."""
    match value:
        case UUID():
            return strawberry.ID(str(value))
        case tuple() | frozenset():
            return list(value)
        case _:
            return value


def id_of(text: str, what: str) -> UUID:
    """An id as it was given.

    Raises:
        InputError: it is none.
    """
    parsed = parse_uuid(text)
    if parsed is None:
        raise InputError(f"`{what}` is not an id: pass one that you were given here")
    return parsed


@dataclass(frozen=True, slots=True)
class Paging:
    """How much of a list is wanted, and from where on."""

    size: int
    position: Sequence[str] | None
    scope: bytes
    info: Info[Any, Any]

    def number(self) -> int | None:
        """The cursor as the number of a record."""
        if self.position is None:
            return None
        if len(self.position) != 1 or not self.position[0].isdecimal():
            raise CursorError("`after` is not a cursor of this list: pass an `endCursor` you were given")
        return int(self.position[0])

    def page(
        self, found: Sequence[T], show: Callable[[T], Node], place: Callable[[T], tuple[Any, ...]]
    ) -> Page[Node]:
        """The page of what was found, of which one more was asked for than is shown."""
        shown = found[: self.size]
        cursors = context_of(self.info).cursors
        end = cursors.encode(self.scope, place(shown[-1])) if shown else None
        return Page(
            nodes=[show(each) for each in shown], end_cursor=end, has_next_page=len(found) > self.size
        )


def paging(info: Info[Any, Any], first: int | None, after: str | None, *, of: object) -> Paging:
    """The page that is asked for. A cursor counts for this officer, this list and this search (`of`) alone.

    Raises:
        PageSizeError: `first` is out of bounds.
        CursorError: `after` is no cursor of this list.
    """
    context = context_of(info)
    officer = officer_of(context.principal)
    scope = b"\x1f".join((officer.officer_id.bytes, info.field_name.encode(), repr(of).encode()))
    size = context.pages.size(first if isinstance(first, int) else None)
    position = context.cursors.decode(scope, after) if isinstance(after, str) else None
    return Paging(size, position, scope, info)
