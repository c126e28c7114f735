"""How long work shows itself: a bar on a terminal, and a plain line now and then where output is piped."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

LINE_INTERVAL: Final = 5.0
"""Seconds between two plain lines."""


class ProgressBar:
    """A bar from 0 to `total`, with a note beside it. Use it as a context manager."""

    def __init__(self, label: str, total: float, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._label = label
        self._total = max(total, 1)
        self._last_line = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TextColumn("{task.fields[note]}"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._task = self._bar.add_task(self._label, total=self._total, note="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: float, note: str = "") -> None:
        """Move to `done`."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, note=note)
        elif time.monotonic() - self._last_line >= LINE_INTERVAL:
            self._last_line = time.monotonic()
            self._console.print(f"{self._label}: {done / self._total:.0%} {note}", highlight=False)
