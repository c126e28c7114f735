"""What a root resolver is given: the caller, the policy, and the answers of the projections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypeVar, cast
from uuid import UUID

from strawberry import Info

from policies.matrix import Matrix
from policies.principal import Principal
from resolvers.binding import CursorCodec, PageLimits
from resolvers.connection import Link, Transactions
from resolvers.exchange import Exchange
from resolvers.means import Means
from schema.categories import DataCategory
from schema.errors import GatewayError


@dataclass(frozen=True, slots=True)
class Fragment:
    """A finished part of the answer: the executor passes it through as it is."""

    value: Any


@dataclass(frozen=True, slots=True)
class Work:
    """What a command works with. Everything that it does is one transaction, which is not its to end."""

    connection: Link
    matrix: Matrix
    principal: Principal
    now: datetime
    means: Means
    exchange: Exchange
    announced: set[UUID] | None = None
    """Takes the agreements whose feeds have grown, for whoever commits to wake those who follow them; None:
    the commit does that."""


T = TypeVar("T")

Command: TypeAlias = Callable[[Work], Awaitable[T]]
Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The context value of one execution."""

    principal: Principal
    contract_mask: int
    """What the caller's contract opens of a member; 0 for all but partners."""
    matrix: Matrix
    fragment: Callable[[Path], Awaitable[Any]]
    """The finished value of the projection at this response path."""
    perform: Callable[[Command[Any]], Awaitable[Any]]
    """Runs a command: one transaction, committed when it returns and rolled back when it raises."""
    perform_long: Callable[[Callable[[Transactions], Awaitable[Any]]], Awaitable[Any]]
    """Runs an officer's operation of several transactions, each of which leaves things right."""
    means: Means
    exchange: Exchange
    disclose: Callable[[Sequence[UUID], int], None]
    """Note that a partner's answer tells of pairwise ids: the members by `log_id`, and how many ids."""
    afterwards: Callable[[Command[None]], None]
    """Run a command once the answer has been released, and before it leaves."""
    cursors: CursorCodec
    pages: PageLimits
    disclose_categories: Callable[[Iterable[UUID], Iterable[DataCategory]], None]
    """Note what an answer that is no projection tells a partner: of which members (by `log_id`), and which
    categories. It is recorded before the answer leaves (R2)."""


def context_of(info: Info[Any, Any]) -> RequestContext:
    """The context of this execution.

    Raises:
        GatewayError: the schema is executed without one, which no path of ours does.
    """
    if not isinstance(info.context, RequestContext):
        raise GatewayError("this field is executed without a request context")
    return info.context


async def projected_root(info: Info[Any, Any]) -> Any:
    """The answer of the projection that stands for this field."""
    value = await context_of(info).fragment(tuple(str(key) for key in info.path.as_list()))
    return None if value is None else cast("Any", Fragment(value))
