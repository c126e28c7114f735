"""Members as officers deal with them: taken in from a file, and why a partner sees what it sees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from policies.officers import Act
from resolvers.callers import find_member
from resolvers.desk import Desk
from resolvers.explanations import ExplainedAgreement
from resolvers.explanations import explain_field as explain
from resolvers.explanations_at import ExplainedAt
from resolvers.explanations_at import explain_at as explain_past
from resolvers.policy_versions import Compile
from schema.categories import DataCategory
from schema.errors import NotFoundError


async def note_import(desk: Desk) -> None:
    """A file of members is about to be taken in, by many transactions."""
    await desk.act(Act.MEMBER_IMPORT, "a file of members")


async def note_key_rotation(desk: Desk) -> None:
    """The key that tokens are signed with is about to be changed."""
    await desk.act(Act.KEY_ROTATE, "the key of tokens")


async def open_profile(desk: Desk, number: str, reason: str) -> UUID:
    """The id of the member whose profile is about to be read, for this reason.

    The caller commits before it reads: INVARIANT (reason-before-profile). She reads of it in `staffAccess`.
    """
    await desk.act(Act.PROFILE_READ, "a profile", reason=reason, number=number)
    found = await find_member(desk.connection, number)
    if found is None:
        raise NotFoundError("there is no member of that number")
    return found


async def explain_field(
    desk: Desk, *, partner: str, member: str, category: DataCategory, scopes: Sequence[str] | None
) -> Sequence[ExplainedAgreement]:
    """Why a partner sees or does not see a category of a member, condition by condition."""
    await desk.act(Act.DECISION_EXPLAIN, f"partner {partner}", number=member)
    return await explain(
        desk.connection,
        desk.matrix,
        partner=partner,
        member=member,
        category=category,
        scopes=scopes,
        now=desk.now,
    )


async def explain_at(
    desk: Desk,
    compiled: Compile,
    *,
    partner: str,
    member: str,
    category: DataCategory,
    scopes: Sequence[str] | None,
    at: datetime,
) -> Sequence[ExplainedAt]:
    """What a partner could see of a member at a date, and why."""
    await desk.act(Act.DECISION_EXPLAIN, f"partner {partner}, {at:%Y-%m-%d}", number=member)
    return await explain_past(
        desk.connection,
        compiled,
        partner=partner,
        member=member,
        category=category,
        scopes=scopes,
        at=at,
        now=desk.now,
    )
