"""A part of the disclosure log holds buckets of members, not a row for each of them.

What was found by member stays found: the rows there are become buckets, and the three functions that read
them read those (docs/decisions/0017). `disclosure_bucket` says which bucket a member is in. It must never
say anything else: the buckets that are stored would be read wrongly.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_BUCKET: Final = """
CREATE FUNCTION disclosure_bucket(member uuid) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (get_byte(uuid_send(member), 14) & 3) << 8 | get_byte(uuid_send(member), 15)
"""
"""Ten bits out of the last two bytes of a `log_id`, which is random: 1,024 buckets, alike in size."""

_JOINED: Final = (
    "CREATE AGGREGATE disclosure_joined(anycompatiblearray)"
    " (sfunc = array_cat, stype = anycompatiblearray, initcond = '{}')"
)

_FOUND: Final = """
CREATE FUNCTION disclosures_in(part_number bigint, whom uuid) RETURNS SETOF bigint
LANGUAGE sql STABLE ROWS 5 AS $$
  SELECT entry.place FROM (SELECT unnest(members) AS member, unnest(places) AS place FROM disclosure_of
    WHERE part = part_number AND bucket = disclosure_bucket(whom)) AS entry WHERE entry.member = whom
$$
"""

_FIND: Final = """
CREATE OR REPLACE FUNCTION disclosures_of(whom uuid, below bigint, most bigint) RETURNS SETOF bigint
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
    RETURN QUERY SELECT p FROM disclosures_in(part_number, whom) p
      WHERE below IS NULL OR p < below ORDER BY p DESC LIMIT wanted;
    GET DIAGNOSTICS found = ROW_COUNT;
    wanted := wanted - found;
  END LOOP;
END $$
"""

_FIND_OWN: Final = """
CREATE OR REPLACE FUNCTION own_disclosures_of(whom uuid, below bigint, most bigint, at timestamptz)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
  hidden uuid[] := ARRAY(SELECT id FROM agreement WHERE deferred_until > at);
  part_number bigint;
  wanted bigint := most;
  found bigint;
BEGIN
  IF cardinality(hidden) = 0 THEN
    RETURN QUERY SELECT disclosures_of(whom, below, most);
    RETURN;
  END IF;
  RETURN QUERY SELECT d.place FROM disclosure d
    WHERE d.place > (SELECT coalesce(max(until), 0) FROM disclosure_part)
      AND (below IS NULL OR d.place < below) AND whom = ANY (d.members) AND d.agreement_id <> ALL (hidden)
    ORDER BY d.place DESC LIMIT wanted;
  GET DIAGNOSTICS found = ROW_COUNT;
  wanted := wanted - found;
  FOR part_number IN SELECT number FROM disclosure_part
    WHERE below IS NULL OR since < below ORDER BY since DESC LOOP
    EXIT WHEN wanted <= 0;
    RETURN QUERY SELECT d.place FROM disclosures_in(part_number, whom) p JOIN disclosure d ON d.place = p
      WHERE (below IS NULL OR p < below) AND d.agreement_id <> ALL (hidden)
      ORDER BY p DESC LIMIT wanted;
    GET DIAGNOSTICS found = ROW_COUNT;
    wanted := wanted - found;
  END LOOP;
END $$
"""

_COUNT: Final = """
CREATE OR REPLACE FUNCTION disclosures_count(whom uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT (SELECT count(*) FROM disclosure d
          WHERE d.place > (SELECT coalesce(max(until), 0) FROM disclosure_part) AND whom = ANY (d.members))
       + (SELECT coalesce(sum(cardinality(array_positions(o.members, whom))), 0)
          FROM disclosure_part, disclosure_of o
          WHERE o.part = disclosure_part.number AND o.bucket = disclosure_bucket(whom))::bigint
$$
"""


def upgrade() -> None:
    """Put what there is into buckets; read those."""
    op.execute(_BUCKET)
    op.execute(_JOINED)
    op.rename_table("disclosure_of", "disclosure_of_member")
    op.drop_constraint("pk_disclosure_of", "disclosure_of_member")
    op.create_table(
        "disclosure_of",
        sa.Column("part", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("members", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("places", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("part", "bucket", name="pk_disclosure_of"),
    )
    # Neither compresses well enough to pay for trying.
    op.execute(
        "ALTER TABLE disclosure_of ALTER members SET STORAGE EXTERNAL, ALTER places SET STORAGE EXTERNAL"
    )
    # Sorted, on disk if need be: arrays that grow side by side in a table of hashes know no bound.
    op.execute("SET LOCAL enable_hashagg = off")
    op.execute(
        "INSERT INTO disclosure_of (part, bucket, members, places)"
        " SELECT part, disclosure_bucket(member), array_agg(member), array_agg(place)"
        " FROM disclosure_of_member, unnest(places) AS place GROUP BY 1, 2"
    )
    op.drop_table("disclosure_of_member")
    for function in (_FOUND, _FIND, _FIND_OWN, _COUNT):
        op.execute(function)
    _grant()


def _grant() -> None:
    functions = "FUNCTION disclosure_bucket, disclosures_in, disclosure_joined"
    op.execute("REVOKE ALL ON disclosure_of FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON disclosure_of TO gateway_app")
    op.execute("GRANT SELECT ON disclosure_of TO gateway_reader")
    op.execute(f"REVOKE ALL ON {functions} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON {functions} TO gateway_app, gateway_reader")
