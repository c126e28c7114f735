"""The hash chain of disclosures: what each record's digest is taken over, and where a chain begins.

In: a record as values, and the digest before it. Out: 32 bytes. One chain for each writer: position 1 follows
the writer's beginning, each other position the one before. Whoever has a later digest can tell whether
anything before it was changed, removed, put in or put elsewhere.

INVARIANT (whole-record): the encoding is injective over every value of a record, so that two different
records never have the same bytes. A change of what is encoded, or how, takes a new `VERSION`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

VERSION: Final = b"member-gateway disclosure 1\n"
BEGINNING: Final = b"member-gateway disclosure writer 1\n"

DIGEST_BYTES: Final = 32
"""Of SHA-256."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ABSENT: Final = b"-"


@dataclass(frozen=True, slots=True)
class ChainedRecord:
    """A record as it is chained. `categories` and `members` in the order in which they are stored."""

    id: UUID
    recorded_at: datetime
    partner_id: UUID
    agreement_id: UUID
    client_id: str
    token_id: str
    operation_name: str | None
    operation_hash: str
    basis: str
    purpose: str
    categories: Sequence[str]
    members: Sequence[UUID]
    writer: UUID
    position: int


def beginning(writer: UUID, started_at: datetime) -> bytes:
    """What the first record of a writer follows. It is no digest of a record: its prefix is another."""
    return sha256(BEGINNING + writer.bytes + _instant(started_at)).digest()


def digest(record: ChainedRecord, before: bytes) -> bytes:
    """The digest of a record that follows `before`.

    1. the version, the digest before, writer and position: of fixed length;
    2. each other value in the order of `ChainedRecord`, told apart by its length.
    """
    return sha256(b"".join(_parts(record, before))).digest()


def _parts(record: ChainedRecord, before: bytes) -> Iterable[bytes]:
    yield VERSION  # 1
    yield before
    yield record.writer.bytes
    yield record.position.to_bytes(8)
    yield record.id.bytes  # 2
    yield _instant(record.recorded_at)
    yield record.partner_id.bytes
    yield record.agreement_id.bytes
    yield _text(record.client_id)
    yield _text(record.token_id)
    yield _ABSENT if record.operation_name is None else b"+" + _text(record.operation_name)
    yield _text(record.operation_hash)
    yield _text(record.basis)
    yield _text(record.purpose)
    yield _sized(b"".join(map(_text, record.categories)))
    yield _sized(b"".join([member.bytes for member in record.members]))


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(8) + data


def _text(text: str) -> bytes:
    return _sized(text.encode("utf-8", "surrogatepass"))


def _instant(moment: datetime) -> bytes:
    """Microseconds since 1970: the zone in which it was written is no part of it."""
    return ((moment - _EPOCH) // _MICROSECOND).to_bytes(8, signed=True)
