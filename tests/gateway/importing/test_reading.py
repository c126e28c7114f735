from __future__ import annotations

from pathlib import Path

import pytest

from gateway.importing.problems import ProblemCode
from gateway.importing.reading import LONGEST_FIELD, RowReader, SourceRow
from gateway.importing.source import inspect
from schema.errors import InputError


def _read(path: Path, content: str) -> list[SourceRow]:
    path.write_text(content, encoding="utf-8")
    with RowReader(inspect(path)) as reader:
        return list(reader)


def test_quoted_newlines_quotes_and_delimiters_stay_in_their_cell(tmp_path: Path) -> None:
    rows = _read(tmp_path / "m.csv", 'a,b\r\n"one\nline, two","say ""hi"""\r\nx,y\r\n')

    assert [row.cells for row in rows] == [{"a": "one\nline, two", "b": 'say "hi"'}, {"a": "x", "b": "y"}]
    assert [row.number for row in rows] == [2, 3]


def test_headings_are_compared_without_case_and_space(tmp_path: Path) -> None:
    assert _read(tmp_path / "m.csv", " E-Mail ,NAME\n1,2\n")[0].cells == {"e-mail": "1", "name": "2"}


def test_ragged_rows_are_reported_and_blank_ones_skipped_but_counted(tmp_path: Path) -> None:
    rows = _read(tmp_path / "m.csv", "a,b\n1\n\n1,2,3\n1,2\n")

    assert [(row.number, row.problem) for row in rows] == [
        (2, ProblemCode.RAGGED_ROW),
        (4, ProblemCode.RAGGED_ROW),
        (5, None),
    ]


def test_a_nul_byte_does_not_stop_the_file(tmp_path: Path) -> None:
    rows = _read(tmp_path / "m.csv", "a,b\n1\0,2\n3,4\n")

    assert [row.cells["a"] for row in rows] == ["1\0", "3"]


def test_a_repeated_heading_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the same name in columns 1 and 3, and in columns 2 and 4 and 5"):
        _read(tmp_path / "m.csv", "email,name,Email,NAME,name\n1,2,3,4,5\n")


@pytest.mark.clause("R1")
def test_a_row_of_data_in_place_of_the_header_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        _read(tmp_path / "m.csv", "7,+1 415 555 2671,+1 415 555 2671\n8,+1 415 555 2672,\n")

    assert "columns 2 and 3" in str(told.value)
    assert "415" not in str(told.value)


def test_an_open_quote_stops_with_the_line_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="beyond line"):
        _read(tmp_path / "m.csv", 'a,b\n1,"2\n' + "3,4\n" * (LONGEST_FIELD // 4 + 10))


def test_json_lines_are_flattened_and_bad_lines_reported(tmp_path: Path) -> None:
    rows = _read(
        tmp_path / "m.jsonl",
        '{"Email": "a@example.com", "address": {"city": "Rome"}, "interests": ["chess", "tea"], "n": 7}\n'
        "\n[1]\n{broken\n" + '{"a": "' + "x" * (LONGEST_FIELD + 5) + '"}\n' + '{"email": "b@example.com"}',
    )

    assert rows[0].cells == {
        "email": "a@example.com",
        "address.city": "Rome",
        "interests": "chess,tea",
        "n": "7",
    }
    assert [(row.number, row.problem) for row in rows[1:4]] == [
        (3, ProblemCode.NOT_JSON),
        (4, ProblemCode.NOT_JSON),
        (5, ProblemCode.NOT_JSON),
    ]
    assert rows[4] == SourceRow(6, {"email": "b@example.com"})
