"""Verifies the disclosure log: the chains in a database or in an export, against its checkpoints and yours.

In: writers, checkpoints and records in the order of `gateway.disclosure_lines`, the statements that were
kept elsewhere, public keys. Out: findings, as they are found, and a tally. Memory stays flat: a record is
looked at and forgotten.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.checkpoints import Checkpoint, Keys, read_checkpoint
from gateway.disclosure_lines import kind_of, read_line, read_record, read_writer
from policies.disclosure_proof import Fault, Finding, Proof, StoredRecord
from resolvers.connection import Link
from resolvers.disclosure_reading import (
    read_writers,
    statement_digest,
    stream_checkpoints,
    stream_records,
)
from schema.errors import InputError

Progress = Callable[[int], None]
"""Told how far it has come: records of a database, bytes of a file."""


@dataclass
class Tally:
    """What was looked at."""

    records: int = 0
    writers: int = 0
    checkpoints: int = 0
    kept: int = 0


@dataclass
class Verification:
    """One run. `kept` are statements that were kept elsewhere, by the name of their file."""

    keys: Keys
    kept: Sequence[tuple[str, str]]
    tally: Tally = field(default_factory=Tally)
    _last: str | None = None
    _number: int | None = None

    async def database(self, connection: Link, progress: Progress) -> AsyncIterator[Finding]:
        """Verify a database, in a transaction of the caller's that sees one moment."""
        proof = Proof(await read_writers(connection))
        for finding in self._kept(proof):
            yield finding
        async for number, statement in stream_checkpoints(connection):
            for finding in self._checkpoint(proof, number, statement):
                yield finding
        async for found in stream_records(connection):
            for finding in proof.feed(found):
                yield finding
            self.tally.records += 1
            progress(self.tally.records)
        for finding in self._finish(proof):
            yield finding

    def file(self, path: Path, progress: Progress) -> Iterator[Finding]:
        """Verify an export.

        Raises:
            InputError: it is none, or is cut off.
        """
        try:
            with path.open("rb") as lines:
                yield from self._lines(lines, progress)
        except OSError as error:
            raise InputError("`--file`: it cannot be read") from error

    def _lines(self, lines: Iterable[bytes], progress: Progress) -> Iterator[Finding]:
        proof = Proof(writers := {})
        yield from self._kept(proof)
        ended = False
        kind = 0
        done = 0
        for line in lines:
            done += len(line)
            progress(done)
            if ended:
                raise InputError("`--file`: something follows its end")
            value = read_line(line)
            # A checkpoint that came after what it speaks of would be compared with nothing.
            before, kind = kind, kind_of(value)
            if kind < before:
                raise InputError("`--file`: its lines are in another order than they are written in")
            if "writer" in value:
                writer, started_at = read_writer(value)
                writers[writer] = started_at
            elif "checkpoint" in value:
                yield from self._checkpoint(proof, value.get("number"), value["checkpoint"])
            elif "record" in value:
                yield from self._record(proof, read_record(value))
            else:
                ended = value.get("end") == self.tally.records
        if not ended:
            raise InputError("`--file`: it has no end, or another number of records than it says")
        yield from self._finish(proof)

    def _record(self, proof: Proof, found: StoredRecord) -> Iterator[Finding]:
        yield from proof.feed(found)
        self.tally.records += 1

    def _finish(self, proof: Proof) -> Iterator[Finding]:
        yield from proof.finish()
        self.tally.writers = len(proof.writers)

    def _kept(self, proof: Proof) -> Iterator[Finding]:
        for name, statement in self.kept:
            read = self._read(statement, name)
            if isinstance(read, Finding):
                yield read
            else:
                self.tally.kept += 1
                yield from proof.expect(read.heads, name)

    def _checkpoint(self, proof: Proof, number: Any, statement: Any) -> Iterator[Finding]:
        """A checkpoint of the log itself: signed, the one after the last, and named by the next."""
        name = f"number {number}"
        self.tally.checkpoints += 1
        read = self._read(statement, name)
        if isinstance(read, Finding):
            yield read
        else:
            if read.previous != self._last:
                yield Finding(
                    Fault.CHECKPOINT, source=f"{name}: the one before it is not the one that was there"
                )
            yield from proof.expect(read.heads, name)
        self._last = statement_digest(str(statement))

    def _read(self, statement: Any, name: str) -> Checkpoint | Finding:
        try:
            return read_checkpoint(statement if isinstance(statement, str) else "", self.keys)
        except InputError as error:
            return Finding(Fault.CHECKPOINT, source=f"{name}: {error}")
