"""Published policies, what of them opens when, who is told by mail; and every version of agreements' terms.

`policy_version` and `agreement_version` are appended to and never changed. A trigger writes the second, so
that no command can forget it. It takes the moment from `gateway.now` where the command has set it: the
commands of one gateway then go by one clock.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, note the terms that there are, and grant."""
    _versions()
    _notices()
    _terms()
    op.execute("REVOKE ALL ON policy_version, policy_mailing, agreement_version FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT ON policy_version, agreement_version TO gateway_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON policy_mailing TO gateway_app")


def _versions() -> None:
    op.create_table(
        "policy_version",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("files", postgresql.JSONB(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notice_days", sa.Integer(), nullable=False),
        sa.Column("steps", postgresql.JSONB(), nullable=False),
        sa.Column("rolled_back_to", sa.Integer(), nullable=True),
        sa.CheckConstraint("notice_days >= 0", name="ck_policy_version_notice_days"),
        sa.PrimaryKeyConstraint("number", name="pk_policy_version"),
        sa.ForeignKeyConstraint(
            ["rolled_back_to"],
            ["policy_version.number"],
            name="fk_policy_version_rolled_back_to_policy_version",
            ondelete="RESTRICT",
        ),
    )
    op.create_index("ix_policy_version_rolled_back_to", "policy_version", ["rolled_back_to"])
    op.create_table(
        "policy_mailing",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reached", sa.Uuid(), nullable=False),
        sa.Column("queued", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("version", name="pk_policy_mailing"),
        sa.ForeignKeyConstraint(
            ["version"], ["policy_version.number"], name="fk_policy_mailing_version_policy_version",
            ondelete="CASCADE",
        ),
    )  # fmt: skip


def _notices() -> None:
    op.add_column("notice", sa.Column("version", sa.Integer(), nullable=True))
    op.add_column("notice", sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("notice", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        "fk_notice_version_policy_version", "notice", "policy_version", ["version"], ["number"],
        ondelete="CASCADE",
    )  # fmt: skip
    op.create_index("ix_notice_version", "notice", ["version"])
    op.add_column("outgoing_mail", sa.Column("policy_version", sa.Integer(), nullable=True))
    op.create_foreign_key(
        "fk_outgoing_mail_policy_version_policy_version", "outgoing_mail", "policy_version",
        ["policy_version"], ["number"], ondelete="CASCADE",
    )  # fmt: skip
    op.create_index(
        "ix_outgoing_mail_policy_version", "outgoing_mail", ["policy_version"],
        postgresql_where=sa.text("policy_version IS NOT NULL"),
    )  # fmt: skip
    # Letters that somebody waits for are found past any number of announcements as well.
    op.drop_index("ix_outgoing_mail_letters", "outgoing_mail")
    op.create_index(
        "ix_outgoing_mail_letters", "outgoing_mail", ["due_at"],
        postgresql_where=sa.text("newsletter_id IS NULL AND policy_version IS NULL"),
    )  # fmt: skip


def _terms() -> None:
    op.create_table(
        "agreement_version",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_agreement_version"),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name="fk_agreement_version_agreement_id_agreement",
            ondelete="CASCADE",
        ),
    )  # fmt: skip
    op.create_index(
        "ix_agreement_version_agreement_id_recorded_at", "agreement_version", ["agreement_id", "recorded_at"]
    )
    op.execute(
        "CREATE FUNCTION agreement_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO agreement_version (agreement_id, recorded_at, basis, purpose, categories, valid_from,"
        " valid_until, status, version) VALUES (NEW.id,"
        " coalesce(nullif(current_setting('gateway.now', true), '')::timestamptz, now()), NEW.basis,"
        " NEW.purpose, NEW.categories, NEW.valid_from, NEW.valid_until, NEW.status, NEW.version);"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER agreement_made AFTER INSERT ON agreement"
        " FOR EACH ROW EXECUTE FUNCTION agreement_keep_version()"
    )
    op.execute(
        "CREATE TRIGGER agreement_changed AFTER UPDATE ON agreement FOR EACH ROW WHEN ("
        "(OLD.basis, OLD.purpose, OLD.categories, OLD.valid_from, OLD.valid_until, OLD.status)"
        " IS DISTINCT FROM"
        " (NEW.basis, NEW.purpose, NEW.categories, NEW.valid_from, NEW.valid_until, NEW.status))"
        " EXECUTE FUNCTION agreement_keep_version()"
    )
    op.execute(
        "INSERT INTO agreement_version (agreement_id, recorded_at, basis, purpose, categories, valid_from,"
        " valid_until, status, version) SELECT id, now(), basis, purpose, categories, valid_from,"
        " valid_until, status, version FROM agreement ORDER BY id"
    )
