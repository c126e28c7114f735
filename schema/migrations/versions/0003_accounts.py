"""Registration, sign-in, mail, requests, notices; what a choice is about; erasure from the disclosure log."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

READABLE: Final = ("member_request", "notice", "session")
"""What a contract can name. Links, outbox, counted attempts and commands done are for commands only."""


def upgrade() -> None:
    """Change the tables there are, make the new ones, and grant."""
    _change_members()
    _create_notices()
    _change_choices()
    _create_accounts()
    _create_requests()
    _create_mail()
    _let_disclosures_forget()
    _let_revocations_forget()
    _grant()


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _member_id(*, nullable: bool = False) -> sa.Column[object]:
    return sa.Column("member_id", sa.Uuid(), nullable=nullable)


def _member_reference(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_member_id_member"
    return sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=name, ondelete="CASCADE")


def _change_members() -> None:
    op.add_column("member", sa.Column("supervisor_email", sa.Text(), nullable=True))
    op.add_column("member", _instant("supervision_confirmed_at", nullable=True))
    op.drop_constraint("ck_member_status", "member")
    op.create_check_constraint(
        op.f("ck_member_status"), "member", "status IN ('PENDING', 'INVITED', 'ACTIVE', 'CLOSED')"
    )
    op.drop_constraint("ck_member_registered", "member")
    op.create_check_constraint(
        op.f("ck_member_registered"),
        "member",
        "status IN ('INVITED', 'CLOSED') OR num_nulls(given_name, family_name) = 0",
    )
    confirmed = sa.text("status <> 'PENDING'")
    for column in ("email", "username"):
        name = f"uq_member_{column}_lower"
        op.drop_index(name, "member")
        op.create_index(
            name, "member", [sa.literal_column(f"lower({column})")], unique=True, postgresql_where=confirmed
        )
    op.create_index(
        "ix_member_claims",
        "member",
        [sa.literal_column("lower(email)")],
        postgresql_where=sa.text("status = 'PENDING'"),
    )


def _create_notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        _instant("published_at"),
        _instant("effective_at"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )


def _change_choices() -> None:
    op.add_column("choice", sa.Column("topic", sa.Text(), nullable=False, server_default="SHARING"))
    op.create_check_constraint(op.f("ck_choice_topic"), "choice", "topic IN ('SHARING', 'NEWSLETTER')")
    op.add_column("choice", sa.Column("basis", sa.Text(), nullable=True))
    op.add_column("choice", sa.Column("notice_id", sa.Uuid(), nullable=True))
    op.add_column("choice", sa.Column("policy", sa.Text(), nullable=True))
    op.create_foreign_key(
        "fk_choice_notice_id_notice", "choice", "notice", ["notice_id"], ["id"], ondelete="CASCADE"
    )
    op.create_index("ix_choice_notice_id", "choice", ["notice_id"])


def _create_accounts() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        _member_id(),
        _instant("created_at"),
        _instant("last_used_at"),
        _instant("expires_at"),
        _instant("ended_at", nullable=True),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("browser", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        _instant("rotated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        _member_reference("session"),
    )
    op.create_index("ix_session_member_id", "session", ["member_id"])
    op.create_index("ix_session_over", "session", [sa.literal_column("least(ended_at, expires_at)")])
    op.create_table(
        "one_time_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        _member_id(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("new_email", sa.Text(), nullable=True),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("used_at", nullable=True),
        sa.CheckConstraint(
            "kind IN ('CONFIRM_REGISTRATION', 'CONFIRM_SUPERVISION', 'RESET_PASSWORD', 'CONFIRM_EMAIL',"
            " 'CANCEL_ERASURE')",
            name="ck_one_time_link_kind",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_link"),
        _member_reference("one_time_link"),
    )
    op.create_index("ix_one_time_link_member_id", "one_time_link", ["member_id"])
    op.create_index("ix_one_time_link_expires_at", "one_time_link", ["expires_at"])
    op.create_table(
        "attempt",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        _instant("empty_at"),
        sa.PrimaryKeyConstraint("key", name="pk_attempt"),
    )
    op.create_index("ix_attempt_empty_at", "attempt", ["empty_at"])
    op.create_table(
        "done_command",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        _member_id(nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        _instant("done_at"),
        sa.PrimaryKeyConstraint("caller", "key", "path", name="pk_done_command"),
        _member_reference("done_command"),
    )
    op.create_index("ix_done_command_member_id", "done_command", ["member_id"])
    op.create_index("ix_done_command_done_at", "done_command", ["done_at"])


def _create_mail() -> None:
    op.create_table(
        "newsletter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _instant("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_newsletter"),
    )
    op.create_table(
        "outgoing_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        _member_id(nullable=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.Column("newsletter_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        _instant("created_at"),
        _instant("due_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing_mail"),
        _member_reference("outgoing_mail"),
        sa.ForeignKeyConstraint(
            ["link_id"],
            ["one_time_link.id"],
            name="fk_outgoing_mail_link_id_one_time_link",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name="fk_outgoing_mail_newsletter_id_newsletter",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["member_request.id"],
            name="fk_outgoing_mail_request_id_member_request",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_outgoing_mail_member_id", "outgoing_mail", ["member_id"])
    op.create_index("ix_outgoing_mail_due_at", "outgoing_mail", ["due_at"])
    op.create_index(
        "ix_outgoing_mail_letters",
        "outgoing_mail",
        ["due_at"],
        postgresql_where=sa.text("newsletter_id IS NULL"),
    )
    for column in ("link_id", "newsletter_id", "request_id"):
        op.create_index(
            f"ix_outgoing_mail_{column}",
            "outgoing_mail",
            [column],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    op.create_index(
        "ix_outgoing_mail_recipient_lower", "outgoing_mail", [sa.literal_column("lower(recipient)")]
    )


def _create_requests() -> None:
    op.create_table(
        "member_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        _member_id(nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("target_kind", sa.Text(), nullable=True),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("reply_to", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        _instant("opened_at"),
        _instant("due_at"),
        _instant("closed_at", nullable=True),
        sa.CheckConstraint(
            "kind IN ('CORRECTION', 'ACCESS', 'CONTACT', 'ERASURE')", name="ck_member_request_kind"
        ),
        sa.CheckConstraint(
            "status IN ('OPEN', 'IN_PROGRESS', 'DONE', 'DECLINED', 'CANCELLED')",
            name="ck_member_request_status",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_member_request"),
        _member_reference("member_request"),
    )
    op.create_index("ix_member_request_member_id", "member_request", ["member_id"])
    op.create_index("ix_member_request_due_at", "member_request", ["due_at"])
    op.create_index(
        "uq_member_request_erasure",
        "member_request",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'ERASURE' AND status = 'OPEN'"),
    )
    op.create_index(
        "ix_member_request_reply_to_lower",
        "member_request",
        [sa.literal_column("lower(reply_to)")],
        postgresql_where=sa.text("reply_to IS NOT NULL"),
    )


def _let_disclosures_forget() -> None:
    """The one change that the append-only log admits: an erased member's id gives way to another one.

    It runs as the owner, because the service may not update the log, and does nothing else.
    """
    op.execute(
        "CREATE FUNCTION bury_in_disclosures(erased uuid, tombstone uuid) RETURNS void LANGUAGE sql"
        " SECURITY DEFINER SET search_path = public AS $$"
        " UPDATE disclosure SET members = array_replace(members, erased, tombstone)"
        " WHERE members @> ARRAY[erased] $$"
    )
    op.execute("REVOKE ALL ON FUNCTION bury_in_disclosures(uuid, uuid) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION bury_in_disclosures(uuid, uuid) TO gateway_app")


def _let_revocations_forget() -> None:
    """The one change that this log admits: the lines of a member who does not exist any more go."""
    op.execute(
        "CREATE FUNCTION forget_revocations_of(erased uuid) RETURNS void LANGUAGE sql"
        " SECURITY DEFINER SET search_path = public AS $$"
        " DELETE FROM revocation WHERE (kind = 'MEMBER' AND subject = erased::text) OR (kind = 'SESSION'"
        " AND subject IN (SELECT id::text FROM session WHERE member_id = erased)) $$"
    )
    op.execute("REVOKE ALL ON FUNCTION forget_revocations_of(uuid) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION forget_revocations_of(uuid) TO gateway_app")


def _grant() -> None:
    tables = (
        "attempt, done_command, member_request, newsletter, notice, one_time_link, outgoing_mail, session"
    )
    op.execute(f"REVOKE ALL ON {tables} FROM PUBLIC")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO gateway_app")
    op.execute(f"GRANT SELECT ON {', '.join(READABLE)} TO gateway_reader")
