from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import GraphQLError

import gateway.answers
import gateway.refusals
import schema.errors
from gateway.http.errors import STATUS, execution_errors, refuse
from gateway.refusals import Code
from schema.errors import CursorError, ForbiddenError, GatewayError, UnavailableError

DOCUMENTED = Path(__file__).resolve().parents[3] / "docs" / "errors.md"


def subclasses(kind: type[GatewayError]) -> set[type[GatewayError]]:
    return {kind} | {below for child in kind.__subclasses__() for below in subclasses(child)}


def all_codes() -> set[str]:
    ours = {schema.errors.__name__, gateway.refusals.__name__}
    tree = {kind.code for kind in subclasses(GatewayError) if kind.__module__ in ours}
    return tree | {code.value for code in Code}


def test_every_code_is_documented_with_its_status() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\d{3}) \|", DOCUMENTED.read_text(), re.MULTILINE)
    assert {code for code, _ in rows} == all_codes()
    assert {code: int(status) for code, status in rows} == {
        code: STATUS.get(code, 400) for code in all_codes()
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ForbiddenError("not for you"), 403, "FORBIDDEN"),
        (UnavailableError("later"), 503, "UNAVAILABLE"),
        (CursorError("no such cursor"), 400, "BAD_CURSOR"),
        (GatewayError("a bug of ours"), 500, "INTERNAL"),
        (ValueError("4711"), 500, "INTERNAL"),
    ],
)
def test_each_error_has_a_status_and_a_code(error: Exception, status: int, code: str) -> None:
    failure = refuse(error, "r1")
    assert (failure.status, failure.code) == (status, code)
    assert b"4711" not in failure.body
    assert b"a bug of ours" not in failure.body


def test_an_error_of_ours_is_found_below_any_wrapping() -> None:
    inner = GraphQLError("4711", original_error=CursorError("begin again without `after`"))
    (error,) = execution_errors([GraphQLError("4712", path=["a", 0], original_error=inner)], "r1")
    assert error == {
        "message": "begin again without `after`",
        "extensions": {"code": "BAD_CURSOR"},
        "path": ["a", 0],
    }


def test_a_wrong_argument_found_in_execution_does_not_print_it() -> None:
    (error,) = execution_errors([GraphQLError("Argument 'first' has invalid value: 4711", path=["a"])], "r1")
    assert error["extensions"]["code"] == "BAD_INPUT"
    assert "4711" not in error["message"]
