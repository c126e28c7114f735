"""To whose key an access archive is to be encrypted, where the member said so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. No role gains anything: an owner's connection alone reads a sealed number."""
    op.add_column("member_request", sa.Column("recipient", sa.Text(), nullable=True))
