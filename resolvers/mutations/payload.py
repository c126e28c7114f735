"""What every command has in common: one input, one transaction, one payload."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import strawberry
from strawberry import Info

from resolvers.context import Work, context_of, projected_root
from resolvers.idempotency import perform_once
from schema.catalogue import RootKind, root, structural
from schema.categories import Audience
from schema.errors import FieldErrors
from schema.types.commands import FieldErrorType, profile_payload
from schema.types.member import MemberType

Payload = TypeVar("Payload")

Run: TypeAlias = Callable[[Work, Mapping[str, Any]], Awaitable[None]]
"""A command of `resolvers.commands`; what the caller stated comes by name, in the spelling of columns."""


async def _me(info: Info[Any, Any]) -> Any:
    return await projected_root(info)


@strawberry.type(name="ProfilePayload", description="What came of a command on the own profile.")
class ProfilePayload:
    """Findings, or none; and the member as it stands after the commit."""

    errors: list[FieldErrorType] = structural("Why the command was refused; empty when it was done.")
    me: MemberType | None = profile_payload(_me)


@strawberry.type(name="CommandPayload", description="What came of a command.")
class CommandPayload:
    """Findings, or none."""

    errors: list[FieldErrorType] = structural("Why the command was refused; empty when it was done.")


def member_command(run: Run, submitted: type, description: str) -> Any:
    """The root field of a member's command that takes `submitted` as its `input`, and is one step."""

    async def resolve(info: Info[Any, Any], input: Any) -> Any:  # noqa: A002 - the GraphQL name
        given = stated(input)
        done = perform_once(context_of(info), path_of(info), input, lambda work: run(work, given))
        return await concluded(ProfilePayload, done)

    resolve.__annotations__["input"] = submitted
    return root(RootKind.COMMAND, Audience.MEMBER, description=description, resolver=resolve)


async def concluded(payload: Callable[..., Payload], steps: Awaitable[None]) -> Payload:
    """The payload of a command once its steps are done: with the findings that stopped them, or with none."""
    try:
        await steps
    except FieldErrors as refused:
        return payload(errors=field_errors(refused))
    return payload(errors=[])


def field_errors(refused: FieldErrors) -> list[FieldErrorType]:
    """Findings, as payloads hold them."""
    return [FieldErrorType(path=list(p.path), code=p.code, message=p.message) for p in refused.problems]


def path_of(info: Info[Any, Any]) -> str:
    """The response path of a command: what tells it from others in the same request."""
    return "/".join(str(key) for key in info.path.as_list())


def stated(submitted: Any) -> dict[str, Any]:
    """What the caller stated, by name; a field that was left out is absent, one that is null is None."""
    return {name: value for name, value in vars(submitted).items() if value is not strawberry.UNSET}
