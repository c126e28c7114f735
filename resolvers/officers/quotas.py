"""How much a partner may use, and has used: by agreement, and by client within it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from policies.officers import Act
from resolvers.desk import Desk
from resolvers.quotas import QuotaKey, QuotaView, agreement_of, read_quotas, tell_replicas
from resolvers.quotas import set_quota as set_one
from schema.vocabulary import QuotaUnit


async def read_quota(desk: Desk, *, agreement_id: UUID | None, client_id: str) -> Sequence[QuotaView]:
    """What the agreement of that id, or the client of that one, may use and has used."""
    await desk.act(Act.AGREEMENT_READ, _about(agreement_id, client_id))
    found = await agreement_of(desk.connection, agreement_id=agreement_id, client_id=client_id)
    return await read_quotas(desk.connection, found, client_id, now=desk.now)


async def set_quota(
    desk: Desk, *, agreement_id: UUID | None, client_id: str, allowed: Mapping[QuotaUnit, int | None]
) -> Sequence[QuotaView]:
    """Allow so many of each unit that is named, None for what the settings say; every replica follows."""
    await desk.act(Act.AGREEMENT_QUOTA, _about(agreement_id, client_id))
    found = await agreement_of(desk.connection, agreement_id=agreement_id, client_id=client_id)
    for unit, most in allowed.items():
        await set_one(desk.connection, QuotaKey(found, client_id, unit), most, now=desk.now)
    views = await read_quotas(desk.connection, found, client_id, now=desk.now)
    await tell_replicas(desk.connection, found, now=desk.now)
    return views


def _about(agreement_id: UUID | None, client_id: str) -> str:
    return f"client {client_id}" if client_id else f"agreement {agreement_id}"
