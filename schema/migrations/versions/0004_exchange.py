"""What the exchange with partners rests on: the log's names for members, a gap-free feed, deletions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change members, the log, agreements and the feed; make the table of deletions; grant."""
    _name_members_for_the_log()
    _widen_the_feed()
    _create_deletions()


def _name_members_for_the_log() -> None:
    """The log names members by an id that stands in their row and nowhere else: it never has to change."""
    op.add_column(
        "member",
        sa.Column("log_id", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")),
    )
    op.create_unique_constraint("uq_member_log_id", "member", ["log_id"])
    op.execute(
        "UPDATE disclosure SET members = ARRAY(SELECT coalesce(member.log_id, named.id)"
        " FROM unnest(disclosure.members) WITH ORDINALITY AS named (id, place)"
        " LEFT JOIN member ON member.id = named.id ORDER BY named.place)"
    )
    op.execute("DROP FUNCTION bury_in_disclosures(uuid, uuid)")


def _widen_the_feed() -> None:
    op.add_column(
        "agreement", sa.Column("deletion_days", sa.Integer(), nullable=False, server_default=sa.text("30"))
    )
    op.create_check_constraint(
        op.f("ck_agreement_deletion_days"), "agreement", "deletion_days BETWEEN 1 AND 90"
    )
    # Of lines written before, what was open on either side is not known: they read as corrections.
    op.add_column("share_change", sa.Column("before", sa.BigInteger(), nullable=True))
    op.add_column("share_change", sa.Column("after", sa.BigInteger(), nullable=True))
    op.execute("UPDATE share_change SET before = mask, after = mask")
    op.alter_column("share_change", "before", nullable=False)
    op.alter_column("share_change", "after", nullable=False)
    op.add_column(
        "share_change", sa.Column("erased", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    op.add_column(
        "share_change",
        sa.Column(
            "transaction",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
        ),
    )
    op.create_index("ix_share_change_feed", "share_change", ["agreement_id", "transaction", "seq"])


def _create_deletions() -> None:
    op.create_table(
        "deletion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("mask", sa.BigInteger(), nullable=False),
        sa.Column("erased", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mask >= 0", name="ck_deletion_mask"),
        sa.PrimaryKeyConstraint("id", name="pk_deletion"),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name="fk_deletion_agreement_id_agreement", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_deletion_member_id_member", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_deletion_member_id", "deletion", ["member_id"])
    op.create_index("ix_deletion_agreement_id_due_at", "deletion", ["agreement_id", "due_at"])
    op.create_index(
        "uq_deletion_open",
        "deletion",
        ["agreement_id", "subject"],
        unique=True,
        postgresql_where=sa.text("confirmed_at IS NULL"),
    )
    op.execute("REVOKE ALL ON deletion FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON deletion TO gateway_app")
    op.execute("GRANT SELECT ON deletion TO gateway_reader")
