"""Log lines: one JSON object each, to stderr, made of names and numbers only.

Comes in: log records, ours and those of libraries. Goes out: lines in which no value of a request and
no data can stand. Our own lines consist of an event name and declared fields. A library's line keeps
its template and loses its arguments; an exception keeps its type and the place in the code, and loses
its message, because drivers and parsers quote what they choke on.

INVARIANT (quiet-log): nothing formats an exception's message or a record's arguments into a line.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self, TextIO, TypeAlias

import orjson

FieldValue: TypeAlias = str | int | float | bool | None

LINES_KEPT_SECONDS: Final = 0.2
MOST_LINES_KEPT: Final = 1_000
"""A line is kept in half a kilobyte."""

_OURS: Final = "gateway"
_PACKAGES: Final = frozenset({"gateway", "resolvers", "policies", "schema"})
_SILENCED: Final = ("uvicorn.access", "graphql", "strawberry.execution", "httpx", "httpcore")
"""They print addresses, variables or messages; our own access line and error line replace them."""


def new_request_id() -> str:
    """Name one request in answers and in the log: random, and never taken from a header."""
    return secrets.token_hex(8)


class RequestLines:
    """The access lines of a server, written together: one at a time they cost a third of a small read.

    While it is entered, `add` keeps lines for at most `LINES_KEPT_SECONDS`, or `MOST_LINES_KEPT` of them; all
    else of the log is written at once, and may stand before them.
    """

    def __init__(self) -> None:
        self._lines: list[tuple[float, str, Mapping[str, FieldValue]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to keep lines."""
        self._task = asyncio.create_task(self._run(), name="request-lines")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Write what is left, and each line at once from now on."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        self.write()

    def add(self, name: str, fields: Mapping[str, FieldValue]) -> None:
        """One line. The names are constants of the code; values are names and numbers."""
        if self._task is None:
            event(name, **fields)
            return
        self._lines.append((time.time(), name, fields))
        if len(self._lines) >= MOST_LINES_KEPT:
            self.write()

    def write(self) -> None:
        """Write what has been kept."""
        lines, self._lines = self._lines, []
        if not lines or not logging.getLogger(_OURS).isEnabledFor(logging.INFO):
            return
        text = "".join(
            [f"{_line(when, 'INFO', {'event': name, **fields})}\n" for when, name, fields in lines]
        )
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler) and isinstance(handler.formatter, JsonLines):
                # As `logging` does it: that a log cannot be written ends neither a request nor the log.
                with suppress(OSError, ValueError), handler.lock or nullcontext():
                    handler.stream.write(text)
                    handler.flush()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LINES_KEPT_SECONDS)
            self.write()


REQUESTS: Final = RequestLines()
"""Of this process."""


def event(name: str, level: int = logging.INFO, /, **fields: FieldValue) -> None:
    """Write one line. `name` and the field names are constants of the code; values are names and numbers."""
    logging.getLogger(_OURS).log(level, name, extra={"fields": fields})


def failure(name: str, error: BaseException, /, **fields: FieldValue) -> None:
    """Write one line about an error that the caller will see only as INTERNAL."""
    event(name, logging.ERROR, **fields, **describe(error))


def describe(error: BaseException) -> dict[str, FieldValue]:
    """The type of an error, of what caused it, and where in the code each arose. Never a message."""
    described: dict[str, FieldValue] = {"error": _type_name(error), "at": _place(error.__traceback__)}
    cause = error.__cause__ or getattr(error, "original_error", None) or error.__context__
    if isinstance(cause, BaseException):
        described["cause"] = _type_name(cause)
        described["cause_at"] = _place(cause.__traceback__)
    return described


def configure_logging(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send every logger of the process through the one formatter. Called once, when the program starts."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "sqlalchemy.engine"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in _SILENCED:
        logging.getLogger(name).disabled = True
    logging.raiseExceptions = False


class JsonLines(logging.Formatter):
    """The one formatter."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for one record."""
        line: dict[str, FieldValue] = {}
        if record.name.partition(".")[0] in _PACKAGES:
            fields: Mapping[str, FieldValue] = getattr(record, "fields", {})
            line = {"event": str(record.msg), **fields}
        else:
            line = {"logger": record.name, "at": f"{record.module}:{record.lineno}"}
            if record.args and isinstance(record.msg, str):
                line["template"] = record.msg
        if record.exc_info and record.exc_info[1] is not None:
            line |= describe(record.exc_info[1])
        return _line(record.created, record.levelname, line)


def _line(created: float, level: str, content: Mapping[str, FieldValue]) -> str:
    """The text of a line without its end; `created` in Unix seconds."""
    time_ = datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds")
    return orjson.dumps({"time": time_, "level": level, **content}, default=_type_name).decode()


def _type_name(value: object) -> str:
    """The qualified name of a value's type."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def _place(trace: TracebackType | None) -> str | None:
    """Where an error arose: module and line of the innermost frame of ours, or of the innermost at all."""
    found: str | None = None
    ours = False
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", "?"))
        mine = module.partition(".")[0] in _PACKAGES
        if mine or not ours:
            found = f"{module}:{trace.tb_lineno}"
            ours = ours or mine
        trace = trace.tb_next
    return found
