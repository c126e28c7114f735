"""One run of an import: rows in batches, checked, stored, reported. It resumes where the last one stopped.

1. Look at the file, bind the mapping to its header.
2. Find the job; a finished one is left alone unless it is to be done again.
3. Cut the rejects file back to what was committed; skip the rows done.
4. For each batch: check rows, then in one transaction store and report them.
5. Note that the job is finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.importing.batches import ahead, checked_batches
from gateway.importing.mapping import LoadedMapping, check_header
from gateway.importing.problems import Outcome, Problem, ProblemCode
from gateway.importing.reading import RowReader
from gateway.importing.rejects import RejectsFile
from gateway.importing.rows import CheckedRow, RowChecker
from gateway.importing.source import FileKind, Source, inspect
from policies.matrix import Matrix
from resolvers.commands.import_members import Batch, Ingredients, Job, finish_job, import_batch, open_job
from resolvers.commands.member_records import OptionalColumn
from resolvers.sealing import PhoneSealer
from schema.errors import UnavailableError

if TYPE_CHECKING:
    from resolvers.connection import Link

BATCH_ROWS: Final = 1_000
"""Rows in one transaction: some seconds of work are lost at most, and the commits cost nothing."""

ATTEMPTS: Final = 3
"""For a batch that met a concurrent command."""

Transaction = Callable[[], "AbstractAsyncContextManager[Link]"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is: bytes of the file, rows read in this run, and the job's counts."""

    position: int
    rows: int
    accepted: int
    invited: int
    rejected: int


@dataclass(slots=True)
class Summary:
    """What a run did. `already_finished`: nothing, because an earlier one did it all.

    `undated_yes` counts the rows of this run of which a yes was not taken because it bears no date.
    """

    source: Source
    absent: tuple[str, ...]
    rejects: Path | None = None
    resumed_after: int = 0
    already_finished: bool = False
    rows: int = 0
    accepted: int = 0
    invited: int = 0
    rejected: int = 0
    undated_yes: int = 0
    problems: dict[tuple[str, ProblemCode], int] = field(default_factory=dict)

    def count(self, job: Job) -> None:
        """Take over the counts of the whole file."""
        self.accepted, self.invited, self.rejected = job.accepted, job.invited, job.rejected


@dataclass(slots=True)
class Importer:
    """Imports one file. `transaction` opens a transaction under the role of commands; None checks rows only.

    `on_source` hears what the file turned out to be, `on_progress` of each batch.
    """

    path: Path
    mapping: LoadedMapping
    sealer: PhoneSealer
    matrix: Matrix
    transaction: Transaction | None
    again: bool = False
    batch_rows: int = BATCH_ROWS
    on_source: Callable[[Source, tuple[str, ...]], None] = lambda _source, _absent: None
    on_progress: Callable[[Progress], None] = lambda _progress: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def run(self) -> Summary:
        """Do all steps.

        Raises:
            InputError: the file or the mapping cannot be used at all.
            UnavailableError: the database went away, or another process imports the same file.
        """
        source = inspect(self.path)  # 1
        with RowReader(source) as reader:
            absent = () if reader.header is None else check_header(self.mapping.mapping, reader.header)
            summary = Summary(source, absent)
            self.on_source(source, absent)
            checker = RowChecker(
                self.mapping.mapping, absent=absent, sealer=self.sealer, dated=source.modified_at
            )
            if self.transaction is None:
                self._check_only(reader, checker, summary)
            else:
                await self._store(reader, checker, summary, self.transaction)
        return summary

    def _check_only(self, reader: RowReader, checker: RowChecker, summary: Summary) -> None:
        rejects = RejectsFile(self.path)
        rejects.resume_after(0)
        for checked in checked_batches(reader, checker, self.batch_rows, 0, self.clock):
            rejects.append(_reported(checked))
            for row in checked:
                summary.accepted += row.outcome is Outcome.ACCEPTED
                summary.invited += row.outcome is Outcome.INVITED
                summary.rejected += row.outcome is Outcome.REJECTED
            self._progress(reader, summary, checked)
        summary.rejects = rejects.path if rejects.path.exists() else None

    async def _store(
        self,
        reader: RowReader,
        checker: RowChecker,
        summary: Summary,
        transaction: Transaction,
    ) -> None:
        async with transaction() as connection:  # 2
            job = await open_job(
                connection,
                file_sha256=summary.source.sha256,
                mapping=self.mapping.key,
                now=self.clock(),
                again=self.again,
            )
        rejects = RejectsFile(self.path)
        summary.resumed_after = job.rows_done
        summary.already_finished = job.finished_at is not None
        if not summary.already_finished:
            rejects.resume_after(job.rows_done)  # 3
            stated = _stated(self.mapping, summary)
            batches = checked_batches(reader, checker, self.batch_rows, job.rows_done, self.clock)
            async with aclosing(ahead(batches)) as ready:  # 4
                async for batch in ready:
                    job, checked = await self._batch(transaction, job, batch, stated, rejects)
                    summary.count(job)
                    self._progress(reader, summary, checked)
            async with transaction() as connection:  # 5
                job = await finish_job(connection, job, self.clock())
        summary.count(job)
        summary.rejects = rejects.path if rejects.path.exists() else None

    async def _batch(
        self,
        transaction: Transaction,
        job: Job,
        checked: list[CheckedRow],
        stated: frozenset[OptionalColumn],
        rejects: RejectsFile,
    ) -> tuple[Job, list[CheckedRow]]:
        """Step 4 for one batch. The rejects file is written last, and cut back on a new attempt."""
        records = [row.record for row in checked if row.record is not None]
        batch = Batch(checked[-1].number, records, len(checked) - len(records))
        for attempt in range(ATTEMPTS):
            try:
                async with transaction() as connection:
                    using = Ingredients(stated, self.sealer.key_id, self.matrix, self.clock())
                    after, conflicts = await import_batch(connection, job, batch, using)
                    reasons = {conflict.row: conflict.reason for conflict in conflicts}
                    final = [_with_conflict(row, reasons.get(row.number)) for row in checked]
                    if attempt:
                        rejects.resume_after(job.rows_done)
                    rejects.append(_reported(final))
            except UnavailableError:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return after, final
        raise UnavailableError("the batch was not stored: start the import again")

    def _progress(self, reader: RowReader, summary: Summary, checked: list[CheckedRow]) -> None:
        summary.rows += len(checked)
        for row in checked:
            summary.undated_yes += row.undated_yes
            for problem in row.problems:
                key = (problem.field, problem.code)
                summary.problems[key] = summary.problems.get(key, 0) + 1
        self.on_progress(
            Progress(reader.position, summary.rows, summary.accepted, summary.invited, summary.rejected)
        )


def _stated(mapping: LoadedMapping, summary: Summary) -> frozenset[OptionalColumn]:
    targets = {target for target, _ in mapping.mapping.targets()} - set(summary.absent)
    return frozenset(column for column in OptionalColumn if f"member.{column.value}" in targets)


def _with_conflict(row: CheckedRow, reason: str | None) -> CheckedRow:
    if reason is None:
        return row
    code = ProblemCode(reason)
    target = {ProblemCode.EMAIL_TAKEN: "member.email", ProblemCode.USERNAME_TAKEN: "member.username"}.get(
        code, ""
    )
    return CheckedRow(row.number, Outcome.REJECTED, None, (*row.problems, Problem(target, code)))


def _reported(checked: Iterable[CheckedRow]) -> Iterator[tuple[int, Outcome, Problem]]:
    for row in checked:
        for problem in row.problems:
            yield row.number, row.outcome, problem


__all__ = ["BATCH_ROWS", "FileKind", "Importer", "Progress", "Summary"]
