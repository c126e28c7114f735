"""Rows of a file in batches: checked, repeated member numbers noted, one row a member left to store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from itertools import islice

from gateway.importing.problems import Problem, ProblemCode
from gateway.importing.reading import RowReader, SourceRow
from gateway.importing.rows import CheckedRow, RowChecker
from resolvers.commands.import_members import Batch
from resolvers.commands.member_records import MemberRecord


class _Repetitions:
    """Member numbers seen so far in the file: a later row replaces an earlier one, and says so."""

    def __init__(self, checker: RowChecker) -> None:
        self._checker = checker
        self._seen: set[int] = set()
        self._before: set[int] = set()

    def passing(self, rows: list[SourceRow]) -> list[SourceRow]:
        """The rows as they are, with those noted whose number came before."""
        self._before = set()
        for row in rows:
            number = self._checker.number_of(row)
            if number is not None:
                key = hash(number)
                if key in self._seen:
                    self._before.add(row.number)
                self._seen.add(key)
        return rows

    def noted(self, checked: list[CheckedRow]) -> list[CheckedRow]:
        """The checked rows, with the problem added where the number came before and the row is stored."""
        problem = Problem("member.number", ProblemCode.REPEATED_NUMBER)
        return [
            replace(row, problems=(*row.problems, problem))
            if row.number in self._before and row.record is not None
            else row
            for row in checked
        ]


async def ahead(batches: Iterator[list[CheckedRow]]) -> AsyncGenerator[list[CheckedRow]]:
    """The batches, each checked in a thread while the database stores the one before."""
    waiting = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
    try:
        while (batch := await waiting) is not None:
            waiting = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
            yield batch
    finally:
        await asyncio.gather(waiting, return_exceptions=True)


def checked_batches(
    reader: RowReader, checker: RowChecker, size: int, rows_done: int
) -> Iterator[list[CheckedRow]]:
    """The rows after number `rows_done`, checked; of those before only the member numbers are read."""
    repeated = _Repetitions(checker)
    rows = iter(reader)
    while batch := list(islice(rows, size)):
        left = [row for row in repeated.passing(batch) if row.number > rows_done]
        if left:
            yield repeated.noted([checker.check(row) for row in left])


def settle(checked: list[CheckedRow]) -> Batch:
    """The batch to store: of several rows with the same member number the last one that can be stored."""
    latest: dict[str, MemberRecord] = {}
    superseded = []
    for row in checked:
        if row.record is not None:
            before = latest.pop(row.record.number, None)
            if before is not None:
                superseded.append(before)
            latest[row.record.number] = row.record
    return Batch(
        last_row=checked[-1].number,
        records=list(latest.values()),
        rejected=sum(row.record is None for row in checked),
        superseded_accepted=sum(record.complete for record in superseded),
        superseded_invited=sum(not record.complete for record in superseded),
    )
