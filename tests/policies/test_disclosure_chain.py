from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.disclosure_chain import ChainedRecord, LogIds, beginning, digest

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
IDS = st.uuids()
NUMBERS = st.integers(1, 2**62)
MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone follows
BEFORE = st.binary(min_size=32, max_size=32)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": IDS,
    "recorded_at": MOMENTS,
    "partner_id": IDS,
    "agreement_id": IDS,
    "client_id": TEXTS,
    "token_id": TEXTS,
    "operation_name": st.none() | TEXTS,
    "operation_hash": TEXTS,
    "basis": TEXTS,
    "purpose": TEXTS,
    "categories": st.lists(TEXTS, max_size=4),
    "members": st.lists(IDS, max_size=4),
    "writer": IDS,
    "position": NUMBERS,
}
RECORDS = st.builds(ChainedRecord, **VALUES)
FIXED = ChainedRecord(
    id=UUID(int=1), recorded_at=datetime(2026, 1, 1, tzinfo=UTC), partner_id=UUID(int=2),
    agreement_id=UUID(int=3), client_id="c", token_id="t", operation_name=None, operation_hash="h",
    basis="b", purpose="p", categories=("x", "y"), members=(UUID(int=4),), writer=UUID(int=5), position=1,
)  # fmt: skip


def test_every_field_is_drawn() -> None:
    assert [field.name for field in fields(ChainedRecord)] == list(VALUES)


@pytest.mark.clause("R2")
@given(st.data(), RECORDS, BEFORE)
def test_any_change_of_any_field_changes_the_digest(
    data: st.DataObject, record: ChainedRecord, before: bytes
) -> None:
    name = data.draw(st.sampled_from(list(VALUES)))
    other = replace(record, **{name: data.draw(VALUES[name])})
    assert (digest(other, before) == digest(record, before)) == (other == record)


@given(RECORDS, RECORDS, BEFORE, BEFORE)
def test_two_digests_are_alike_only_for_the_same_record_after_the_same_digest(
    one: ChainedRecord, other: ChainedRecord, before: bytes, another: bytes
) -> None:
    assert (digest(one, before) == digest(other, another)) == ((one, before) == (other, another))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"client_id": "ab", "token_id": "c"}, {"client_id": "a", "token_id": "bc"}),
        ({"categories": ["ab"]}, {"categories": ["a", "b"]}),
        ({"categories": []}, {"categories": [""]}),
        ({"operation_name": None}, {"operation_name": ""}),
        ({"operation_name": None}, {"operation_name": "-"}),
        ({"members": [UUID(int=1), UUID(int=2)]}, {"members": [UUID(int=2), UUID(int=1)]}),
    ],
)
def test_values_do_not_run_into_each_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert digest(replace(FIXED, **one), b"") != digest(replace(FIXED, **other), b"")


@pytest.mark.clause("R2")
@given(st.lists(IDS, max_size=4), BEFORE)
def test_members_that_never_became_objects_are_digested_as_the_same_record(
    ids: list[UUID], before: bytes
) -> None:
    members = LogIds.distinct(member.bytes for member in ids)
    once = list(dict.fromkeys(ids))
    assert (len(members), list(members), members[:1], members[-1:]) == (
        len(once),
        once,
        LogIds.of(once[:1]),
        LogIds.of(once[-1:]),
    )
    assert LogIds.of(ids) == LogIds.of(members) == members
    assert digest(replace(FIXED, members=members), before) == digest(replace(FIXED, members=once), before)


def test_the_zone_in_which_a_moment_is_written_does_not_matter() -> None:
    elsewhere = FIXED.recorded_at.astimezone(timezone(timedelta(hours=5)))
    assert digest(replace(FIXED, recorded_at=elsewhere), b"") == digest(FIXED, b"")


def test_the_encoding_of_version_1_stays_as_it_is() -> None:
    """Records of years have been chained with it, and migration 0006 repeats it."""
    start = beginning(FIXED.writer, FIXED.recorded_at)
    assert digest(FIXED, start).hex() == "6822fa043cfc04b0d1da10771d9565bf306ca1122e0d939097f66856017f4c76"
