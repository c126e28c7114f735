"""Disclosure records as PostgreSQL's binary COPY takes them (documentation of COPY, "Binary Format").

In: a chained record and its digest. Out: bytes of one row. A driver that is given the values looks at each
member of each record to find out how to write it, which costs more than all the rest of a record; here it is
known. The columns and their types are those of `schema.tables.disclosures.Disclosure`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final
from uuid import UUID

from policies.disclosure_chain import ChainedRecord

COLUMNS: Final = (*ChainedRecord.__slots__, "digest")
"""In the order in which `row` writes them."""

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""The signature, no flags, no extension."""

TRAILER: Final = b"\xff\xff"

_COUNT: Final = len(COLUMNS).to_bytes(2)
_NULL: Final = b"\xff\xff\xff\xff"
_SIXTEEN: Final = (16).to_bytes(4)
_EIGHT: Final = (8).to_bytes(4)

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_ARRAY: Final = Struct("!iiIii")
"""Of one dimension: dimensions, whether there are nulls, type of the elements, how many, the first index."""

_TEXT_OID: Final = 25
_UUID_OID: Final = 2950
"""Object ids of types that every PostgreSQL has had since it has them (catalog/pg_type.dat)."""


def copied(rows: Iterable[bytes]) -> bytes:
    """The data of a whole COPY."""
    return b"".join((HEADER, *rows, TRAILER))


def row(record: ChainedRecord, digest: bytes) -> bytes:
    """One row of `disclosure`."""
    name = record.operation_name
    return b"".join(
        (
            _COUNT,
            _uuid(record.id),
            _EIGHT,
            ((record.recorded_at - _EPOCH) // _MICROSECOND).to_bytes(8, signed=True),
            _uuid(record.partner_id),
            _uuid(record.agreement_id),
            _text(record.client_id),
            _text(record.token_id),
            _NULL if name is None else _text(name),
            _text(record.operation_hash),
            _text(record.basis),
            _text(record.purpose),
            _array(_TEXT_OID, [_text(category) for category in record.categories]),
            _array(_UUID_OID, [_SIXTEEN + member.bytes for member in record.members]),
            _uuid(record.writer),
            _EIGHT,
            record.position.to_bytes(8, signed=True),
            _sized(digest),
        )
    )


def _uuid(value: UUID) -> bytes:
    return _SIXTEEN + value.bytes


def _text(text: str) -> bytes:
    return _sized(text.encode())


def _array(oid: int, elements: Sequence[bytes]) -> bytes:
    if not elements:
        return _sized(_ARRAY.pack(0, 0, oid, 0, 0)[:12])
    return _sized(_ARRAY.pack(1, 0, oid, len(elements), 1) + b"".join(elements))


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data
