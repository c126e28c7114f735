"""Since when the policy in force decides here, for whoever reads it (C16)."""

from __future__ import annotations

from policies.member_text import Standing
from resolvers.connection import Link


async def policy_standing(connection: Link) -> Standing:
    """Since when members are decided by it. Before the gateway has decided any, nobody knows."""
    since = await connection.fetchval("SELECT applied_at FROM applied_policy")
    return Standing(since=since)
