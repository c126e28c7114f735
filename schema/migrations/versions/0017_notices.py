"""Notices in every language that the program speaks, mailed whatever made them; reasons beside decisions.

`notice_mailing` was `policy_mailing`, of which a transfer had none: one mailing now tells of any notices that
belong together.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give notices their languages and their mailing; let what is half mailed go on where it stopped."""
    op.add_column("notice", sa.Column("language", sa.Text(), nullable=False, server_default="en"))
    op.add_column(
        "notice",
        sa.Column("translations", postgresql.JSONB(), nullable=False, server_default=sa.text("'{}'::jsonb")),
    )
    op.add_column("business_transfer", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("policy_version", sa.Column("reason", sa.Text(), nullable=True))
    _rekey_mailings()
    _tell_notices()
    _tell_mails()
    op.drop_constraint("fk_policy_mailing_version_policy_version", "notice_mailing", type_="foreignkey")
    op.drop_column("notice_mailing", "version")


def _rekey_mailings() -> None:
    """A mailing has an id of its own, and says which letter it is."""
    op.rename_table("policy_mailing", "notice_mailing")
    op.drop_constraint("pk_policy_mailing", "notice_mailing", type_="primary")
    op.add_column(
        "notice_mailing",
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")),
    )
    op.add_column(
        "notice_mailing", sa.Column("kind", sa.Text(), nullable=False, server_default="NEW_PRACTICE")
    )
    op.create_primary_key("pk_notice_mailing", "notice_mailing", ["id"])
    op.alter_column("notice_mailing", "id", server_default=None)
    op.alter_column("notice_mailing", "kind", server_default=None)


def _tell_notices() -> None:
    op.add_column("notice", sa.Column("mailing_id", sa.Uuid(), nullable=True))
    op.execute("UPDATE notice SET mailing_id = m.id FROM notice_mailing m WHERE m.version = notice.version")
    op.create_foreign_key(
        "fk_notice_mailing_id_notice_mailing", "notice", "notice_mailing", ["mailing_id"], ["id"],
        ondelete="CASCADE",
    )  # fmt: skip
    op.create_index("ix_notice_mailing_id", "notice", ["mailing_id"])


def _tell_mails() -> None:
    op.add_column("outgoing_mail", sa.Column("mailing_id", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE outgoing_mail SET mailing_id = m.id FROM notice_mailing m WHERE m.version = policy_version"
    )
    op.drop_index("ix_outgoing_mail_letters", "outgoing_mail")
    op.drop_column("outgoing_mail", "policy_version")
    op.create_foreign_key(
        "fk_outgoing_mail_mailing_id_notice_mailing", "outgoing_mail", "notice_mailing", ["mailing_id"],
        ["id"], ondelete="CASCADE",
    )  # fmt: skip
    op.create_index(
        "ix_outgoing_mail_mailing_id", "outgoing_mail", ["mailing_id"],
        postgresql_where=sa.text("mailing_id IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_outgoing_mail_letters", "outgoing_mail", ["due_at"],
        postgresql_where=sa.text("newsletter_id IS NULL AND mailing_id IS NULL"),
    )  # fmt: skip
