from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from policies.disclosure_chain import beginning, digest
from policies.disclosure_proof import Fault, Head, Proof, StoredRecord
from tests.policies.test_disclosure_chain import FIXED

WRITER, START = FIXED.writer, datetime(2026, 1, 1, tzinfo=UTC)


def chain(positions: Iterable[int] = (1, 2, 3)) -> list[StoredRecord]:
    head, records = beginning(WRITER, START), []
    for position in positions:
        record = replace(FIXED, id=UUID(int=position), position=position)
        head = digest(record, head)
        records.append(StoredRecord(record, head, position))
    return records


def faults(records: list[StoredRecord], *heads: Head) -> list[tuple[Fault, int | None]]:
    proof = Proof({WRITER: START})
    found = [finding for head in heads for finding in proof.expect([head], "c")]
    found += [finding for record in records for finding in proof.feed(record)]
    found += proof.finish()
    return [(finding.fault, finding.position) for finding in found]


@pytest.mark.clause("R2")
def test_a_record_that_is_there_twice_is_found_though_its_digest_fits() -> None:
    one, two, three = chain()
    follows = replace(two.record, id=UUID(int=9))
    again = StoredRecord(follows, digest(follows, two.digest), 3)
    after = StoredRecord(three.record, digest(three.record, again.digest), 4)
    assert faults([one, two, three]) == []
    assert faults([one, two, again, after]) == [(Fault.TWICE, 2)]


@pytest.mark.clause("R2")
def test_a_place_that_does_not_rise_is_found() -> None:
    one, two, three = chain()
    assert faults([one, replace(two, place=1), three]) == [(Fault.ORDER, 2)]


@pytest.mark.clause("R2")
def test_after_removed_records_the_next_is_not_called_changed_as_well() -> None:
    one, _, three, four = chain((1, 2, 3, 4))
    assert faults([one, three, four]) == [(Fault.MISSING, 3)]


@pytest.mark.clause("R2")
def test_two_checkpoints_that_name_different_digests_are_found() -> None:
    records = chain()
    right, wrong = Head(WRITER, 2, records[1].digest), Head(WRITER, 2, bytes(32))
    assert faults(records, right) == []
    assert faults(records, right, wrong) == [(Fault.OTHER, 2)]
    assert faults(records, wrong) == [(Fault.OTHER, 2)]


@pytest.mark.clause("R2")
def test_a_writer_without_records_is_found_whether_listed_or_named_by_a_checkpoint() -> None:
    assert faults([]) == [(Fault.WRITER_GONE, None)]
    other = UUID(int=77)
    assert faults(chain(), Head(other, 4, bytes(32))) == [(Fault.WRITER_GONE, 4)]


@pytest.mark.clause("R2")
@pytest.mark.parametrize("value", [{"members": None}, {"client_id": None}, {"categories": [None]}])
def test_a_value_that_no_record_of_ours_has_is_a_finding_and_no_crash(value: Any) -> None:
    one, two, three = chain()
    assert faults([one, replace(two, record=replace(two.record, **value)), three]) == [(Fault.CHANGED, 2)]


def test_memory_stays_flat_however_many_records_there_are() -> None:
    proof, sizes = Proof({WRITER: START}), set()
    for record in chain(range(1, 400)):
        assert list(proof.feed(record)) == []
        sizes.add((len(proof._heads), len(proof._seen)))
    assert sizes == {(0, 1)}
