"""Log lines: one JSON object each, to stderr, made of names and numbers only.

Comes in: log records, ours and those of libraries. Goes out: lines in which no value of a request and
no data can stand. Our own lines consist of an event name and declared fields. A library's line keeps
its template and loses its arguments; an exception keeps its type and the place in the code, and loses
its message, because drivers and parsers quote what they choke on.

INVARIANT (quiet-log): nothing formats an exception's message or a record's arguments into a line.
"""

from __future__ import annotations

import json
import logging
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, TextIO, TypeAlias

FieldValue: TypeAlias = str | int | float | bool | None

_OURS: Final = "gateway"
_PACKAGES: Final = frozenset({"gateway", "resolvers", "policies", "schema"})
_SILENCED: Final = ("uvicorn.access", "graphql", "strawberry.execution", "httpx", "httpcore")
"""They print addresses, variables or messages; our own access line and error line replace them."""


def new_request_id() -> str:
    """Name one request in answers and in the log: random, and never taken from a header."""
    return secrets.token_hex(8)


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
        line: dict[str, FieldValue] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
        }
        if record.name.partition(".")[0] in _PACKAGES:
            fields: Mapping[str, FieldValue] = getattr(record, "fields", {})
            line |= {"event": str(record.msg), **fields}
        else:
            line |= {"logger": record.name, "at": f"{record.module}:{record.lineno}"}
            if record.args and isinstance(record.msg, str):
                line["template"] = record.msg
        if record.exc_info and record.exc_info[1] is not None:
            line |= describe(record.exc_info[1])
        return json.dumps(line, default=_type_name)


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
