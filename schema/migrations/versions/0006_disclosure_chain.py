"""The hash chains of the disclosure log, its checkpoints, and where a member's records are.

Records that are there already become one chain, in the order in which they were made: from now on nobody
changes them unseen. What was done to them before, nothing can tell.

`disclosures_of` and `disclosures_count` find a member's records: in the newest stretch of the log by looking
at each, in the parts before it by `disclosure_of` (docs/decisions/0017). They are functions because no one
plan is good for a member who is in every record and for one who is in ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BATCH: Final = 500
"""Existing records that are chained at a time."""

_FIND: Final = """
CREATE FUNCTION disclosures_of(whom uuid, below bigint, most bigint) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
  part_number bigint;
  wanted bigint := most;
  found bigint;
BEGIN
  RETURN QUERY SELECT d.place FROM disclosure d
    WHERE d.place > (SELECT coalesce(max(until), 0) FROM disclosure_part)
      AND (below IS NULL OR d.place < below) AND whom = ANY (d.members)
    ORDER BY d.place DESC LIMIT wanted;
  GET DIAGNOSTICS found = ROW_COUNT;
  wanted := wanted - found;
  FOR part_number IN SELECT number FROM disclosure_part
    WHERE below IS NULL OR since < below ORDER BY since DESC LOOP
    EXIT WHEN wanted <= 0;
    RETURN QUERY SELECT p FROM disclosure_of o, unnest(o.places) p
      WHERE o.part = part_number AND o.member = whom AND (below IS NULL OR p < below)
      ORDER BY p DESC LIMIT wanted;
    GET DIAGNOSTICS found = ROW_COUNT;
    wanted := wanted - found;
  END LOOP;
END $$
"""

_COUNT: Final = """
CREATE FUNCTION disclosures_count(whom uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT (SELECT count(*) FROM disclosure d
          WHERE d.place > (SELECT coalesce(max(until), 0) FROM disclosure_part) AND whom = ANY (d.members))
       + (SELECT coalesce(sum(cardinality(o.places)), 0) FROM disclosure_part, disclosure_of o
          WHERE o.part = disclosure_part.number AND o.member = whom)::bigint
$$
"""


def upgrade() -> None:
    """Chain the records, make the tables and functions, grant."""
    _create_tables()
    _chain_records()
    op.execute(_FIND)
    op.execute(_COUNT)
    _grant()


def _create_tables() -> None:
    op.create_table(
        "disclosure_writer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_disclosure_writer"),
    )
    op.create_table(
        "disclosure_checkpoint",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_disclosure_checkpoint"),
    )
    op.create_table(
        "disclosure_part",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_disclosure_part"),
    )
    op.create_index("uq_disclosure_part_since", "disclosure_part", ["since"], unique=True)
    op.create_table(
        "disclosure_of",
        sa.Column("part", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("places", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("part", "member", name="pk_disclosure_of"),
    )


def _chain_records() -> None:
    op.drop_index("ix_disclosure_members", "disclosure")
    op.drop_constraint("pk_disclosure", "disclosure")
    op.add_column("disclosure", sa.Column("writer", sa.Uuid(), nullable=True))
    op.add_column("disclosure", sa.Column("position", sa.BigInteger(), nullable=True))
    op.add_column("disclosure", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.add_column("disclosure", sa.Column("place", sa.BigInteger(), nullable=True))
    connection = op.get_bind()
    if connection.scalar(sa.text("SELECT EXISTS (SELECT FROM disclosure)")):
        _chain(connection)
    for name in ("writer", "position", "digest", "place"):
        op.alter_column("disclosure", name, nullable=False)
    op.create_primary_key("pk_disclosure", "disclosure", ["place"])
    op.execute("ALTER TABLE disclosure ALTER place ADD GENERATED ALWAYS AS IDENTITY")
    op.execute(
        "SELECT setval(pg_get_serial_sequence('disclosure', 'place'), max(place)) FROM disclosure"
        " HAVING max(place) IS NOT NULL"
    )
    op.create_index("uq_disclosure_writer_position", "disclosure", ["writer", "position"], unique=True)
    # Random ids do not compress: trying costs time at each record.
    op.execute("ALTER TABLE disclosure ALTER members SET STORAGE EXTERNAL")


def _chain(connection: sa.Connection) -> None:
    """One chain over what is there; `policies.disclosure_chain` as it was at this revision."""
    writer, started_at = uuid4(), datetime.now(UTC)
    connection.execute(
        sa.text("INSERT INTO disclosure_writer (id, started_at) VALUES (:id, :at)"),
        {"id": writer, "at": started_at},
    )
    connection.execute(
        sa.text(
            "UPDATE disclosure SET place = made.place FROM (SELECT ctid AS at, row_number() OVER"
            " (ORDER BY recorded_at, id) AS place FROM disclosure) AS made WHERE disclosure.ctid = made.at"
        )
    )
    op.create_index("ix_disclosure_chained", "disclosure", ["place"])
    before = sha256(b"member-gateway disclosure writer 1\n" + writer.bytes + _instant(started_at)).digest()
    position = 0
    while rows := _from(connection, position):
        chained = []
        for row in rows:
            position += 1
            before = _digest(row, writer, position, before)
            chained.append({"writer": writer, "place": position, "digest": before})
        connection.execute(
            sa.text(
                "UPDATE disclosure SET writer = :writer, position = place, digest = :digest"
                " WHERE place = :place"
            ),
            chained,
        )
    op.drop_index("ix_disclosure_chained", "disclosure")


def _from(connection: sa.Connection, place: int) -> Sequence[sa.Row[Any]]:
    query = (
        "SELECT id, recorded_at, partner_id, agreement_id, client_id, token_id, operation_name,"
        " operation_hash, basis, purpose, categories, members FROM disclosure"
        " WHERE place > :place AND place <= :place + :most ORDER BY place"
    )
    return connection.execute(sa.text(query), {"place": place, "most": BATCH}).fetchall()


def _digest(row: sa.Row[Any], writer: UUID, position: int, before: bytes) -> bytes:
    name = b"-" if row.operation_name is None else b"+" + _text(row.operation_name)
    parts = (
        b"member-gateway disclosure 1\n",
        before,
        writer.bytes,
        position.to_bytes(8),
        row.id.bytes,
        _instant(row.recorded_at),
        row.partner_id.bytes,
        row.agreement_id.bytes,
        _text(row.client_id),
        _text(row.token_id),
        name,
        _text(row.operation_hash),
        _text(row.basis),
        _text(row.purpose),
        _sized(b"".join(map(_text, row.categories))),
        _sized(b"".join(member.bytes for member in row.members)),
    )
    return sha256(b"".join(parts)).digest()


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(8) + data


def _text(text: str) -> bytes:
    return _sized(text.encode())


def _instant(moment: datetime) -> bytes:
    return ((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)).to_bytes(8, signed=True)


def _grant() -> None:
    op.execute("REVOKE ALL ON disclosure_writer, disclosure_checkpoint FROM PUBLIC")
    op.execute("REVOKE ALL ON disclosure_part, disclosure_of FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT ON disclosure_writer, disclosure_checkpoint TO gateway_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON disclosure_part, disclosure_of TO gateway_app")
    op.execute("GRANT SELECT ON disclosure_part, disclosure_of TO gateway_reader")
    op.execute("REVOKE ALL ON FUNCTION disclosures_of, disclosures_count FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION disclosures_of, disclosures_count TO gateway_app, gateway_reader")
