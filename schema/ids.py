"""Identifiers: how they are made and read. Nothing here touches storage."""

from __future__ import annotations

import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562): ordered by creation, so that inserts stay local in the index.

    Internal rows only. What a partner sees is a random pairwise id (`pairwise_id`), because the
    time in a version 7 id would tell when a member registered.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | secrets.randbits(76)
    return UUID(int=value & ~(0b11 << 62) | 0b10 << 62)


def pairwise_id() -> UUID:
    """A random UUID version 4 naming one member to one partner; two partners cannot join on it."""
    return UUID(int=secrets.randbits(128), version=4)


def parse_uuid(text: str) -> UUID | None:
    """The UUID written in `text` in canonical form, or None. An id that is not canonical names nobody."""
    if len(text) != 36:  # noqa: PLR2004 - the length of a canonical UUID
        return None
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    return parsed if str(parsed) == text else None
