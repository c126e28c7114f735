"""What a root resolver is given: the caller, the policy, and the answers of the projections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from strawberry import Info

from policies.matrix import Matrix
from policies.principal import Principal
from schema.errors import GatewayError


@dataclass(frozen=True, slots=True)
class Fragment:
    """A finished part of the answer: the executor passes it through as it is."""

    value: Any


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The context value of one execution."""

    principal: Principal
    contract_mask: int
    """What the caller's contract opens of a member; 0 for all but partners."""
    matrix: Matrix
    fragment: Callable[[str], Awaitable[Any]]
    """The finished value of the projected root with this response key."""


def context_of(info: Info[Any, Any]) -> RequestContext:
    """The context of this execution.

    Raises:
        GatewayError: the schema is executed without one, which no path of ours does.
    """
    if not isinstance(info.context, RequestContext):
        raise GatewayError("this field is executed without a request context")
    return info.context


async def projected_root(info: Info[Any, Any]) -> Any:
    """The answer of the projection that stands for this root field."""
    value = await context_of(info).fragment(str(info.path.key))
    return None if value is None else cast("Any", Fragment(value))
