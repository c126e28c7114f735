"""Aggregate agreements, budgets and answers.

What was released or answered is never changed or removed. A client acts under an agreement of either kind.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; let clients act under an aggregate agreement; grant."""
    _create_agreements()
    _create_releases()
    op.create_table(
        "aggregate_ledger",
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("spent", sa.Integer(), nullable=False),
        sa.CheckConstraint("spent >= 0", name="ck_aggregate_ledger_spent"),
        sa.PrimaryKeyConstraint("period", "account", name="pk_aggregate_ledger"),
    )
    op.execute(
        "REVOKE ALL ON aggregate_agreement, aggregate_release, aggregate_answer, aggregate_ledger FROM PUBLIC"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON aggregate_agreement, aggregate_ledger TO gateway_app")
    op.execute("GRANT SELECT, INSERT ON aggregate_release, aggregate_answer TO gateway_app")


def _create_agreements() -> None:
    op.create_table(
        "aggregate_agreement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("dimensions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("budget", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('ACTIVE', 'ENDED')", name="ck_aggregate_agreement_status"),
        sa.CheckConstraint("budget BETWEEN 10 AND 10000", name="ck_aggregate_agreement_budget"),
        sa.CheckConstraint("cardinality(dimensions) > 0", name="ck_aggregate_agreement_dimensions"),
        sa.PrimaryKeyConstraint("id", name="pk_aggregate_agreement"),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partner.id"],
            name="fk_aggregate_agreement_partner_id_partner",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_aggregate_agreement_partner_id", "aggregate_agreement", ["partner_id"])
    op.alter_column("partner_client", "agreement_id", nullable=True)
    op.add_column("partner_client", sa.Column("aggregate_agreement_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_partner_client_aggregate_agreement_id_aggregate_agreement",
        "partner_client",
        "aggregate_agreement",
        ["aggregate_agreement_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index("ix_partner_client_aggregate_agreement_id", "partner_client", ["aggregate_agreement_id"])
    op.create_check_constraint(
        op.f("ck_partner_client_one_agreement"),
        "partner_client",
        "num_nonnulls(agreement_id, aggregate_agreement_id) = 1",
    )


def _create_releases() -> None:
    op.create_table(
        "aggregate_release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("epsilon", sa.Integer(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("groups", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("bound", sa.Integer(), nullable=False),
        sa.CheckConstraint("epsilon > 0", name="ck_aggregate_release_epsilon"),
        sa.PrimaryKeyConstraint("id", name="pk_aggregate_release"),
    )
    op.create_index(
        "uq_aggregate_release_period_digest", "aggregate_release", ["period", "digest"], unique=True
    )
    op.create_table(
        "aggregate_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("officer", sa.Text(), nullable=True),
        sa.CheckConstraint("num_nonnulls(client_id, officer) = 1", name="ck_aggregate_answer_asker"),
        sa.PrimaryKeyConstraint("id", name="pk_aggregate_answer"),
        sa.ForeignKeyConstraint(
            ["release_id"],
            ["aggregate_release.id"],
            name="fk_aggregate_answer_release_id_aggregate_release",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_aggregate_answer_release_id", "aggregate_answer", ["release_id"])
    op.create_index("ix_aggregate_answer_answered_at", "aggregate_answer", ["answered_at"])
    op.create_index(
        "uq_aggregate_answer_account_release_id", "aggregate_answer", ["account", "release_id"], unique=True
    )
