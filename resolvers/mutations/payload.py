"""What every command on the own profile has in common: one input, one transaction, one payload."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import strawberry
from strawberry import Info

from resolvers.context import Work, context_of, projected_root
from schema.catalogue import RootKind, root, structural
from schema.categories import Audience
from schema.errors import FieldErrors
from schema.types.commands import FieldErrorType, profile_payload
from schema.types.member import MemberType

Run: TypeAlias = Callable[[Work, Mapping[str, Any]], Awaitable[None]]
"""A command of `resolvers.commands`; what the caller stated comes by name, in the spelling of columns."""


async def _me(info: Info[Any, Any]) -> Any:
    return await projected_root(info)


@strawberry.type(name="ProfilePayload", description="What came of a command on the own profile.")
class ProfilePayload:
    """Findings, or none; and the member as it stands after the commit."""

    errors: list[FieldErrorType] = structural("Why the command was refused; empty when it was done.")
    me: MemberType | None = profile_payload(_me)


def member_command(run: Run, submitted: type, description: str) -> Any:
    """The root field of a member's command that takes `submitted` as its `input`."""

    async def resolve(info: Info[Any, Any], input: Any) -> Any:  # noqa: A002 - the GraphQL name
        return await _performed(info, lambda work: run(work, _given(input)))

    resolve.__annotations__["input"] = submitted
    return root(RootKind.COMMAND, Audience.MEMBER, description=description, resolver=resolve)


async def _performed(info: Info[Any, Any], command: Callable[[Work], Awaitable[None]]) -> Any:
    """Run a command and put its findings into the payload; every other error is the request's."""
    try:
        await context_of(info).perform(command)
    except FieldErrors as refused:
        return ProfilePayload(
            errors=[
                FieldErrorType(path=list(p.path), code=p.code, message=p.message) for p in refused.problems
            ]
        )
    return ProfilePayload(errors=[])


def _given(submitted: Any) -> dict[str, Any]:
    """What the caller stated, by name; a field that was left out is absent, one that is null is None."""
    return {name: value for name, value in vars(submitted).items() if value is not strawberry.UNSET}
