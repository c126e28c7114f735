"""Counts attempts on accounts and from addresses, each one, however many come in one request.

A leaky bucket for each key, kept in the database, so that all replicas count together: `empty_at` is when the
bucket would be empty. It holds `burst` attempts, and one leaks out every `refill`. What is counted is named
by a keyed digest, and an account that does not exist is counted like one that does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final

from resolvers.connection import Link
from resolvers.context import Work
from resolvers.means import Means
from schema.errors import ThrottledError

IPV6_NETWORK_BITS: Final = 64
"""What one subscriber usually has (RFC 6177)."""


async def count_attempt(work: Work, *accounts: str, refill: timedelta | None = None) -> None:
    """Count an attempt on each of `accounts` and one from the caller's address; once in a transaction.

    CLAUSE (C14): attempts to sign in are counted one by one, on the account and from the address.

    An account is any text that names it: an address as typed, or a member's id. `refill` is how long one
    attempt on an account takes to leak out, if not as long as one to sign in. Buckets are held until the
    transaction ends, and taken in the order of their keys, so that no two attempts wait for each other.

    Raises:
        ThrottledError: one of the buckets is full; then nothing is counted.
    """
    rules, key = work.means.rules, work.means.attempt_key
    buckets = [
        (key(f"account {account.strip().casefold()}"), rules.sign_in_attempts, refill or rules.sign_in_refill)
        for account in accounts
    ]
    origin = network_of(work.exchange.ip_address)
    if origin is not None:
        buckets.append((key(f"address {origin}"), rules.address_attempts, rules.address_refill))
    await _fill(work.connection, buckets, work.now)


async def count_officer_attempt(work: Work, name: str) -> None:
    """Count an attempt on an officer's account and one from the caller's address; once in a transaction.

    In buckets of their own: nobody keeps an officer out by what is typed where members sign in.

    Raises:
        ThrottledError: one of the buckets is full; then nothing is counted.
    """
    rules, key = work.means.rules, work.means.attempt_key
    buckets = [(key(f"officer {name}"), rules.sign_in_attempts, rules.sign_in_refill)]
    origin = network_of(work.exchange.ip_address)
    if origin is not None:
        buckets.append((key(f"officers of {origin}"), rules.address_attempts, rules.address_refill))
    await _fill(work.connection, buckets, work.now)


async def forget_officer_attempts(work: Work, name: str) -> None:
    """The officer has come in: attempts on the account before count no more."""
    key = work.means.attempt_key(f"officer {name}")
    await work.connection.execute("DELETE FROM attempt WHERE key = $1", key)


async def count_client_failure(
    connection: Link, means: Means, *, client_id: str, address: str | None, now: datetime
) -> None:
    """Count that somebody failed to prove to be this client; once in a transaction, the caller's.

    Only failures are counted, and after they have failed: whoever floods a client's id with wrong secrets
    does not keep the client out, whose own credential is looked at first. Secrets have 256 bits, so there is
    no guess to slow down; what is bounded is what guessing costs us.

    Raises:
        ThrottledError: there were too many; then nothing is counted.
    """
    rules, key = means.rules, means.attempt_key
    buckets = [(key(f"client {client_id}"), rules.sign_in_attempts, rules.sign_in_refill)]
    origin = network_of(address)
    if origin is not None:
        buckets.append((key(f"clients of {origin}"), rules.address_attempts, rules.address_refill))
    await _fill(connection, buckets, now)


async def forget_attempts(work: Work, account: str) -> None:
    """The account's owner has come in: attempts on it before count no more. Those from the address do."""
    key = work.means.attempt_key(f"account {account.strip().casefold()}")
    await work.connection.execute("DELETE FROM attempt WHERE key = $1", key)


def network_of(address: str | None) -> str | None:
    """What attempts are counted by: an IPv4 address, or the /64 of an IPv6 one; None if there is none."""
    if address is None:
        return None
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return f"{IPv6Address(int(parsed) >> IPV6_NETWORK_BITS << IPV6_NETWORK_BITS)}/{IPV6_NETWORK_BITS}"
    return str(parsed)


async def _fill(connection: Link, buckets: Sequence[tuple[bytes, int, timedelta]], now: datetime) -> None:
    """One attempt into each bucket (key, burst, refill), in the order of their keys.

    Raises:
        ThrottledError: one of them is full.
    """
    waits = [await _drip(connection, name, now, burst, refill) for name, burst, refill in sorted(buckets)]
    longest = max(waits)
    if longest > timedelta(0):
        raise ThrottledError(math.ceil(longest.total_seconds()))


async def _drip(connection: Link, key: bytes, now: datetime, burst: int, refill: timedelta) -> timedelta:
    """One attempt into the bucket; how long to wait if it was full, and zero if it was not."""
    filled: datetime | None = await connection.fetchval(
        "INSERT INTO attempt AS bucket (key, empty_at) VALUES ($1, $2::timestamptz + $3)"
        " ON CONFLICT (key) DO UPDATE SET empty_at = greatest(bucket.empty_at, $2) + $3"
        " WHERE greatest(bucket.empty_at, $2) + $3 <= $2 + $3 * $4::int RETURNING empty_at",
        key,
        now,
        refill,
        burst,
    )
    if filled is not None:
        return timedelta(0)
    empty_at: datetime = await connection.fetchval("SELECT empty_at FROM attempt WHERE key = $1", key)
    return max(empty_at + refill - (now + refill * burst), timedelta(seconds=1))
