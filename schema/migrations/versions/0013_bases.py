"""Cases, transfers, and what members asked to have shared (C8 b, c, d).

`own_disclosures_of` and `own_disclosures_count` are what a member reads of the log: `disclosures_of` and
`disclosures_count` without the records of agreements whose case is deferred at that moment.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_FIND: Final = """
CREATE FUNCTION own_disclosures_of(whom uuid, below bigint, most bigint, at timestamptz) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 20 AS $$
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
    RETURN QUERY SELECT d.place FROM disclosure_of o, unnest(o.places) p JOIN disclosure d ON d.place = p
      WHERE o.part = part_number AND o.member = whom AND (below IS NULL OR p < below)
        AND d.agreement_id <> ALL (hidden)
      ORDER BY p DESC LIMIT wanted;
    GET DIAGNOSTICS found = ROW_COUNT;
    wanted := wanted - found;
  END LOOP;
END $$
"""

_COUNT: Final = """
CREATE FUNCTION own_disclosures_count(whom uuid, at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN NOT EXISTS (SELECT FROM agreement WHERE deferred_until > at) THEN disclosures_count(whom)
    ELSE (SELECT count(*) FROM own_disclosures_of(whom, NULL, 9223372036854775807, at)) END
$$
"""


def upgrade() -> None:
    """Widen what there is, make the tables and functions, grant."""
    _widen()
    _create_cases()
    _create_transfers()
    op.execute(_FIND)
    op.execute(_COUNT)
    _grant()


def _widen() -> None:
    op.add_column("choice", sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_choice_request"),
        "choice",
        "ends_at IS NULL OR (direction = 'IN' AND topic = 'SHARING' AND basis IS NOT DISTINCT FROM"
        " 'MEMBER_REQUEST' AND partner_id IS NOT NULL AND purpose IS NOT NULL AND ends_at > requested_at)",
    )
    op.add_column("share", sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_share_ends_at", "share", ["ends_at"], postgresql_where=sa.text("ends_at IS NOT NULL"))
    op.add_column("agreement", sa.Column("deferred_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "partner", sa.Column("authority", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )


def _officers(name: str) -> tuple[sa.CheckConstraint, ...]:
    """Who decides is another than who proposed: no account of the service can write anything else."""
    return (
        sa.CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name=f"ck_{name}_approval"),
        sa.CheckConstraint("lower(approved_by) <> lower(opened_by)", name=f"ck_{name}_two_officers"),
    )


def _proposed() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
    )


def _create_cases() -> None:
    op.create_table(
        "legal_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        *_proposed(),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        *_officers("legal_case"),
        sa.CheckConstraint(
            "expires_at > opened_at AND expires_at <= opened_at + interval '366 days'",
            name="ck_legal_case_expiry",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_legal_case"),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["agreement.id"],
            name="fk_legal_case_agreement_id_agreement",
            ondelete="CASCADE",
        ),
    )
    op.create_index("uq_legal_case_agreement_id", "legal_case", ["agreement_id"], unique=True)
    op.create_table(
        "legal_case_member",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "member_id", name="pk_legal_case_member"),
        sa.ForeignKeyConstraint(
            ["case_id"], ["legal_case.id"], name="fk_legal_case_member_case_id_legal_case", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_legal_case_member_member_id_member", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_legal_case_member_member_id", "legal_case_member", ["member_id"])
    op.create_table(
        "legal_deferral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("ordered_by", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        *_proposed(),
        *_officers("legal_deferral"),
        sa.CheckConstraint(
            "until > opened_at AND until <= opened_at + interval '366 days'", name="ck_legal_deferral_until"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_legal_deferral"),
        sa.ForeignKeyConstraint(
            ["case_id"], ["legal_case.id"], name="fk_legal_deferral_case_id_legal_case", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_legal_deferral_case_id", "legal_deferral", ["case_id"])


def _create_transfers() -> None:
    op.create_table(
        "business_transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.Column("closing_at", sa.DateTime(timezone=True), nullable=False),
        *_proposed(),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        *_officers("business_transfer"),
        sa.CheckConstraint(
            "approved_at IS NULL OR notice_id IS NOT NULL", name="ck_business_transfer_noticed"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_business_transfer"),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["agreement.id"],
            name="fk_business_transfer_agreement_id_agreement",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name="fk_business_transfer_notice_id_notice", ondelete="RESTRICT"
        ),
    )
    op.create_index("uq_business_transfer_agreement_id", "business_transfer", ["agreement_id"], unique=True)
    op.create_index("ix_business_transfer_notice_id", "business_transfer", ["notice_id"])


def _grant() -> None:
    op.execute("REVOKE ALL ON legal_case, legal_case_member, legal_deferral, business_transfer FROM PUBLIC")
    # Who opened it, for whom and until when is written once.
    op.execute("GRANT SELECT, INSERT ON legal_case, legal_case_member, legal_deferral TO gateway_app")
    op.execute("GRANT SELECT, INSERT ON business_transfer TO gateway_app")
    op.execute("GRANT UPDATE (approved_by, approved_at, closed_by, closed_at) ON legal_case TO gateway_app")
    op.execute("GRANT UPDATE (member_id) ON legal_case_member TO gateway_app")
    op.execute("GRANT UPDATE (approved_by, approved_at) ON legal_deferral TO gateway_app")
    op.execute(
        "GRANT UPDATE (notice_id, approved_by, approved_at, cancelled_by, cancelled_at)"
        " ON business_transfer TO gateway_app"
    )
    op.execute("REVOKE ALL ON FUNCTION own_disclosures_of, own_disclosures_count FROM PUBLIC")
    op.execute(
        "GRANT EXECUTE ON FUNCTION own_disclosures_of, own_disclosures_count TO gateway_app, gateway_reader"
    )
