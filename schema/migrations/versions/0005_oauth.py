"""Partners' clients, their secrets and keys, and what was used once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say how clients authenticate, keep secrets and keys, remember what may not be used twice; grant."""
    _change_clients()
    _create_secrets()
    _create_keys()
    _create_used()
    op.execute("REVOKE ALL ON client_key, used_jti FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON client_key, used_jti TO gateway_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON vault.client_secret TO gateway_vault")


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _change_clients() -> None:
    # Clients made before have no way to get a token by themselves: give each one by `gateway client rotate`.
    op.add_column("partner_client", sa.Column("auth_method", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_partner_client_auth_method"),
        "partner_client",
        "auth_method IN ('client_secret_basic', 'private_key_jwt')",
    )
    op.add_column(
        "partner_client", sa.Column("dpop", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )


def _create_secrets() -> None:
    op.create_table(
        "client_secret",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _instant("created_at"),
        _instant("expires_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_client_secret"),
        schema="vault",
    )
    op.create_index("ix_client_secret_client_id", "client_secret", ["client_id"], schema="vault")


def _create_keys() -> None:
    op.create_table(
        "client_key",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("jwk", sa.Text(), nullable=False),
        _instant("added_at"),
        _instant("expires_at", nullable=True),
        sa.PrimaryKeyConstraint("client_id", "kid", name="pk_client_key"),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["partner_client.client_id"],
            name="fk_client_key_client_id_partner_client",
            ondelete="CASCADE",
        ),
    )


def _create_used() -> None:
    op.create_table(
        "used_jti",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        _instant("expires_at"),
        sa.PrimaryKeyConstraint("key", name="pk_used_jti"),
    )
    op.create_index("ix_used_jti_expires_at", "used_jti", ["expires_at"])
