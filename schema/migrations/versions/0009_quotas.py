"""What clients and agreements have used of their quotas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of quotas; commands count in it, and projections have nothing to do with it."""
    op.create_table(
        "quota",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("allowed", sa.BigInteger(), nullable=True),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("granted", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.CheckConstraint("unit IN ('REQUESTS', 'MEMBERS')", name="ck_quota_unit"),
        sa.CheckConstraint("allowed >= 0", name="ck_quota_allowed"),
        sa.CheckConstraint("taken >= 0 AND granted >= 0", name="ck_quota_counts"),
        sa.PrimaryKeyConstraint("agreement_id", "client_id", "unit", name="pk_quota"),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name="fk_quota_agreement_id_agreement", ondelete="CASCADE"
        ),
    )
    op.execute("REVOKE ALL ON quota FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE ON quota TO gateway_app")
