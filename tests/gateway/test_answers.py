"""Lines of objects that are encoded together are those of objects that are encoded one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.answers import encode_lines

TEXTS = st.text(st.sampled_from('},"{\\[]:\n\x1fa\u20ac'), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | TEXTS
OBJECTS = st.dictionaries(TEXTS, SCALARS | st.lists(TEXTS, max_size=3), max_size=3)
NODES = st.dictionaries(TEXTS, SCALARS | OBJECTS | st.lists(OBJECTS | st.none(), max_size=3), max_size=3)


@given(st.lists(st.fixed_dictionaries({"node": NODES}), max_size=4))
@example([{"node": {"a": '},"",{'}}, {"node": {"a": "},"}}, {"node": {"a": "", "": [""]}}])
@example([{"node": {"a": [{"": ""}, None, {}]}}, {"node": {}}])
def test_objects_are_encoded_together_as_each_would_be(objects: list[dict[str, Any]]) -> None:
    alone = [orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in objects]
    assert encode_lines(objects) == b"".join(alone)


@pytest.mark.parametrize("objects", [[], [{}], [{}, {}]])
def test_empty_ones_are_lines_as_well(objects: list[dict[str, Any]]) -> None:
    assert encode_lines(objects) == b"{}\n" * len(objects)


def test_an_instant_is_written_in_utc() -> None:
    assert encode_lines([{"at": datetime(2026, 3, 1, tzinfo=UTC)}]) == b'{"at":"2026-03-01T00:00:00Z"}\n'
