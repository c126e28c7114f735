"""Announcements of new practices, as officers look at them (C16)."""

from __future__ import annotations

from collections.abc import Sequence

from policies.officers import Act
from resolvers.desk import Desk
from resolvers.notices import PublishedNotice, published_notices


async def list_notices(desk: Desk) -> Sequence[PublishedNotice]:
    """What has been announced by now, the latest first."""
    await desk.act(Act.NOTICE_READ)
    return await published_notices(desk.connection, desk.now)
