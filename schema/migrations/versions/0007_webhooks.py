"""Where partners want to be told, and what is on its way there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of endpoints and messages; no contract reads them, so the reader is granted nothing."""
    _create_endpoints()
    _create_messages()
    op.execute("REVOKE ALL ON webhook_endpoint, webhook_message FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoint, webhook_message TO gateway_app")


def _create_endpoints() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("former_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("position_transaction", sa.BigInteger(), nullable=False),
        sa.Column("position_seq", sa.BigInteger(), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('ACTIVE', 'DISABLED', 'GONE')", name="ck_webhook_endpoint_status"),
        sa.CheckConstraint("generation >= 1", name="ck_webhook_endpoint_generation"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoint"),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["agreement.id"],
            name="fk_webhook_endpoint_agreement_id_agreement",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_webhook_endpoint_agreement_id", "webhook_endpoint", ["agreement_id"])


def _create_messages() -> None:
    op.create_table(
        "webhook_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subjects", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("transaction", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Integer(), nullable=True),
        sa.CheckConstraint("status IN ('PENDING', 'DELIVERED', 'DEAD')", name="ck_webhook_message_status"),
        sa.CheckConstraint(
            "kind IN ('members.withdrawn', 'members.erased', 'webhook.test')", name="ck_webhook_message_kind"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_message"),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoint.id"],
            name="fk_webhook_message_endpoint_id_webhook_endpoint",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_webhook_message_waiting",
        "webhook_message",
        ["endpoint_id", "due_at"],
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_index(
        "ix_webhook_message_dead",
        "webhook_message",
        ["endpoint_id"],
        postgresql_where=sa.text("status = 'DEAD'"),
    )
    op.create_index("ix_webhook_message_delivered_at", "webhook_message", ["delivered_at"])
    op.create_index("ix_webhook_message_endpoint_id", "webhook_message", ["endpoint_id"])
