"""`log_ids`: the members of a record, by a name of its own.

The writer of the log hands over a record's members in PostgreSQL's own form of an array, byte for byte, and
the driver lets nobody do that for an array, only for a type with a name (docs/decisions/0030).
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the name; the writer of the log may use it."""
    op.execute("CREATE DOMAIN log_ids AS uuid[]")
    op.execute("REVOKE ALL ON DOMAIN log_ids FROM PUBLIC")
    op.execute("GRANT USAGE ON DOMAIN log_ids TO gateway_app")
