"""The hash chain of disclosures: what each record's digest is taken over, and where a chain begins.

In: a record as values, and the digest before it. Out: 32 bytes. One chain for each writer: position 1 follows
the writer's beginning, each other position the one before. Whoever has a later digest can tell whether
anything before it was changed, removed, put in or put elsewhere.

INVARIANT (whole-record): the encoding is injective over every value of a record, so that two different
records never have the same bytes. A change of what is encoded, or how, takes a new `VERSION`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final, Self, overload
from uuid import UUID

VERSION: Final = b"member-gateway disclosure 1\n"
BEGINNING: Final = b"member-gateway disclosure writer 1\n"

DIGEST_BYTES: Final = 32
"""Of SHA-256."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ABSENT: Final = b"-"


@dataclass(frozen=True, slots=True)
class LogIds(Sequence[UUID]):
    """Members by the ids that the log knows them by, in order, each once: the 16 bytes of each.

    They are counted, digested and stored without becoming objects; who looks at one is given a UUID.
    """

    ids: tuple[bytes, ...]

    @classmethod
    def distinct(cls, ids: Iterable[bytes]) -> Self:
        """Of ids of which some may come more than once."""
        return cls(tuple(dict.fromkeys(ids)))

    @classmethod
    def of(cls, members: Sequence[UUID]) -> LogIds:
        """Of ids as objects."""
        return members if isinstance(members, LogIds) else cls.distinct(member.bytes for member in members)

    def __len__(self) -> int:
        """How many."""
        return len(self.ids)

    def __iter__(self) -> Iterator[UUID]:
        """Each as an object."""
        return (UUID(bytes=each) for each in self.ids)

    @overload
    def __getitem__(self, index: int) -> UUID: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[UUID]: ...

    def __getitem__(self, index: int | slice) -> UUID | Sequence[UUID]:
        """One or some of them."""
        if isinstance(index, slice):
            return type(self)(self.ids[index])
        return UUID(bytes=self.ids[index])


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
    name = record.operation_name
    parts = (
        VERSION,  # 1
        before,
        record.writer.bytes,
        record.position.to_bytes(8),
        record.id.bytes,  # 2
        _instant(record.recorded_at),
        record.partner_id.bytes,
        record.agreement_id.bytes,
        _text(record.client_id),
        _text(record.token_id),
        _ABSENT if name is None else b"+" + _text(name),
        _text(record.operation_hash),
        _text(record.basis),
        _text(record.purpose),
        _sized(b"".join([_text(category) for category in record.categories])),
        _sized(_packed(record.members)),
    )
    return sha256(b"".join(parts)).digest()


def _packed(members: Sequence[UUID]) -> bytes:
    ids = members.ids if isinstance(members, LogIds) else [member.bytes for member in members]
    return b"".join(ids)


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(8) + data


@lru_cache(maxsize=2_048)
def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(8) + data


def _instant(moment: datetime) -> bytes:
    """Microseconds since 1970: the zone in which it was written is no part of it."""
    return ((moment - _EPOCH) // _MICROSECOND).to_bytes(8, signed=True)
