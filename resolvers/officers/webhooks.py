"""Where partners are told of withdrawals, and what could not be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from policies.destinations import Destination
from policies.officers import Act
from resolvers.commands import webhooks
from resolvers.commands.webhooks import DeadLetter, EndpointView
from resolvers.desk import Desk
from schema.tables.webhooks import EndpointStatus


async def create_endpoint(desk: Desk, *, agreement_id: UUID, url: str, destination: Destination) -> UUID:
    """Tell withdrawals under an agreement at a URL, which the caller has checked."""
    await desk.act(Act.WEBHOOK_CHANGE, f"agreement {agreement_id}")
    return await webhooks.create_endpoint(
        desk.connection, agreement_id=agreement_id, url=url, destination=destination, now=desk.now
    )


async def list_endpoints(desk: Desk) -> Sequence[EndpointView]:
    """Every endpoint."""
    await desk.act(Act.WEBHOOK_READ)
    return await webhooks.list_endpoints(desk.connection)


async def show_endpoint(desk: Desk, endpoint_id: UUID) -> EndpointView:
    """One endpoint, its whole URL included."""
    await desk.act(Act.WEBHOOK_READ, f"endpoint {endpoint_id}")
    (found,) = await webhooks.list_endpoints(desk.connection, endpoint_id=endpoint_id)
    return found


async def rotate_secret(desk: Desk, endpoint_id: UUID, overlap: timedelta) -> int:
    """Sign with a new secret; returns its generation."""
    await desk.act(Act.WEBHOOK_CHANGE, f"endpoint {endpoint_id}")
    return await webhooks.rotate_secret(
        desk.connection, endpoint_id=endpoint_id, overlap=overlap, now=desk.now
    )


async def set_endpoint_status(desk: Desk, endpoint_id: UUID, status: EndpointStatus) -> None:
    """Send nothing more to an endpoint, or go on with what has gathered."""
    await desk.act(Act.WEBHOOK_CHANGE, f"endpoint {endpoint_id}")
    await webhooks.set_endpoint_status(desk.connection, endpoint_id=endpoint_id, status=status)


async def post_test(desk: Desk, endpoint_id: UUID) -> UUID:
    """Put a message that tells of nobody into the outbox."""
    await desk.act(Act.WEBHOOK_CHANGE, f"endpoint {endpoint_id}")
    return await webhooks.post_test(desk.connection, endpoint_id=endpoint_id, now=desk.now)


async def list_dead_letters(desk: Desk, endpoint_id: UUID | None = None) -> Sequence[DeadLetter]:
    """Messages that were given up, without whom they name."""
    await desk.act(Act.WEBHOOK_READ, "" if endpoint_id is None else f"endpoint {endpoint_id}")
    return await webhooks.list_dead_letters(desk.connection, endpoint_id=endpoint_id)


async def retry_dead_letters(desk: Desk, endpoint_id: UUID, message_id: UUID | None) -> int:
    """Send the dead letters of an endpoint again, on the whole schedule."""
    await desk.act(Act.WEBHOOK_CHANGE, f"endpoint {endpoint_id}")
    return await webhooks.retry_dead_letters(
        desk.connection, endpoint_id=endpoint_id, message_id=message_id, now=desk.now
    )
