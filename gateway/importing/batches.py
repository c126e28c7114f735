"""Rows of a file in batches: checked, repeated member numbers noted.

INVARIANT (one-row-a-member): no member number stands twice in a batch, so that rows are applied one after
the other as they are written, wherever a batch or an interrupted run ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from datetime import datetime

from gateway.importing.problems import Problem, ProblemCode
from gateway.importing.reading import RowReader, SourceRow
from gateway.importing.rows import CheckedRow, RowChecker


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
    reader: RowReader, checker: RowChecker, size: int, rows_done: int, clock: Callable[[], datetime]
) -> Iterator[list[CheckedRow]]:
    """The rows after number `rows_done`, checked; of those before only the member numbers are read.

    The rows of one batch are checked as of one time, which `clock` tells when it is their turn.
    """
    seen: set[int] = set()
    for batch in _batches(reader, checker, size):
        before = {row.number for row, key in batch if key in seen}
        seen.update(key for _, key in batch if key is not None)
        left = [row for row, _ in batch if row.number > rows_done]
        if left:
            now = clock()
            yield _noted([checker.check(row, now) for row in left], before)


def _batches(
    reader: RowReader, checker: RowChecker, size: int
) -> Iterator[list[tuple[SourceRow, int | None]]]:
    """The rows in batches of at most `size`, each ended before a member number repeats in it.

    With each row comes the hash of its member number, which takes less room than the numbers of a whole file.
    """
    batch: list[tuple[SourceRow, int | None]] = []
    keys: set[int] = set()
    for row in reader:
        number = checker.number_of(row)
        key = None if number is None else hash(number)
        if len(batch) == size or key in keys:
            yield batch
            batch, keys = [], set()
        batch.append((row, key))
        if key is not None:
            keys.add(key)
    if batch:
        yield batch


def _noted(checked: list[CheckedRow], before: set[int]) -> list[CheckedRow]:
    """The checked rows, with a problem added where the number came before and the row is stored."""
    problem = Problem("member.number", ProblemCode.REPEATED_NUMBER)
    return [
        replace(row, problems=(*row.problems, problem))
        if row.number in before and row.record is not None
        else row
        for row in checked
    ]
