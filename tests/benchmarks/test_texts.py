"""The documents that are asked."""

from __future__ import annotations

from graphql import OperationDefinitionNode, parse

from benchmarks.checking import numbered, without_cursors, without_number
from benchmarks.texts import CORRECTION, FRESH, NUMBER, PAGE, PROFILE, ROTATION, rotation
from benchmarks.workloads import Request


def test_the_rotation_has_a_thousand_different_documents() -> None:
    texts = [text for text, _ in rotation()]
    assert len(set(texts)) == len(texts) == ROTATION
    assert len({tuple(fields) for _, fields in rotation()}) == 255
    for text in (*texts[:20], PROFILE, PAGE, CORRECTION):
        (operation,) = parse(text).definitions
        assert isinstance(operation, OperationDefinitionNode)


def test_a_fresh_document_is_valid_with_any_number() -> None:
    one = numbered(Request(FRESH, {"input": {"interests": [f"no. {NUMBER}"]}}, "token"), 7)
    assert "query Profile000000000007 " in one.query
    assert one.variables == {"input": {"interests": ["no. 000000000007"]}}


def test_only_cursors_and_numbers_are_left_out_of_a_comparison() -> None:
    told = {
        "pageInfo": {"endCursor": "x", "hasNextPage": True},
        "edges": [{"node": {"interests": ["no. 1", "go"]}}],
    }
    assert without_number(without_cursors(told)) == {
        "pageInfo": {"endCursor": True, "hasNextPage": True},
        "edges": [{"node": {"interests": ["go"]}}],
    }
