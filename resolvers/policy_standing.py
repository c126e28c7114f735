"""Which version of the policy is in force, and since when, for whoever reads it (C16)."""

from __future__ import annotations

from policies.combined import in_force
from policies.member_text import UNKNOWN, Standing
from resolvers.connection import Link
from resolvers.policy_versions import read_timeline


async def policy_standing(connection: Link) -> Standing:
    """The version by which members are decided, and the day on which it took effect."""
    row = await connection.fetchrow(
        "SELECT effective_at, steps,"
        " greatest(published_at, (SELECT applied_at FROM applied_policy)) AS moment"
        " FROM policy_version ORDER BY number DESC LIMIT 1"
    )
    if row is None:
        return UNKNOWN
    number = in_force(read_timeline(row).at(row["moment"]))
    since = await connection.fetchval("SELECT effective_at FROM policy_version WHERE number = $1", number)
    return Standing(str(number), since)
