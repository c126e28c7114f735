"""Commands of a member on the own profile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from strawberry import Info

from resolvers.commands.choosing import choose
from resolvers.commands.correction import correct_profile, set_primary_address
from resolvers.context import Work, context_of, projected_root
from schema.catalogue import RootKind, root, structural
from schema.categories import Audience
from schema.errors import FieldErrors
from schema.types.commands import (
    ChooseInput,
    CorrectProfileInput,
    FieldErrorType,
    SetPrimaryAddressInput,
    profile_payload,
)
from schema.types.member import MemberType
from schema.vocabulary import ChoiceSource


async def _me(info: Info[Any, Any]) -> Any:
    return await projected_root(info)


@strawberry.type(name="ProfilePayload", description="What came of a command on the own profile.")
class ProfilePayload:
    """Findings, or none; and the member as it stands after the commit."""

    errors: list[FieldErrorType] = structural("Why the command was refused; empty when it was done.")
    me: MemberType | None = profile_payload(_me)


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


async def _correct_profile(info: Info[Any, Any], input: CorrectProfileInput) -> Any:  # noqa: A002
    return await _performed(info, lambda work: correct_profile(work, _given(input)))


async def _set_primary_address(info: Info[Any, Any], input: SetPrimaryAddressInput) -> Any:  # noqa: A002
    return await _performed(info, lambda work: set_primary_address(work, _given(input)))


async def _choose(info: Info[Any, Any], input: ChooseInput) -> Any:  # noqa: A002
    return await _performed(info, lambda work: choose(work, _given(input), ChoiceSource.PROFILE_PAGE))


@strawberry.type
class ProfileMutation:
    """What a member may change."""

    correct_profile: ProfilePayload = root(
        RootKind.COMMAND,
        Audience.MEMBER,
        description="Correct your names, user name or interests (C13).",
        resolver=_correct_profile,
    )
    set_primary_address: ProfilePayload = root(
        RootKind.COMMAND,
        Audience.MEMBER,
        description="Put another postal address in place of the primary one (C13).",
        resolver=_set_primary_address,
    )
    choose: ProfilePayload = root(
        RootKind.COMMAND,
        Audience.MEMBER,
        description="Opt in or out, as a whole or for a partner, a purpose or data categories (C9, C11).",
        resolver=_choose,
    )
