"""Refusals of addresses, whoever has them: from an officer's list, or by a link (C9). And partners' keys.

No membership is asked for or found out. What is asked counts by its date (C11): of each address the latest
date of either direction is kept, so that a list may arrive in any order, and twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from policies.choices import validate_request_date
from policies.email_addresses import comparable_email, read_email
from resolvers.connection import Link
from resolvers.tokens import SealedTokens, TokenUse
from schema.errors import InputError, NotFoundError
from schema.ids import new_id
from schema.vocabulary import Direction

BATCH: Final = 5_000
"""Addresses in one statement."""


@dataclass(frozen=True, slots=True)
class AddressRequest:
    """Somebody asked, at this date, not to be mailed at this address (OUT), or that it may be mailed (IN)."""

    address: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class NewKey:
    """Which key of which partner."""

    partner_id: UUID
    generation: int


def read_address(typed: str) -> str | None:
    """An address in the form in which addresses are compared; None for what is none."""
    email = read_email(typed)
    return None if email is None else comparable_email(email)


def read_request(typed: str, stated: datetime | None, now: datetime) -> AddressRequest:
    """A request as it was written down; without a date it is of now.

    Raises:
        InputError: it is no address, or its date lies ahead.
    """
    address = read_address(typed)
    if address is None:
        raise InputError("this is no e-mail address: correct it, or leave it out")
    return AddressRequest(address, now if stated is None else validate_request_date(stated, now))


async def note_requests(
    connection: Link, requests: Iterable[AddressRequest], direction: Direction, source: str, now: datetime
) -> int:
    """Write the requests down; how many addresses they change. The caller's transaction."""
    latest: dict[str, datetime] = {}
    for request in requests:
        known = latest.get(request.address)
        latest[request.address] = request.requested_at if known is None else max(known, request.requested_at)
    addresses, changed = sorted(latest), 0
    for start in range(0, len(addresses), BATCH):
        some = addresses[start : start + BATCH]
        rows = await connection.fetch(
            "INSERT INTO refused_address AS known"
            " (id, address, refused_at, allowed_at, received_at, source)"
            " SELECT id, address, CASE WHEN $4 = 'OUT' THEN at END, CASE WHEN $4 = 'IN' THEN at END, $5, $6"
            " FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS given (id, address, at)"
            " ON CONFLICT (address) DO UPDATE"
            " SET refused_at = greatest(known.refused_at, excluded.refused_at),"
            " allowed_at = greatest(known.allowed_at, excluded.allowed_at),"
            " received_at = excluded.received_at, source = excluded.source"
            " WHERE greatest(known.refused_at, excluded.refused_at) IS DISTINCT FROM known.refused_at"
            " OR greatest(known.allowed_at, excluded.allowed_at) IS DISTINCT FROM known.allowed_at"
            " RETURNING id",
            [new_id() for _ in some],
            some,
            [latest[address] for address in some],
            direction.value,
            now,
            source,
        )
        changed += len(rows)
    return changed


def refusal_token(tokens: SealedTokens, address: str) -> str:
    """The token by which whoever gets mail at this address refuses more. Only we can make it."""
    return tokens.seal(TokenUse.REFUSE, address.encode())


def read_refusal_token(tokens: SealedTokens, token: str) -> str | None:
    """The address that a token of ours names; None for every other text."""
    name = tokens.open(TokenUse.REFUSE, token)
    return None if name is None else name.decode()


async def refuse_by_link(connection: Link, address: str, now: datetime) -> None:
    """The link in a mail was followed. However often, there is one row for an address."""
    await note_requests(connection, [AddressRequest(address, now)], Direction.OUT, "LINK", now)


async def current_key(connection: Link, partner: str) -> NewKey:
    """The key that a partner should use.

    Raises:
        NotFoundError: there is no such partner, or it has none.
    """
    key = await _current(connection, await _partner(connection, partner))
    if key is None:
        raise NotFoundError("the partner has no key: `gateway suppressions key PARTNER` makes one")
    return key


async def make_key(
    connection: Link, partner: str, *, rotate: bool, overlap: timedelta, now: datetime
) -> NewKey:
    """Give a partner its first key, or with `rotate` another one; the one before counts for `overlap` yet.

    Raises:
        NotFoundError: there is no such partner.
        InputError: it has a key and is not to get another, or the other way round.
    """
    partner_id = await _partner(connection, partner)
    known = await _current(connection, partner_id)
    if known is not None and not rotate:
        raise InputError("the partner has a key: `--again` prints it, `--rotate` makes another one")
    if known is None and rotate:
        raise InputError("the partner has no key yet: leave `--rotate` out")
    await connection.execute(
        "UPDATE suppression_key SET retires_at = $2 WHERE partner_id = $1 AND retires_at IS NULL",
        partner_id,
        now + overlap,
    )
    generation: int = await connection.fetchval(
        "INSERT INTO suppression_key (partner_id, generation, created_at)"
        " VALUES ($1, $2, $3) RETURNING generation",
        partner_id,
        1 if known is None else known.generation + 1,
        now,
    )
    return NewKey(partner_id, generation)


async def _partner(connection: Link, name: str) -> UUID:
    partner_id: UUID | None = await connection.fetchval(
        "SELECT id FROM partner WHERE name = $1 FOR NO KEY UPDATE", name
    )
    if partner_id is None:
        raise NotFoundError("there is no such partner: see `gateway partner list`")
    return partner_id


async def _current(connection: Link, partner_id: UUID) -> NewKey | None:
    generation: int | None = await connection.fetchval(
        "SELECT max(generation) FROM suppression_key WHERE partner_id = $1", partner_id
    )
    return None if generation is None else NewKey(partner_id, generation)
