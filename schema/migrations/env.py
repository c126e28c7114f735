"""Run by Alembic: applies revisions over the connection that the caller hands in.

`gateway.migrations` opens that connection as the owner, and the transaction is its own.
"""

from __future__ import annotations

from alembic import context

from schema.tables import Table, VaultTable

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[Table.metadata, VaultTable.metadata],
    include_schemas=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
