"""The proof that the disclosure log is as it was written: chains are recomputed, heads compared.

In: who wrote, the heads that signed checkpoints name, and every record in the order of writer and position.
Out: findings, each with the writer, the position and the record. It keeps one digest and the heads, however
many records there are.

What it cannot find: what somebody who may write every table does after the newest checkpoint that is kept
where they cannot write. A chain has no secret: whoever owns the database can compute a new end of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from policies.disclosure_chain import ChainedRecord, beginning, digest


class Fault(StrEnum):
    """What is wrong with a record or a writer. The words are those of `docs/disclosures.md`."""

    CHANGED = "CHANGED"
    """The record does not fit its digest and the record before it: edited, put in, or put elsewhere."""
    MISSING = "MISSING"
    """Positions before this one are not there: removed."""
    TWICE = "TWICE"
    """The position is not above the one before, or a chain begins a second time: put in."""
    OTHER = "OTHER"
    """A checkpoint names another digest here: the chain was written anew from here or from before."""
    CUT_OFF = "CUT_OFF"
    """A checkpoint names a later position than there is: the end was removed."""
    WRITER_GONE = "WRITER_GONE"
    """A checkpoint names a writer of whom there is no record, or a writer has none: all were removed."""
    NO_BEGINNING = "NO_BEGINNING"
    """Records of a writer who is not listed: put in, or the writer was removed."""
    ORDER = "ORDER"
    """The place in the whole log does not rise with the position: put elsewhere."""
    CHECKPOINT = "CHECKPOINT"
    """A checkpoint is not signed by a key at hand, or does not follow the one before: replaced or removed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, and where. `source` names the checkpoint that shows it."""

    fault: Fault
    writer: UUID | None = None
    position: int | None = None
    record: UUID | None = None
    source: str | None = None

    def __str__(self) -> str:
        """One line: the fault, then where."""
        places = {
            "writer": self.writer,
            "position": self.position,
            "record": self.record,
            "checkpoint": self.source,
        }
        return " ".join(
            (self.fault, *(f"{name}={value}" for name, value in places.items() if value is not None))
        )


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a writer at the time of a checkpoint."""

    writer: UUID
    position: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as it was found, with the digest and the place that stand beside it."""

    record: ChainedRecord
    digest: bytes
    place: int


@dataclass
class Proof:
    """Feed it every record, writer by writer and each by position; then `finish`."""

    writers: Mapping[UUID, datetime]
    _heads: dict[UUID, dict[int, tuple[bytes, str]]] = field(default_factory=dict)
    _seen: set[UUID] = field(default_factory=set)
    _writer: UUID | None = None
    _position: int = 0
    _place: int = 0
    _before: bytes | None = None

    def expect(self, heads: Iterable[Head], source: str) -> Iterator[Finding]:
        """Compare with these heads of a checkpoint. Two checkpoints that differ are a finding at once."""
        for head in heads:
            named = self._heads.setdefault(head.writer, {})
            known, _ = named.setdefault(head.position, (head.digest, source))
            if known != head.digest:
                yield Finding(Fault.OTHER, head.writer, head.position, source=source)

    def feed(self, found: StoredRecord) -> Iterator[Finding]:
        """The findings about one record.

        1. a new writer: the one before is over, this one has to be listed;
        2. the position follows the one before, and so does the place;
        3. the digest is that of the record after the digest before;
        4. a checkpoint that names this position names this digest.
        """
        record = found.record
        where = (record.writer, record.position, record.id)
        if record.writer != self._writer:  # 1
            yield from self._close()
            yield from self._open(record.writer)
        if record.position <= self._position:  # 2
            yield Finding(Fault.TWICE, *where)
        elif record.position > self._position + 1:
            yield Finding(Fault.MISSING, *where)
            self._before = None
        if found.place <= self._place:
            yield Finding(Fault.ORDER, *where)
        if self._before is not None and not _fits(found, self._before):  # 3
            yield Finding(Fault.CHANGED, *where)
        named = self._heads.get(record.writer, {}).pop(record.position, None)  # 4
        if named is not None and named[0] != found.digest:
            yield Finding(Fault.OTHER, *where, source=named[1])
        self._position = max(self._position, record.position)
        self._place = max(self._place, found.place)
        self._before = found.digest

    def finish(self) -> Iterator[Finding]:
        """The findings that only the end shows."""
        yield from self._close()
        for writer in sorted({*self._heads, *self.writers} - self._seen):
            named = self._heads.get(writer, {})
            last = max(named, default=None)
            source = None if last is None else named[last][1]
            yield Finding(Fault.WRITER_GONE, writer, last, source=source)

    def _open(self, writer: UUID) -> Iterator[Finding]:
        if writer in self._seen:
            # Its heads were compared with what came first, so nothing would speak against what comes now.
            yield Finding(Fault.TWICE, writer)
        self._writer = writer
        self._seen.add(writer)
        self._position, self._place = 0, 0
        started_at = self.writers.get(writer)
        self._before = None if started_at is None else beginning(writer, started_at)
        if started_at is None:
            yield Finding(Fault.NO_BEGINNING, writer)

    def _close(self) -> Iterator[Finding]:
        if self._writer is None:
            return
        later = {p: named for p, named in self._heads.get(self._writer, {}).items() if p > self._position}
        if later:
            last = max(later)
            yield Finding(Fault.CUT_OFF, self._writer, self._position, source=later[last][1])


def _fits(found: StoredRecord, before: bytes) -> bool:
    try:
        return digest(found.record, before) == found.digest
    except (AttributeError, TypeError, ValueError, OverflowError):
        return False  # a value is there that no record of ours has: null, or out of range
