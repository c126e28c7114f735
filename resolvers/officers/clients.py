"""A partner's programs that may sign in, what they sign in with, and tokens.

A secret is returned once and kept nowhere: whoever calls shows it to the officer alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from policies.officers import Act
from resolvers.callers import ClientFacts, find_member, read_client, read_standing
from resolvers.commands import client_credentials, clients
from resolvers.commands.client_credentials import ClientView, PublicKey
from resolvers.desk import Desk
from schema.errors import InputError, NotFoundError
from schema.vocabulary import ClientAuth

LONGEST_OVERLAP: Final = timedelta(days=90)


async def create_client(
    desk: Desk, *, client_id: str, agreement_id: UUID, keys: Sequence[PublicKey], dpop: bool
) -> str | None:
    """Let a client act under an agreement, with these keys; without keys it gets a secret, returned."""
    await desk.act(Act.CLIENT_CREATE, f"client {client_id}")
    await clients.create_client(
        desk.connection,
        client_id=client_id,
        agreement_id=agreement_id,
        now=desk.now,
        auth=ClientAuth.KEY if keys else ClientAuth.SECRET,
        dpop=dpop,
    )
    if keys:
        await client_credentials.add_keys(desk.connection, client_id=client_id, keys=keys, now=desk.now)
        return None
    return await client_credentials.replace_secret(
        desk.connection, client_id=client_id, overlap=timedelta(0), now=desk.now
    )


async def list_clients(desk: Desk) -> Sequence[clients.ListedClient]:
    """Every client with its partner, agreement and status."""
    await desk.act(Act.CLIENT_READ, "all clients")
    return await clients.list_clients(desk.connection)


async def show_client(desk: Desk, client_id: str) -> ClientView:
    """How a client proves who it is, and until when each of its credentials counts."""
    await desk.act(Act.CLIENT_READ, f"client {client_id}")
    return await client_credentials.show_client(desk.connection, client_id, desk.now)


async def rotate_secret(desk: Desk, client_id: str, overlap: timedelta) -> str:
    """Give a client a new secret, and return it; the one before counts for `overlap`."""
    await desk.act(Act.CLIENT_CREDENTIALS, f"client {client_id}")
    return await client_credentials.replace_secret(
        desk.connection, client_id=client_id, overlap=checked_overlap(overlap), now=desk.now
    )


async def add_keys(desk: Desk, client_id: str, keys: Sequence[PublicKey]) -> None:
    """Let a client sign with further keys, beside those it has."""
    await desk.act(Act.CLIENT_CREDENTIALS, f"client {client_id}")
    await client_credentials.add_keys(desk.connection, client_id=client_id, keys=keys, now=desk.now)


async def remove_key(desk: Desk, client_id: str, kid: str, overlap: timedelta) -> None:
    """Let a key of a client stop counting, after a while or at once."""
    await desk.act(Act.CLIENT_CREDENTIALS, f"client {client_id}")
    await client_credentials.remove_key(
        desk.connection, client_id=client_id, kid=kid, overlap=checked_overlap(overlap), now=desk.now
    )


async def revoke_client(desk: Desk, client_id: str) -> None:
    """Refuse a client and every token it has, at once and for good."""
    await desk.act(Act.CLIENT_REVOKE, f"client {client_id}")
    await clients.revoke_client(desk.connection, client_id=client_id, now=desk.now)


async def admit_member(desk: Desk, number: str) -> UUID:
    """The id of the member for whom a token is about to be made for development.

    Raises:
        NotFoundError: there is no member of that number who may sign in.
    """
    await desk.act(Act.TOKEN_ISSUE, "a member's token", number=number)
    member_id = await find_member(desk.connection, number)
    standing = None if member_id is None else await read_standing(desk.connection, member_id)
    if member_id is None or standing is None or not standing.active:
        raise NotFoundError("there is no member of that number who may sign in")
    return member_id


async def admit_client(desk: Desk, partner: str, client_id: str | None) -> tuple[str, ClientFacts]:
    """The client of a partner for which a token is about to be made for development.

    Raises:
        NotFoundError: there is none whose agreement is in force, or it gets its tokens itself.
    """
    await desk.act(Act.TOKEN_ISSUE, f"partner {partner}" if client_id is None else f"client {client_id}")
    found = await clients.only_client_of(desk.connection, partner, client_id)
    facts = await read_client(desk.connection, found)
    if facts is None or not facts.active or not facts.terms.in_force(desk.now):
        raise NotFoundError("no agreement of this client is in force: see `gateway agreement list`")
    if facts.dpop:
        raise NotFoundError("the client has tokens bound to its own key: it gets them itself")
    return found, facts


async def revoke_token(desk: Desk, token_id: str) -> None:
    """Refuse one token, at once and for good."""
    await desk.act(Act.TOKEN_REVOKE, "a token")
    await clients.revoke_token(desk.connection, token_id=token_id, now=desk.now, expires_at=None)


async def look_at_client(
    desk: Desk, *, partner: str | None = None, client_id: str | None = None
) -> tuple[str, ClientFacts]:
    """The client of that id, or the only one of a partner, and its terms: for looking at its contract.

    Raises:
        NotFoundError: there is no such client, or its agreement is not in force.
    """
    await desk.act(Act.CLIENT_READ, f"partner {partner}" if client_id is None else f"client {client_id}")
    if client_id is None:
        client_id = await clients.only_client_of(desk.connection, partner or "")
    facts = await read_client(desk.connection, client_id)
    if facts is None:
        raise NotFoundError("there is no such client: see `gateway client list`")
    if not facts.terms.in_force(desk.now):
        raise NotFoundError("the agreement of that client is not in force: see `gateway agreement show`")
    return client_id, facts


def checked_overlap(overlap: timedelta) -> timedelta:
    """Return it, if it is not longer than a credential may outlast its successor."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InputError(f"`overlap`: 0 to {LONGEST_OVERLAP // timedelta(hours=1)} hours")
    return overlap
