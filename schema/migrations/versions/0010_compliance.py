"""Reasons and approvals of an agreement's categories, statements of deletion, restrictions.

Statements are evidence: the service adds them and can neither change nor remove one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen agreements; make the tables of reasons, keys and statements; grant."""
    _widen_agreements()
    _create_agreement_categories()
    _create_statements()


def _widen_agreements() -> None:
    for name, days in (("narrow_after_days", "7"), ("suspend_after_days", "21")):
        op.add_column("agreement", sa.Column(name, sa.Integer(), nullable=True, server_default=sa.text(days)))
        op.create_check_constraint(op.f(f"ck_agreement_{name}"), "agreement", f"{name} BETWEEN 0 AND 365")
    op.add_column("agreement", sa.Column("restriction", sa.Text(), nullable=False, server_default="NONE"))
    op.create_check_constraint(
        op.f("ck_agreement_restriction"), "agreement", "restriction IN ('NONE', 'NARROWED', 'SUSPENDED')"
    )
    op.add_column(
        "agreement", sa.Column("opening", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    op.create_check_constraint(
        op.f("ck_agreement_opening"), "agreement", "NOT opening OR status IN ('DRAFT', 'SUSPENDED')"
    )
    op.add_column("agreement", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "agreement", sa.Column("suspended_after", sa.BigInteger(), nullable=False, server_default="0")
    )


def _create_agreement_categories() -> None:
    op.create_table(
        "agreement_category",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(approved_by IS NULL) = (approved_at IS NULL)", name="ck_agreement_category_approval"
        ),
        sa.PrimaryKeyConstraint("agreement_id", "category", name="pk_agreement_category"),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["agreement.id"],
            name="fk_agreement_category_agreement_id_agreement",
            ondelete="CASCADE",
        ),
    )
    # What was agreed before reasons were asked for has none: it goes on, and needs them to be activated anew.
    op.execute(
        "INSERT INTO agreement_category (agreement_id, category) SELECT id, unnest(categories) FROM agreement"
    )
    op.execute("REVOKE ALL ON agreement_category FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE ON agreement_category TO gateway_app")


def _create_statements() -> None:
    op.create_table(
        "statement_key",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("jwk", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("partner_id", "kid", name="pk_statement_key"),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name="fk_statement_key_partner_id_partner", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "deletion_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deletion_statement"),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partner.id"],
            name="fk_deletion_statement_partner_id_partner",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "uq_deletion_statement_partner_id_jti", "deletion_statement", ["partner_id", "jti"], unique=True
    )
    op.create_index(
        "ix_deletion_statement_partner_id_received_at", "deletion_statement", ["partner_id", "received_at"]
    )
    op.add_column("deletion", sa.Column("statement_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_deletion_statement_id_deletion_statement",
        "deletion",
        "deletion_statement",
        ["statement_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index("ix_deletion_statement_id", "deletion", ["statement_id"])
    op.execute("REVOKE ALL ON statement_key, deletion_statement FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE ON statement_key TO gateway_app")
    op.execute("GRANT SELECT, INSERT ON deletion_statement TO gateway_app")
