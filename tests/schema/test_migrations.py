from __future__ import annotations

from typing import Any

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection

from gateway.database import Database
from gateway.keys import Keyring
from gateway.migrations import current_revision, expected_revision, migrate, owner_engine
from schema.tables import Table, VaultTable
from tests.databases import TestServer


async def test_the_migrated_structure_is_the_declared_one(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        metadata: Any = [Table.metadata, VaultTable.metadata]
        options = {"include_schemas": True, "compare_server_default": True, "target_metadata": metadata}
        found: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        return found

    engine = owner_engine(database.url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_the_migrated_checks_are_the_declared_ones(database: Database) -> None:
    declared = {
        str(constraint.name)
        for metadata in (Table.metadata, VaultTable.metadata)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    owner = await asyncpg.connect(database.url)
    rows = await owner.fetch("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0")
    await owner.close()
    assert {row["conname"] for row in rows} == declared


async def test_what_goes_with_a_row_is_found_by_an_index(database: Database) -> None:
    """Removing a row looks for the rows that refer to it, by the leading column of an index."""
    owner = await asyncpg.connect(database.url)
    rows = await owner.fetch(
        "SELECT conrelid::regclass::text || '.' || attname AS name FROM pg_constraint c JOIN pg_attribute a"
        " ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f' AND NOT EXISTS (SELECT"
        " FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] AND (i.indpred IS NULL"
        " OR pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', attname)))"
    )
    await owner.close()
    assert [row["name"] for row in rows] == []


async def test_an_empty_database_has_no_revision_and_migrating_twice_changes_nothing(
    test_server: TestServer, template: str, keys: Keyring
) -> None:
    del template  # the roles exist once it does
    async with test_server.database_url() as url:
        assert await current_revision(url) is None
        await migrate(url, keys.role_passwords)
        assert await current_revision(url) == expected_revision()
        await migrate(url, keys.role_passwords)
        assert await current_revision(url) == expected_revision()
