from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from gateway import telemetry
from gateway.telemetry import JsonLines, configure_logging, event, failure

SECRET = "4711-0815"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    kept, level = root.handlers, root.level
    raises = logging.raiseExceptions
    opened = io.StringIO()
    configure_logging(stream=opened)
    yield opened
    root.handlers, root.level = kept, level
    logging.raiseExceptions = raises
    for name in telemetry._SILENCED:
        logging.getLogger(name).disabled = False


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_event_and_its_fields(stream: io.StringIO) -> None:
    event("started", port=8000)
    (line,) = lines(stream)
    assert (line["event"], line["port"], line["level"]) == ("started", 8000, "INFO")


def test_an_error_is_named_by_type_and_place(stream: io.StringIO) -> None:
    def fails() -> None:
        try:
            {"": 0}[SECRET]
        except KeyError as cause:
            raise RuntimeError(SECRET) from cause

    try:
        fails()
    except RuntimeError as error:
        failure("request.failed", error)
    (line,) = lines(stream)
    assert (line["error"], line["cause"]) == ("builtins.RuntimeError", "builtins.KeyError")
    assert line["at"].startswith("tests.gateway.test_telemetry:")
    assert SECRET not in stream.getvalue()


def test_a_library_may_say_what_but_not_about_whom(stream: io.StringIO) -> None:
    library = logging.getLogger("some.library")
    library.warning("cannot store %s", SECRET)
    library.warning(f"cannot store {SECRET}")
    try:
        int(SECRET)
    except ValueError:
        library.exception("failed")
    assert [line.get("template") for line in lines(stream)] == ["cannot store %s", None, None]
    assert lines(stream)[2]["error"] == "builtins.ValueError"
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("name", ["uvicorn.access", "graphql", "strawberry.execution"])
def test_those_that_print_requests_are_silent(stream: io.StringIO, name: str) -> None:
    logging.getLogger(name).error("%s", SECRET)
    assert stream.getvalue() == ""


def test_a_line_is_one_line() -> None:
    record = logging.LogRecord("some.library", logging.INFO, __file__, 1, "two\nlines %s", ("x",), None)
    assert "\n" not in JsonLines().format(record)
