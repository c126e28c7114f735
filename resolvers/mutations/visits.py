"""The cookie choice of visitors, and the page views of members who made it."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Info

from resolvers.commands.visits import record_page_view, set_tracking
from resolvers.context import context_of
from resolvers.mutations.payload import CommandPayload, ProfilePayload, field_errors, member_command
from schema.catalogue import RootKind, root
from schema.categories import Audience
from schema.errors import FieldErrors
from schema.types.visits import ChooseCookiesInput, RecordPageViewInput


async def _choose_cookies(info: Info[Any, Any], input: ChooseCookiesInput) -> CommandPayload:  # noqa: A002 - the GraphQL name
    """Nothing is stored here, so this needs neither a transaction nor an `Idempotency-Key`."""
    try:
        set_tracking(context_of(info).exchange, tracking=input.tracking)
    except FieldErrors as refused:
        return CommandPayload(errors=field_errors(refused))
    return CommandPayload(errors=[])


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
    record_page_view: ProfilePayload = member_command(
        record_page_view,
        RecordPageViewInput,
        "Record a page that was looked at, if the visitor chose that (C3, C4).",
    )
