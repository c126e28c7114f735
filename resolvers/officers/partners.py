"""Partners, and the keys that their statements of deletion are signed with (C8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from policies.officers import Act, shown_bases
from resolvers.commands import partners, statement_keys
from resolvers.commands.partners import PartnerView
from resolvers.desk import Desk


async def create_partner(desk: Desk, *, name: str, display_name: str) -> UUID:
    """Add a partner. It receives nothing before it has an agreement and a client."""
    await desk.act(Act.PARTNER_CREATE, f"partner {name}")
    return await partners.create_partner(desk.connection, name=name, display_name=display_name, now=desk.now)


async def list_partners(desk: Desk, name: str | None = None) -> Sequence[PartnerView]:
    """Every partner, or the one of that name, by name."""
    await desk.act(Act.PARTNER_READ, "" if name is None else f"partner {name}")
    return await partners.list_partners(desk.connection, name, bases=shown_bases(desk.officer))


async def add_statement_keys(
    desk: Desk,
    *,
    partner: str,
    keys: Mapping[str, Mapping[str, Any]],
    valid_from: datetime | None,
    valid_until: datetime | None,
) -> None:
    """Register public keys, by `kid`. The caller has made sure that they are keys, and strong."""
    await desk.act(Act.PARTNER_KEYS, f"partner {partner}")
    for kid, jwk in keys.items():
        await statement_keys.add_statement_key(
            desk.connection,
            partner=partner,
            kid=kid,
            jwk=jwk,
            valid_from=valid_from or desk.now,
            valid_until=valid_until,
            now=desk.now,
        )


async def remove_statement_key(desk: Desk, *, partner: str, kid: str) -> None:
    """Let a key verify nothing any more."""
    await desk.act(Act.PARTNER_KEYS, f"partner {partner}")
    await statement_keys.remove_statement_key(desk.connection, partner=partner, kid=kid, now=desk.now)


async def list_statement_keys(desk: Desk, partner: str) -> Sequence[Record]:
    """Every key that the partner ever had, oldest first."""
    await desk.act(Act.PARTNER_READ, f"partner {partner}")
    return await statement_keys.list_statement_keys(desk.connection, partner)
