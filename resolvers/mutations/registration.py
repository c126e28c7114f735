"""Commands of those who come in: registering, following a mailed link, another e-mail address, completing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

import strawberry
from strawberry import Info

from resolvers.commands.completion import complete_registration
from resolvers.commands.confirmation import Claim, find_claim, follow
from resolvers.commands.correction import Checks
from resolvers.commands.email_change import admit_change, request_change
from resolvers.commands.registration import admit, check_username_is_free, register
from resolvers.commands.registration_checks import check_registration
from resolvers.context import RequestContext, context_of
from resolvers.idempotency import perform_once, was_done
from resolvers.mutations.payload import (
    CommandPayload,
    ProfilePayload,
    concluded,
    member_command,
    path_of,
    stated,
)
from resolvers.pace import even_time
from resolvers.reauthentication import require_password
from schema.catalogue import RootKind, root
from schema.categories import Audience
from schema.errors import FieldErrors, FieldProblem
from schema.types.registration import (
    CompleteRegistrationInput,
    FollowLinkInput,
    RegisterInput,
    RequestEmailChangeInput,
)


async def _register(info: Info[Any, Any], input: RegisterInput) -> CommandPayload:  # noqa: A002 - GraphQL's
    context = context_of(info)
    async with even_time(context.means.rules.answer_floor):
        return await concluded(CommandPayload, _register_once(context, path_of(info), input))


async def _register_once(context: RequestContext, path: str, asked: RegisterInput) -> None:
    if await was_done(context, path, asked):
        return
    given = _plain(asked)
    now = await context.perform(lambda work: admit(work, given))
    checks = Checks(None)
    # In a thread, as the hash is: how guessable a password is takes long to estimate.
    registration = await asyncio.to_thread(check_registration, checks, given, now)
    if checks.problems:
        username = registration.member["username"]
        await context.perform(lambda work: check_username_is_free(work, username, checks))
        checks.done()
    # Also for an address that is a member's: the same work, whatever comes of it.
    password_hash = await context.means.passwords.hash(given["password"])
    await perform_once(context, path, asked, lambda work: register(work, registration, password_hash))


async def _request_email_change(
    info: Info[Any, Any],
    input: RequestEmailChangeInput,  # noqa: A002 - the GraphQL name
) -> ProfilePayload:
    context = context_of(info)
    async with even_time(context.means.rules.answer_floor):
        return await concluded(ProfilePayload, _request_change_once(context, path_of(info), input))


async def _request_change_once(context: RequestContext, path: str, asked: RequestEmailChangeInput) -> None:
    if await was_done(context, path, asked):
        return
    given = stated(asked)
    verified = await require_password(context, given["password"], "password")
    await context.perform(lambda work: admit_change(work, given))
    await perform_once(context, path, asked, lambda work: request_change(work, given, verified))


async def _follow_link(
    info: Info[Any, Any],
    input: FollowLinkInput,  # noqa: A002 - the GraphQL name
) -> CommandPayload:
    return await concluded(CommandPayload, _follow_once(context_of(info), path_of(info), input))


async def _follow_once(context: RequestContext, path: str, asked: FollowLinkInput) -> None:
    given = stated(asked)
    vouched = await _vouched(context, given)
    await perform_once(context, path, asked, lambda work: follow(work, given, vouched))


async def _vouched(context: RequestContext, given: Mapping[str, Any]) -> Claim | None:
    """The registration whose password was given with its link; None if there was none to give.

    Raises:
        FieldErrors: it is another password.
    """
    password = given.get("password")
    if not password:
        return None
    claim: Claim | None = await context.perform(lambda work: find_claim(work, given["token"]))
    if claim is None:
        return None
    verdict = await context.means.passwords.verify(claim.password_hash, password)
    if not verdict.fits:
        message = "that is not the password that you registered with: try again, or register again"
        raise FieldErrors([FieldProblem(("password",), "WRONG_PASSWORD", message)])
    return claim


def _plain(submitted: Any) -> Any:
    """What the caller stated, by name, in inputs inside this one as well."""
    if is_dataclass(submitted):
        return {name: _plain(value) for name, value in stated(submitted).items()}
    return [_plain(value) for value in submitted] if isinstance(submitted, list) else submitted


@strawberry.type
class RegistrationMutation:
    """The ways in."""

    register: CommandPayload = root(
        RootKind.COMMAND,
        Audience.VISITOR,
        description="Register (C1). You are a member once you have followed the link that is mailed to you.",
        resolver=_register,
    )
    follow_link: CommandPayload = root(
        RootKind.COMMAND,
        Audience.VISITOR,
        Audience.MEMBER,
        description="Follow a link that we mailed: what it is for is done.",
        resolver=_follow_link,
    )
    request_email_change: ProfilePayload = root(
        RootKind.COMMAND,
        Audience.MEMBER,
        description="Take another e-mail address (C13): it counts once you followed the link mailed there.",
        resolver=_request_email_change,
    )
    complete_registration: ProfilePayload = member_command(
        complete_registration,
        CompleteRegistrationInput,
        "Complete the registration that an invitation began (C1).",
    )
