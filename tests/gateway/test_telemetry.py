from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from gateway import telemetry
from gateway.telemetry import MOST_LINES_KEPT, JsonLines, RequestLines, configure_logging, event, failure

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


# -- request lines, which are written together


def numbers(stream: io.StringIO) -> list[int]:
    return [line["number"] for line in lines(stream) if line["event"] == "request"]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for is a stream
            await asyncio.sleep(0.01)


async def test_no_request_line_is_lost_when_the_server_stops(stream: io.StringIO) -> None:
    async with RequestLines() as kept:
        for number in range(5):
            kept.add("request", {"number": number})
        assert numbers(stream) == []
    assert numbers(stream) == [0, 1, 2, 3, 4]


async def test_nor_when_it_fails(stream: io.StringIO) -> None:
    with suppress(RuntimeError):
        async with RequestLines() as kept:
            kept.add("request", {"number": 1})
            raise RuntimeError
    assert numbers(stream) == [1]


async def test_a_request_line_is_written_while_others_are_waited_for(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "LINES_KEPT_SECONDS", 0.01)
    async with RequestLines() as kept:
        for number in range(3):
            kept.add("request", {"number": number})
            await until(lambda: kept._lines == [])
            assert number in numbers(stream)
    assert numbers(stream) == [0, 1, 2]


async def test_whatever_else_is_logged_is_written_at_once(stream: io.StringIO) -> None:
    async with RequestLines() as kept:
        kept.add("request", {"number": 1})
        failure("request.failed", ValueError())
        assert [line["event"] for line in lines(stream)] == ["request.failed"]
    assert [line["event"] for line in lines(stream)] == ["request.failed", "request"]


async def test_many_request_lines_are_not_kept_but_written(stream: io.StringIO) -> None:
    async with RequestLines() as kept:
        for number in range(2 * MOST_LINES_KEPT + 1):
            kept.add("request", {"number": number})
            assert len(kept._lines) < MOST_LINES_KEPT
        assert len(numbers(stream)) == 2 * MOST_LINES_KEPT
    assert numbers(stream) == list(range(2 * MOST_LINES_KEPT + 1))


async def test_a_request_line_is_a_line_as_every_other(stream: io.StringIO) -> None:
    kept = RequestLines()
    kept.add("request", {"number": 1, "code": None})  # before a server runs: at once
    async with kept:
        kept.add("request", {"number": 1, "code": None})
    kept.add("request", {"number": 1, "code": None})  # and after it
    said = [{name: value for name, value in line.items() if name != "time"} for line in lines(stream)]
    assert said == [{"level": "INFO", "event": "request", "number": 1, "code": None}] * 3
    assert len({len(line["time"]) for line in lines(stream)}) == 1


async def test_request_lines_are_left_out_where_the_level_says_so(stream: io.StringIO) -> None:
    logging.getLogger().setLevel(logging.WARNING)
    async with RequestLines() as kept:
        kept.add("request", {"number": 1})
    assert stream.getvalue() == ""


async def test_a_log_that_cannot_be_written_ends_nothing(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `logging`: what is lost are the lines of that moment."""

    def full(_: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(telemetry, "LINES_KEPT_SECONDS", 0.01)
    async with RequestLines() as kept:
        with monkeypatch.context() as patched:
            patched.setattr(stream, "write", full)
            kept.add("request", {"number": 1})
            await until(lambda: not kept._lines)
            for _ in range(MOST_LINES_KEPT):
                kept.add("request", {"number": 2})
        kept.add("request", {"number": 3})
        await until(lambda: numbers(stream) != [])
    assert numbers(stream) == [3]
