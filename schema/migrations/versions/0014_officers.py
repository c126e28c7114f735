"""Officers, and how they sign in; and which lines of the log of actions the member reads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make accounts, sessions and credentials; the vault's role alone touches the last."""
    _create_accounts()
    _create_credentials()
    op.add_column(
        "officer_action", sa.Column("told", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    # What a member reads of the lines about her: not who, and nothing of any other line.
    op.execute(
        "GRANT SELECT (seq, done_at, act, reason, member_log_id, told) ON officer_action TO gateway_reader"
    )


def _create_accounts() -> None:
    op.create_table(
        "officer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        _instant("created_at"),
        sa.Column("factor", sa.Uuid(), nullable=False),
        _instant("enrolment_until", nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.CheckConstraint("name ~ '^[a-z][a-z0-9._-]{0,39}$'", name=op.f("ck_officer_name")),
        sa.CheckConstraint("status IN ('INVITED', 'ACTIVE', 'DISABLED')", name=op.f("ck_officer_status")),
        sa.CheckConstraint(
            "roles <@ ARRAY['PRIVACY_OFFICER', 'SUPPORT', 'AUDITOR'] AND cardinality(roles) > 0",
            name=op.f("ck_officer_roles"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_officer"),
        sa.UniqueConstraint("name", name="uq_officer_name"),
    )
    op.create_table(
        "officer_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("ended_at", nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        _instant("rotated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_officer_session"),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officer.id"], name="fk_officer_session_officer_id_officer", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_officer_session_officer_id", "officer_session", ["officer_id"])
    op.create_index("ix_officer_session_expires_at", "officer_session", ["expires_at"])
    op.execute("REVOKE ALL ON officer, officer_session FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE ON officer TO gateway_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON officer_session TO gateway_app")


def _create_credentials() -> None:
    op.create_table(
        "officer_credential",
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        _instant("changed_at"),
        sa.PrimaryKeyConstraint("officer_id", name="pk_officer_credential"),
        schema="vault",
    )
    op.create_table(
        "officer_recovery",
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("officer_id", "digest", name="pk_officer_recovery"),
        schema="vault",
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON vault.officer_credential TO gateway_vault")
    op.execute("GRANT SELECT, INSERT, DELETE ON vault.officer_recovery TO gateway_vault")


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
