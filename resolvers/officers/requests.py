"""What members and visitors asked, worked off (C12, C13, C15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from policies.officers import Act
from resolvers.commands import request_desk
from resolvers.commands.request_desk import RequestView
from resolvers.desk import Desk
from schema.tables.requests import RequestKind, RequestStatus


async def list_requests(
    desk: Desk,
    *,
    kind: RequestKind | None = None,
    status: RequestStatus | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int | None = None,
) -> Sequence[RequestView]:
    """Requests, what is due first before the others; without a status, those under way.

    Whoever shows a list shows no text of it: that is `show_request`.
    """
    await desk.act(Act.REQUEST_LIST, "" if kind is None else f"requests {kind.value}")
    return await request_desk.list_requests(
        desk.connection, kind=kind, status=status, after=after, limit=limit
    )


async def show_request(desk: Desk, request_id: UUID) -> RequestView:
    """One request, with what was written."""
    await desk.act(
        Act.REQUEST_READ,
        f"request {request_id}",
        member=await request_desk.member_of_request(desk.connection, request_id),
    )
    return await request_desk.show_request(desk.connection, request_id)


async def take_request(desk: Desk, request_id: UUID) -> RequestView:
    """Note that it is worked on; it cannot be taken back any more."""
    await desk.act(
        Act.REQUEST_ANSWER,
        f"request {request_id}",
        member=await request_desk.member_of_request(desk.connection, request_id),
    )
    return await request_desk.take_request(desk.connection, request_id)


async def answer_request(desk: Desk, request_id: UUID, outcome: str, *, declined: bool) -> RequestView:
    """Close a request with its outcome, and mail that there is one."""
    await desk.act(
        Act.REQUEST_ANSWER,
        f"request {request_id}",
        member=await request_desk.member_of_request(desk.connection, request_id),
    )
    return await request_desk.answer_request(
        desk.connection, request_id, outcome, declined=declined, now=desk.now
    )
