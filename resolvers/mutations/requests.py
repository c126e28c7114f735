"""Commands by which members and visitors ask something of the company, and by which a member leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from strawberry import Info

from resolvers.commands.erasure import close_account, erasure_date
from resolvers.commands.requests import (
    cancel_request,
    contact,
    count_contact,
    request_access,
    request_correction,
)
from resolvers.context import RequestContext, Work, context_of
from resolvers.idempotency import once, perform_once, was_done
from resolvers.mutations.payload import (
    CommandPayload,
    ProfilePayload,
    concluded,
    field_errors,
    member_command,
    path_of,
    stated,
)
from resolvers.mutations.sessions import remove_cookie
from resolvers.reauthentication import require_password
from schema.catalogue import RootKind, root
from schema.categories import Audience
from schema.errors import FieldErrors
from schema.types.request_commands import (
    CancelRequestInput,
    ContactInput,
    EraseAccountInput,
    EraseAccountPayload,
    RequestAccessInput,
    RequestCorrectionInput,
)


async def _contact(info: Info[Any, Any], input: ContactInput) -> CommandPayload:  # noqa: A002 - the GraphQL name
    return await concluded(CommandPayload, _contact_once(context_of(info), path_of(info), input))


async def _contact_once(context: RequestContext, path: str, asked: ContactInput) -> None:
    """Counted in a transaction of its own, so that a refused message counts as well."""
    if await was_done(context, path, asked):
        return
    given = stated(asked)
    await context.perform(lambda work: count_contact(work, given))
    await perform_once(context, path, asked, lambda work: contact(work, given))


async def _erase_account(
    info: Info[Any, Any],
    input: EraseAccountInput,  # noqa: A002 - the GraphQL name
) -> EraseAccountPayload:
    context, path = context_of(info), path_of(info)
    due_at: datetime | None
    try:
        if await was_done(context, path, input):
            due_at = await context.perform(erasure_date)
            return EraseAccountPayload(errors=[], due_at=due_at)
        verified = await require_password(context, input.password, "password")
        due_at = await context.perform(lambda work: _close_once(work, path, input, verified))
    except FieldErrors as refused:
        return EraseAccountPayload(errors=field_errors(refused), due_at=None)
    await context.means.hear()
    remove_cookie(context.exchange)
    return EraseAccountPayload(errors=[], due_at=due_at)


async def _close_once(work: Work, path: str, asked: EraseAccountInput, verified: str) -> datetime | None:
    async def close(inner: Work) -> None:
        await close_account(inner, verified)

    await once(work, path, asked, close)
    return await erasure_date(work)


@strawberry.type
class RequestsMutation:
    """What is asked of the company."""

    request_correction: ProfilePayload = member_command(
        request_correction,
        RequestCorrectionInput,
        "Ask us to correct a record of fact: an order, a communication, an interaction, your number (C13).",
    )
    request_access: ProfilePayload = member_command(
        request_access, RequestAccessInput, "Ask for an archive of everything stored about you (C12)."
    )
    cancel_request: ProfilePayload = member_command(
        cancel_request, CancelRequestInput, "Take back a request that nobody works on yet."
    )
    contact: CommandPayload = root(
        RootKind.COMMAND,
        Audience.VISITOR,
        Audience.MEMBER,
        description="Write to us (C15).",
        resolver=_contact,
    )
    erase_account: EraseAccountPayload = root(
        RootKind.COMMAND,
        Audience.MEMBER,
        description="Close your account at once, and have everything erased when the grace is over.",
        resolver=_erase_account,
    )
