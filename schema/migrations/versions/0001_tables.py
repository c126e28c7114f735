"""Every table of the first release, as it was then; later revisions change what is here.

Nothing is imported from the live tables, so that an old database upgrades the same way for ever.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, members first and what belongs to them after."""
    op.execute("CREATE SCHEMA IF NOT EXISTS vault")
    _create_members()
    _create_activity()
    _create_sharing()
    _create_operations()
    _create_vault()


def _create_members() -> None:
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("given_name", sa.Text(), nullable=True),
        sa.Column("family_name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("interests", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("purchase_categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status = 'INVITED' OR num_nulls(given_name, family_name) = 0", name="ck_member_registered"
        ),
        sa.CheckConstraint("status IN ('INVITED', 'ACTIVE', 'CLOSED')", name="ck_member_status"),
        sa.PrimaryKeyConstraint("id", name="pk_member"),
        sa.UniqueConstraint("number", name="uq_member_number"),
    )
    op.create_index("ix_member_birth_date", "member", ["birth_date"])
    op.create_index("uq_member_email_lower", "member", [sa.literal_column("lower(email)")], unique=True)
    op.create_index("uq_member_username_lower", "member", [sa.literal_column("lower(username)")], unique=True)
    op.create_table(
        "postal_address",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("line1", sa.Text(), nullable=False),
        sa.Column("line2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name="ck_postal_address_country"),
        sa.CheckConstraint("kind IN ('HOME', 'BILLING', 'SHIPPING')", name="ck_postal_address_kind"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_postal_address_member_id_member", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_postal_address"),
    )
    op.create_index("ix_postal_address_member_id", "postal_address", ["member_id"])
    op.create_index(
        "uq_postal_address_primary",
        "postal_address",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("is_primary"),
    )
    op.create_table(
        "phone",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_phone_member_id_member", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_phone"),
    )
    op.create_index("ix_phone_member_id", "phone", ["member_id"])
    op.create_table(
        "billing_method",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("last_four", sa.Text(), nullable=False),
        sa.Column("expiry_month", sa.SmallInteger(), nullable=False),
        sa.Column("expiry_year", sa.SmallInteger(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("last_four ~ '^[0-9]{4}$'", name="ck_billing_method_last_four"),
        sa.CheckConstraint("expiry_month BETWEEN 1 AND 12", name="ck_billing_method_expiry_month"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_billing_method_member_id_member", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_billing_method"),
    )
    op.create_index("ix_billing_method_member_id", "billing_method", ["member_id"])


def _create_activity() -> None:
    op.create_table(
        "cart",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('OPEN', 'ORDERED', 'ABANDONED')", name="ck_cart_status"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_cart_member_id_member", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_cart"),
    )
    op.create_index("ix_cart_member_id", "cart", ["member_id"])
    op.create_table(
        "cart_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cart_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cart_id"], ["cart.id"], name="fk_cart_item_cart_id_cart", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_cart_item"),
    )
    op.create_index("ix_cart_item_cart_id", "cart_item", ["cart_id"])
    op.create_table(
        "customer_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("total", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status IN ('PLACED', 'PAID', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'RETURNED')",
            name="ck_customer_order_status",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_customer_order_member_id_member", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_customer_order"),
        sa.UniqueConstraint("number", name="uq_customer_order_number"),
    )
    op.create_index("ix_customer_order_member_id", "customer_order", ["member_id"])
    op.create_table(
        "order_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["customer_order.id"],
            name="fk_order_line_order_id_customer_order",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_order_line"),
    )
    op.create_index("ix_order_line_order_id", "order_line", ["order_id"])
    op.create_table(
        "interaction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('PURCHASE_FORM', 'SURVEY', 'SWEEPSTAKES', 'RECEIVED_EMAIL', 'OTHER')",
            name="ck_interaction_kind",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_interaction_member_id_member", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_interaction"),
    )
    op.create_index("ix_interaction_member_id", "interaction", ["member_id"])
    op.create_table(
        "visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ip_address", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("browser", sa.Text(), nullable=True),
        sa.Column("referring_page", sa.Text(), nullable=True),
        sa.Column("exit_page", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_visit_member_id_member", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_visit"),
    )
    op.create_index("ix_visit_member_id", "visit", ["member_id"])
    op.create_table(
        "page_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("viewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name="fk_page_view_visit_id_visit", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_page_view"),
    )
    op.create_index("ix_page_view_visit_id", "page_view", ["visit_id"])
    op.create_table(
        "communication",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("direction IN ('FROM_MEMBER', 'TO_MEMBER')", name="ck_communication_direction"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_communication_member_id_member", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_communication"),
    )
    op.create_index("ix_communication_member_id", "communication", ["member_id"])


def _create_sharing() -> None:
    op.create_table(
        "partner",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("name ~ '^[a-z][a-z0-9-]{1,39}$'", name="ck_partner_name"),
        sa.PrimaryKeyConstraint("id", name="pk_partner"),
        sa.UniqueConstraint("name", name="uq_partner_name"),
    )
    op.create_table(
        "agreement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "basis IN ('STRATEGIC', 'MARKETING', 'LEGAL', 'INSOLVENCY', 'MEMBER_REQUEST')",
            name="ck_agreement_basis",
        ),
        sa.CheckConstraint("status IN ('DRAFT', 'ACTIVE', 'SUSPENDED', 'ENDED')", name="ck_agreement_status"),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name="fk_agreement_partner_id_partner", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_agreement"),
    )
    op.create_index("ix_agreement_partner_id", "agreement", ["partner_id"])
    op.create_table(
        "partner_client",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('ACTIVE', 'REVOKED')", name="ck_partner_client_status"),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["agreement.id"],
            name="fk_partner_client_agreement_id_agreement",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", name="pk_partner_client"),
    )
    op.create_index("ix_partner_client_agreement_id", "partner_client", ["agreement_id"])
    op.create_table(
        "choice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.CheckConstraint("direction IN ('IN', 'OUT')", name="ck_choice_direction"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_choice_member_id_member", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name="fk_choice_partner_id_partner", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_choice"),
    )
    op.create_index("ix_choice_member_id", "choice", ["member_id"])
    op.create_index("ix_choice_partner_id", "choice", ["partner_id"])
    op.create_table(
        "pairwise_subject",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_pairwise_subject_member_id_member", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name="fk_pairwise_subject_partner_id_partner", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("partner_id", "member_id", name="pk_pairwise_subject"),
        sa.UniqueConstraint("subject", name="uq_pairwise_subject_subject"),
    )
    op.create_index("ix_pairwise_subject_member_id", "pairwise_subject", ["member_id"])
    op.create_table(
        "share",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("mask", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mask > 0", name="ck_share_mask"),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name="fk_share_agreement_id_agreement", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_share_member_id_member", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("agreement_id", "subject", name="pk_share"),
    )
    op.create_index("ix_share_member_id", "share", ["member_id"])
    op.create_index("uq_share_agreement_id_member_id", "share", ["agreement_id", "member_id"], unique=True)
    op.create_table(
        "share_change",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("mask", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["agreement.id"],
            name="fk_share_change_agreement_id_agreement",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_share_change"),
    )
    op.create_index("ix_share_change_lookup", "share_change", ["agreement_id", "subject", "changed_at"])
    op.create_table(
        "applied_policy",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_applied_policy"),
    )


def _create_operations() -> None:
    op.create_table(
        "disclosure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("operation_name", sa.Text(), nullable=True),
        sa.Column("operation_hash", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("members", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_disclosure"),
    )
    op.create_index("ix_disclosure_members", "disclosure", ["members"], postgresql_using="gin")
    op.create_index("ix_disclosure_partner_id_recorded_at", "disclosure", ["partner_id", "recorded_at"])
    op.create_table(
        "revocation",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_revocation"),
    )
    op.create_index("ix_revocation_kind_subject", "revocation", ["kind", "subject"])
    op.create_table(
        "persisted_document",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "document_id", name="pk_persisted_document"),
    )
    op.create_index(
        "uq_persisted_document_client_id_sha256", "persisted_document", ["client_id", "sha256"], unique=True
    )
    op.create_table(
        "import_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("invited", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_import_job"),
    )
    op.create_index(
        "uq_import_job_file_sha256_mapping", "import_job", ["file_sha256", "mapping"], unique=True
    )


def _create_vault() -> None:
    op.create_table(
        "sealed_phone",
        sa.Column("phone_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("phone_id", name="pk_sealed_phone"),
        schema="vault",
    )
    op.create_index("ix_sealed_phone_member_id", "sealed_phone", ["member_id"], schema="vault")
    op.create_table(
        "credential",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name="pk_credential"),
        schema="vault",
    )
    op.create_table(
        "billing_token",
        sa.Column("billing_method_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("billing_method_id", name="pk_billing_token"),
        schema="vault",
    )
    op.create_index("ix_billing_token_member_id", "billing_token", ["member_id"], schema="vault")
