"""Who must not be mailed, partners' keys to ask about it, and the newsletter (C9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from policies.officers import Act
from resolvers.commands import newsletters, refusing
from resolvers.commands.newsletters import NewsletterView
from resolvers.commands.refusing import AddressRequest, NewKey
from resolvers.desk import Desk
from resolvers.suppressions import settle
from schema.vocabulary import Direction

KeyOf = Callable[[UUID, int], bytes]
"""The key of a partner, by its generation."""


async def current_key(desk: Desk, partner: str) -> NewKey:
    """The key under which a partner makes digests of addresses now."""
    await desk.act(Act.SUPPRESSION_CHANGE, f"partner {partner}")
    return await refusing.current_key(desk.connection, partner)


async def make_key(desk: Desk, partner: str, *, rotate: bool, overlap: timedelta, key_of: KeyOf) -> NewKey:
    """Give a partner its first key, or another one."""
    await desk.act(Act.SUPPRESSION_CHANGE, f"partner {partner}")
    key = await refusing.make_key(desk.connection, partner, rotate=rotate, overlap=overlap, now=desk.now)
    await settle(desk.connection, key_of, desk.now)
    return key


async def note_requests(
    desk: Desk, requests: Sequence[AddressRequest], direction: Direction, key_of: KeyOf
) -> int:
    """Note that these addresses are not to be mailed, or may be; how many that changes."""
    await desk.act(Act.SUPPRESSION_CHANGE, f"{len(requests)} addresses {direction.value}")
    changed = await refusing.note_requests(desk.connection, requests, direction, "OFFICER", desk.now)
    await settle(desk.connection, key_of, desk.now)
    return changed


async def note_links(desk: Desk, count: int) -> None:
    """Links that refuse mail are about to be printed for so many addresses."""
    await desk.act(Act.SUPPRESSION_CHANGE, f"links for {count} addresses")


async def send_newsletter(desk: Desk, subject: str, body: str, *, again: bool) -> int:
    """Put an issue into the outbox, for every member who gets it; how many mails."""
    await desk.act(Act.NEWSLETTER_SEND, "a newsletter")
    return await newsletters.post_newsletter(desk.connection, subject, body, desk.now, again=again)


async def list_newsletters(desk: Desk) -> Sequence[NewsletterView]:
    """Every issue, the latest first, with the mails that are still waiting."""
    await desk.act(Act.NEWSLETTER_SEND, "list")
    return await newsletters.list_newsletters(desk.connection)
