"""Who must not be mailed, as keyed digests for each partner.

INVARIANT (nothing-forgotten): whatever changes what was asked about an address leaves a line in
`suppression_due`, in the same transaction and by a trigger, whichever command, import or officer does it.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES: Final = (
    "refused_address",
    "suppression_key",
    "suppression",
    "suppression_due",
    "suppression_watch",
    "suppression_use",
)


def upgrade() -> None:
    """Make the tables, the triggers that note what is due, and grant."""
    _create_sources()
    _create_digests()
    _create_due()
    _create_use()
    _grant()
    _note_what_is_due()


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _reference(table: str, column: str, target: str, on_delete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target}"
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=on_delete)


def _create_sources() -> None:
    op.create_table(
        "refused_address",
        _id("id"),
        sa.Column("address", sa.Text(), nullable=False),
        _instant("refused_at", nullable=True),
        _instant("allowed_at", nullable=True),
        _instant("received_at"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("num_nonnulls(refused_at, allowed_at) > 0", name="ck_refused_address_asked"),
        sa.CheckConstraint("source IN ('OFFICER', 'LINK')", name="ck_refused_address_source"),
        sa.PrimaryKeyConstraint("id", name="pk_refused_address"),
        sa.UniqueConstraint("address", name="uq_refused_address_address"),
    )
    op.create_table(
        "suppression_key",
        _id("partner_id"),
        sa.Column("generation", sa.Integer(), nullable=False),
        _instant("created_at"),
        _instant("retires_at", nullable=True),
        sa.PrimaryKeyConstraint("partner_id", "generation", name="pk_suppression_key"),
        _reference("suppression_key", "partner_id", "partner"),
    )


def _create_digests() -> None:
    op.execute("CREATE SEQUENCE suppression_seq")
    op.create_table(
        "suppression",
        _id("agreement_id"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        _id("member_id", nullable=True),
        _id("refused_id", nullable=True),
        sa.Column("suppressed", sa.Boolean(), nullable=False),
        _instant("since"),
        _instant("kept_since", nullable=True),
        _instant("changed_at"),
        sa.Column(
            "transaction",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
        ),
        sa.Column(
            "seq", sa.BigInteger(), nullable=False, server_default=sa.text("nextval('suppression_seq')")
        ),
        sa.PrimaryKeyConstraint("agreement_id", "digest", name="pk_suppression"),
        _reference("suppression", "agreement_id", "agreement"),
        _reference("suppression", "member_id", "member", "SET NULL"),
        _reference("suppression", "refused_id", "refused_address", "SET NULL"),
    )
    op.create_index("ix_suppression_member_id", "suppression", ["member_id"])
    op.create_index("ix_suppression_refused_id", "suppression", ["refused_id"])
    op.create_index("ix_suppression_feed", "suppression", ["agreement_id", "transaction", "seq"])
    op.create_table(
        "suppression_watch",
        _id("agreement_id"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _instant("first_at"),
        sa.Column("brought_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("agreement_id", "digest", name="pk_suppression_watch"),
    )
    op.create_index("ix_suppression_watch_brought_on", "suppression_watch", ["brought_on"])


def _create_due() -> None:
    op.create_table(
        "suppression_due",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _id("member_id", nullable=True),
        _id("refused_id", nullable=True),
        _id("agreement_id", nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_suppression_due"),
        _reference("suppression_due", "member_id", "member"),
        _reference("suppression_due", "refused_id", "refused_address"),
        _reference("suppression_due", "agreement_id", "agreement"),
    )
    for column in ("member_id", "refused_id", "agreement_id"):
        op.create_index(f"ix_suppression_due_{column}", "suppression_due", [column])


def _create_use() -> None:
    op.create_table(
        "suppression_use",
        _id("partner_id"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("brought", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", "day", name="pk_suppression_use"),
        _reference("suppression_use", "partner_id", "partner"),
    )


def _grant() -> None:
    for table in TABLES:
        op.execute(f"REVOKE ALL ON {table} FROM PUBLIC")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO gateway_app")
    op.execute("GRANT USAGE ON SEQUENCE suppression_seq TO gateway_app")


def _note_what_is_due() -> None:
    """Plain inserts, which wait for nobody; what stands twice is decided once."""
    op.execute(
        "CREATE FUNCTION suppression_due_of_choices() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO suppression_due (member_id) SELECT DISTINCT member_id FROM made; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER suppression_due AFTER INSERT ON choice REFERENCING NEW TABLE AS made"
        " FOR EACH STATEMENT EXECUTE FUNCTION suppression_due_of_choices()"
    )
    # Of a new member without choices, only what was asked for her address matters.
    op.execute(
        "CREATE FUNCTION suppression_due_of_new_members() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO suppression_due (member_id) SELECT id FROM made WHERE email ~ '[^ -~]'"
        " OR EXISTS (SELECT FROM refused_address WHERE address = lower(email)); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER suppression_due_new AFTER INSERT ON member REFERENCING NEW TABLE AS made"
        " FOR EACH STATEMENT EXECUTE FUNCTION suppression_due_of_new_members()"
    )
    op.execute(
        "CREATE FUNCTION suppression_due_of_member() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO suppression_due (member_id) VALUES (NEW.id); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER suppression_due AFTER UPDATE OF email, status, birth_date ON member FOR EACH ROW"
        " WHEN ((OLD.email, OLD.status, OLD.birth_date)"
        " IS DISTINCT FROM (NEW.email, NEW.status, NEW.birth_date))"
        " EXECUTE FUNCTION suppression_due_of_member()"
    )
    op.execute(
        "CREATE FUNCTION suppression_due_of_address() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO suppression_due (refused_id) VALUES (NEW.id); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER suppression_due AFTER INSERT OR UPDATE ON refused_address"
        " FOR EACH ROW EXECUTE FUNCTION suppression_due_of_address()"
    )
    op.execute(
        "CREATE FUNCTION suppression_due_of_agreement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO suppression_due (agreement_id) VALUES (NEW.id); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER suppression_due AFTER INSERT OR UPDATE ON agreement"
        " FOR EACH ROW EXECUTE FUNCTION suppression_due_of_agreement()"
    )
    op.execute(
        "CREATE FUNCTION suppression_due_of_key() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO suppression_due (agreement_id) SELECT id FROM agreement"
        " WHERE partner_id = NEW.partner_id; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER suppression_due AFTER INSERT OR UPDATE ON suppression_key"
        " FOR EACH ROW EXECUTE FUNCTION suppression_due_of_key()"
    )
