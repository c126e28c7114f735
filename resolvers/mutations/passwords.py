"""Changing a password, and setting one by a mailed link. Rules and hashes between two transactions each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry import Info

from policies.passwords import password_problems
from policies.principal import MemberPrincipal
from resolvers.commands.password_changes import (
    Resetter,
    change_password,
    count_reset,
    find_resetter,
    own_data,
    request_reset,
    reset_password,
)
from resolvers.context import RequestContext, context_of
from resolvers.idempotency import perform_once, was_done
from resolvers.mutations.payload import CommandPayload, concluded, path_of
from resolvers.pace import even_time
from resolvers.reauthentication import require_password
from resolvers.tokens import TokenUse
from schema.catalogue import RootKind, root
from schema.categories import Audience
from schema.errors import FieldErrors, FieldProblem, ForbiddenError, ThrottledError
from schema.types.sessions import ChangePasswordInput, RequestPasswordResetInput, ResetPasswordInput


async def _change_password(
    info: Info[Any, Any],
    input: ChangePasswordInput,  # noqa: A002 - the GraphQL name
) -> CommandPayload:
    return await concluded(CommandPayload, _changed(context_of(info), path_of(info), input))


async def _changed(context: RequestContext, path: str, asked: ChangePasswordInput) -> None:
    principal = context.principal
    if not isinstance(principal, MemberPrincipal):
        raise ForbiddenError("only a member has a password")
    if await was_done(context, path, asked):
        return
    verified = await require_password(context, asked.current_password, "currentPassword")
    own = await context.perform(lambda work: own_data(work, principal.member_id))
    new_hash = await _hashed(context, asked.new_password, own)
    await perform_once(context, path, asked, lambda work: change_password(work, verified, new_hash))
    await context.means.hear()


async def _request_reset(
    info: Info[Any, Any],
    input: RequestPasswordResetInput,  # noqa: A002 - the GraphQL name
) -> CommandPayload:
    """The same answer whatever comes of it, also of asking too often."""
    context = context_of(info)
    async with even_time(context.means.rules.answer_floor):
        try:
            await context.perform(lambda work: count_reset(work, input.email))
        except ThrottledError:
            return CommandPayload(errors=[])
        await context.perform(lambda work: request_reset(work, input.email))
    return CommandPayload(errors=[])


async def _reset_password(
    info: Info[Any, Any],
    input: ResetPasswordInput,  # noqa: A002 - the GraphQL name
) -> CommandPayload:
    return await concluded(CommandPayload, _reset(context_of(info), path_of(info), input))


async def _reset(context: RequestContext, path: str, asked: ResetPasswordInput) -> None:
    """The rules are checked while the link still works: a password that is refused costs no second mail."""
    # Everything asked is sealed: the link, whose name is not, tells one command from another.
    name = context.means.tokens.open(TokenUse.LINK, asked.token)
    path = f"{path} {'' if name is None else name.hex()}"
    if await was_done(context, path, asked):
        return
    resetter: Resetter = await context.perform(lambda work: find_resetter(work, asked.token))
    new_hash = await _hashed(context, asked.new_password, resetter.own)
    await perform_once(context, path, asked, lambda work: reset_password(work, asked.token, new_hash))
    await context.means.hear()


async def _hashed(context: RequestContext, password: str, own: Sequence[str]) -> str:
    """The hash of a password that may be chosen; the estimate is computed in a thread, as the hash is.

    Raises:
        FieldErrors: it may not.
        UnavailableError: too many passwords are being hashed.
    """
    problem = await asyncio.to_thread(password_problems, password, own)
    if problem is not None:
        raise FieldErrors([FieldProblem(("newPassword",), *problem)])
    return await context.means.passwords.hash(password)


@strawberry.type
class PasswordMutation:
    """What becomes of a password."""

    change_password: CommandPayload = root(
        RootKind.COMMAND,
        Audience.MEMBER,
        description="Change your password (C14). Every other session ends.",
        resolver=_change_password,
    )
    request_password_reset: CommandPayload = root(
        RootKind.COMMAND,
        Audience.VISITOR,
        Audience.MEMBER,
        description="Have a link mailed that sets a password. The answer is the same for every address.",
        resolver=_request_reset,
    )
    reset_password: CommandPayload = root(
        RootKind.COMMAND,
        Audience.VISITOR,
        Audience.MEMBER,
        description="Set a password by the link that was mailed. Every session ends.",
        resolver=_reset_password,
    )
