"""The disclosure log as JSON Lines: what `gateway disclosures export` writes and `verify --file` reads.

Lines come in this order, each an object with one of these keys first: `writer` (who wrote, since when),
`checkpoint` (a signed statement), `record` (all columns of a record; ids, times and digests as texts). The
last line is `end` with the number of records: a file without it was cut off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from policies.disclosure_chain import DIGEST_BYTES, ChainedRecord
from policies.disclosure_proof import StoredRecord
from schema.errors import InputError

KINDS: Final = ("writer", "checkpoint", "record", "end")
"""Of lines, in the order in which they come."""

_FIELDS: Final = tuple(ChainedRecord.__slots__)
_IDS: Final = ("id", "partner_id", "agreement_id", "writer")
_TEXTS: Final = ("client_id", "token_id", "operation_hash", "basis", "purpose")


def writer_line(writer: UUID, started_at: datetime) -> bytes:
    """The line of a writer."""
    return _line({"writer": str(writer), "started_at": started_at.isoformat()})


def checkpoint_line(number: int, statement: str) -> bytes:
    """The line of a checkpoint."""
    return _line({"checkpoint": statement, "number": number})


def record_line(found: StoredRecord) -> bytes:
    """The line of a record."""
    values = {name: getattr(found.record, name) for name in _FIELDS}
    values["recorded_at"] = found.record.recorded_at.isoformat()
    values["members"] = [str(member) for member in found.record.members]
    values |= {name: str(values[name]) for name in _IDS}
    return _line({"record": {**values, "digest": found.digest.hex(), "place": found.place}})


def end_line(records: int) -> bytes:
    """The last line."""
    return _line({"end": records})


def read_line(line: bytes) -> Mapping[str, Any]:
    """The object in a line.

    Raises:
        InputError: there is none.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InputError("the file holds a line that is no JSON") from error
    if not isinstance(value, dict):
        raise InputError("the file holds a line that is no object")
    return value


def kind_of(value: Mapping[str, Any]) -> int:
    """The place of a line's kind in `KINDS`; what is none of them is taken for the last."""
    return next((place for place, name in enumerate(KINDS) if name in value), len(KINDS) - 1)


def read_writer(value: Mapping[str, Any]) -> tuple[UUID, datetime]:
    """The writer in a line.

    Raises:
        InputError: the line is not one that we write.
    """
    try:
        return UUID(value["writer"]), datetime.fromisoformat(value["started_at"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError("the file holds a writer's line that is none") from error


def read_record(value: Mapping[str, Any]) -> StoredRecord:
    """The record in a line.

    Raises:
        InputError: the line is not one that we write, or its values are not of their types.
    """
    try:
        fields = value["record"]
        name = fields["operation_name"]
        ids: dict[str, Any] = {key: UUID(fields[key]) for key in _IDS}
        texts: dict[str, Any] = {key: _text(fields[key]) for key in _TEXTS}
        record = ChainedRecord(
            **ids,
            **texts,
            recorded_at=datetime.fromisoformat(fields["recorded_at"]),
            operation_name=None if name is None else _text(name),
            categories=[_text(category) for category in fields["categories"]],
            members=[UUID(member) for member in fields["members"]],
            position=int(fields["position"]),
        )
        digest = bytes.fromhex(fields["digest"])
        found = StoredRecord(record, digest, int(fields["place"]))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError("the file holds a record's line that is none") from error
    if len(digest) != DIGEST_BYTES or record.position < 1 or record.recorded_at.tzinfo is None:
        raise InputError("the file holds a record's line that is none")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _line(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value) + b"\n"
