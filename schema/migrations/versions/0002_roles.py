"""The roles, what each may do, and the announcement of revocations.

    gateway_app      signs in; commands. No grant on `vault`; may become gateway_vault for a transaction.
    gateway_reader   signs in; projections. SELECT on what a contract can name, nothing else.
    gateway_vault    cannot sign in; the sealed tables. Never selects a number's ciphertext (R1).

INVARIANT (vault-apart): no role that can select a public table can, without SET ROLE, touch `vault`; the
reader cannot even name what is in it. `tests/schema/test_roles.py` asks the database itself.

INVARIANT (append-only): choices, disclosures and revocations are inserted and never changed by the service.

INVARIANT (revocations-in-order): whoever inserts revocations holds a lock until the commit, so that a line
with a lower `seq` never appears after one with a higher. Followers only ask for what is newer.

CLAUSE (R1, C10): no role that answers requests may read a sealed number, and the one that reads for answers
has no grant on the vault.
CLAUSE (C11): the role that commands run as may add to the ledger of choices, and change or remove no line
of it.
"""

from __future__ import annotations

from typing import Final

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROLES: Final = {
    "gateway_app": "LOGIN NOINHERIT",
    "gateway_reader": "LOGIN NOINHERIT",
    "gateway_vault": "NOLOGIN NOINHERIT",
}

READABLE: Final = (
    "agreement",
    "billing_method",
    "cart",
    "cart_item",
    "choice",
    "communication",
    "customer_order",
    "disclosure",
    "interaction",
    "member",
    "order_line",
    "page_view",
    "pairwise_subject",
    "partner",
    "phone",
    "postal_address",
    "share",
    "share_change",
    "visit",
)

APPEND_ONLY: Final = ("choice", "disclosure", "revocation")


def upgrade() -> None:
    """Make the roles where the cluster has none yet, and grant in this database."""
    for role, attributes in ROLES.items():
        _create_role(role, attributes)
    op.execute("GRANT gateway_vault TO gateway_app")
    _close_to_everyone_else()
    _grant()
    _announce_revocations()


def _create_role(role: str, attributes: str) -> None:
    """Roles belong to the cluster: another database may have made it, even at this moment."""
    op.execute(
        f"DO $$ BEGIN CREATE ROLE {role} {attributes};"
        " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )


def _close_to_everyone_else() -> None:
    op.execute(
        "DO $$ BEGIN"
        " EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());"
        " EXECUTE format('GRANT CONNECT ON DATABASE %I TO gateway_app, gateway_reader', current_database());"
        " END $$"
    )
    op.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC")
    op.execute("REVOKE ALL ON SCHEMA vault FROM PUBLIC")


def _grant() -> None:
    op.execute("GRANT USAGE ON SCHEMA public TO gateway_app, gateway_reader")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO gateway_app")
    op.execute(f"REVOKE UPDATE, DELETE ON {', '.join(APPEND_ONLY)} FROM gateway_app")
    op.execute("REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM gateway_app")
    op.execute(f"GRANT SELECT ON {', '.join(READABLE)} TO gateway_reader")
    op.execute("GRANT USAGE ON SCHEMA vault TO gateway_vault")
    op.execute("GRANT SELECT (phone_id, member_id), INSERT, DELETE ON vault.sealed_phone TO gateway_vault")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON vault.credential TO gateway_vault")
    op.execute("GRANT SELECT, INSERT, DELETE ON vault.billing_token TO gateway_vault")


def _announce_revocations() -> None:
    op.execute(
        "CREATE FUNCTION revocation_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_advisory_xact_lock(hashtext('revocation')); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE FUNCTION revocation_announce() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_notify('revocation', ''); RETURN NULL; END $$"
    )
    # Before the statement, hence before the identity column takes its number.
    op.execute(
        "CREATE TRIGGER revocation_order BEFORE INSERT ON revocation"
        " FOR EACH STATEMENT EXECUTE FUNCTION revocation_order()"
    )
    op.execute(
        "CREATE TRIGGER revocation_announce AFTER INSERT ON revocation"
        " FOR EACH STATEMENT EXECUTE FUNCTION revocation_announce()"
    )
