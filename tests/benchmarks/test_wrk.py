"""What the load generator is told, and what it tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.texts import NUMBER, PROFILE
from benchmarks.workloads import Request
from benchmarks.wrk import LoadError, TooSlowError, parse, script, write_requests

_TOLD = (
    "Running 3s test @ http://127.0.0.1:1\n"
    '=> {"requests": 6000, "microseconds": 3000000, "bytes": 1200000, "mean": 5.0, "p50": 5000, "p90": 7000,'
    ' "p99": 9000, "longest": 20000, "refused": %d, "broken": %d}\n'
)


def test_rates_and_sizes_are_worked_out_from_what_wrk_prints() -> None:
    load = parse(_TOLD % (0, 0))
    assert (load.rate, load.size) == (2_000, 200)
    assert (load.p50, load.p99) == (5_000, 9_000)


@pytest.mark.parametrize(
    "output", [_TOLD % (1, 0), _TOLD % (0, 1), "no figures", _TOLD.replace("6000", "0") % (0, 0)]
)
def test_a_load_that_was_not_answered_is_no_measurement(output: str) -> None:
    with pytest.raises(LoadError):
        parse(output)


def test_nothing_answered_may_be_asked_for_longer() -> None:
    with pytest.raises(TooSlowError):
        parse(_TOLD.replace("6000", "0") % (0, 0))
    with pytest.raises(LoadError, match="refused"):
        parse(_TOLD.replace("6000", "0") % (1, 0))


def test_requests_are_written_so_that_lua_reads_the_same_text(tmp_path: Path) -> None:
    path = tmp_path / "requests.lua"
    write_requests(path, [Request('{ a(b: "c\\d") }', {"first": 1}, "token")])
    text = path.read_text()
    assert r'body="{\"query\":\"{ a(b: \\\"c\\\\d\\\") }\",\"variables\":{\"first\":1}}"' in text
    assert "\\n" not in text


def test_a_newline_of_a_document_stays_one_in_json(tmp_path: Path) -> None:
    path = tmp_path / "requests.lua"
    write_requests(path, [Request(PROFILE, {}, "token")])
    assert "query Profile {\\\\n" in path.read_text()


def test_each_turn_numbers_fresh_requests_apart_from_those_before() -> None:
    first, second = (script(Path("x.lua"), fresh=True, turn=turn) for turn in (1, 2))
    assert first != second
    assert NUMBER in first
    assert "fresh, round, every, different = true, 1, 1, " in first
