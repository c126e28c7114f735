"""The cookie choice of visitors, and the page views of members who made it."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Info

from policies.principal import MemberPrincipal
from resolvers.commands.opt_out_signal import note_signal
from resolvers.commands.visits import record_page_view, set_tracking
from resolvers.context import context_of
from resolvers.idempotency import perform_once
from resolvers.mutations.payload import CommandPayload, ProfilePayload, concluded, path_of, stated
from schema.catalogue import RootKind, root
from schema.categories import Audience
from schema.types.visits import ChooseCookiesInput, RecordPageViewInput


async def _choose_cookies(info: Info[Any, Any], input: ChooseCookiesInput) -> CommandPayload:  # noqa: A002 - the GraphQL name
    """Nothing is stored here, so this needs neither a transaction nor an `Idempotency-Key`."""

    async def chosen() -> None:
        set_tracking(context_of(info).exchange, tracking=input.tracking)

    return await concluded(CommandPayload, chosen())


async def _record_page_view(info: Info[Any, Any], input: RecordPageViewInput) -> ProfilePayload:  # noqa: A002 - the GraphQL name
    """A signal counts where nothing may be recorded because of it, so it is noted apart."""
    context, path, given = context_of(info), path_of(info), stated(input)
    recorded = perform_once(context, path, input, lambda work: record_page_view(work, given))
    payload = await concluded(ProfilePayload, recorded)
    principal = context.principal
    if context.exchange.opts_out and isinstance(principal, MemberPrincipal):
        await context.perform(lambda work: note_signal(work, principal.member_id))
    return payload


@strawberry.type
class VisitsMutation:
    """What is recorded of visits, and whether."""

    choose_cookies: CommandPayload = root(
        RootKind.COMMAND,
        Audience.VISITOR,
        Audience.MEMBER,
        description="Choose whether your visits may be recorded; the choice is kept in a cookie (C4).",
        resolver=_choose_cookies,
    )
    record_page_view: ProfilePayload = root(
        RootKind.COMMAND,
        Audience.MEMBER,
        description="Record a page that was looked at, if the visitor chose that (C3, C4).",
        resolver=_record_page_view,
    )
