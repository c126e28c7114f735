"""The log of what officers did: the service appends to it and can neither change nor remove a line."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; commands may append and read."""
    op.create_table(
        "officer_action",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("member_log_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("channel IN ('COMMAND_LINE', 'CONTRACT')", name="ck_officer_action_channel"),
        sa.PrimaryKeyConstraint("seq", name="pk_officer_action"),
    )
    op.create_index("ix_officer_action_done_at", "officer_action", ["done_at"])
    op.create_index("ix_officer_action_officer_done_at", "officer_action", ["officer", "done_at"])
    op.create_index("ix_officer_action_member_log_id", "officer_action", ["member_log_id"])
    op.execute("REVOKE ALL ON officer_action FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT ON officer_action TO gateway_app")
