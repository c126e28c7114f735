"""What officers ask about policies: whom another one would touch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from policies.compare import Comparison
from policies.officers import Act
from resolvers.desk import Desk
from resolvers.policy_effects import (
    ClientDocument,
    Effects,
    Released,
    client_documents,
    count_members,
    released_since,
    touched_members,
)


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a comparison was held against. None: it was not asked for."""

    effects: Effects | None
    released: Sequence[Released] | None
    documents: Sequence[ClientDocument] | None


async def foresee(
    desk: Desk,
    comparison: Comparison,
    *,
    members: bool,
    since: datetime | None,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Consequences:
    """Whom another policy would touch: every member decided anew, and what partners received since a date.

    Raises:
        ForbiddenError: none of the officer's roles may ask.
    """
    await desk.act(Act.POLICY_READ, "what another policy would change")
    # Deciding every member takes longer than a statement of a request may.
    await desk.connection.execute("SET LOCAL statement_timeout = 0")
    effects = None
    if members:
        total = await count_members(desk.connection)
        effects = await touched_members(
            desk.connection, comparison, desk.now, lambda done: on_progress(done, total)
        )
    if since is None:
        return Consequences(effects, None, None)
    released = await released_since(desk.connection, since)
    return Consequences(effects, released, await client_documents(desk.connection))
