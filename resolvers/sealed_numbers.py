"""Reads the sealed numbers of one member, for whoever opens them with the officer's key (C10, C12).

Only the owner of the database may: no role that the service works under can select a ciphertext, and nothing
here gives one of them that right. The caller has written down why before it asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from resolvers.connection import Link


@dataclass(frozen=True, slots=True)
class SealedNumber:
    """A number of a member's, as it lies in the vault, with the name that the member gave it."""

    phone_id: UUID
    label: str
    added_at: datetime
    key_id: str
    ciphertext: bytes


async def read_sealed_numbers(owner: Link, member_id: UUID) -> Sequence[SealedNumber]:
    """All numbers of the member, in the order in which they were added.

    `owner` is a connection of the database's owner.
    """
    rows = await owner.fetch(
        "SELECT p.id AS phone_id, p.label, p.added_at, s.key_id, s.ciphertext FROM phone p"
        " JOIN vault.sealed_phone s ON s.phone_id = p.id AND s.member_id = p.member_id"
        " WHERE p.member_id = $1 ORDER BY p.added_at, p.id",
        member_id,
    )
    return [SealedNumber(**row) for row in rows]
