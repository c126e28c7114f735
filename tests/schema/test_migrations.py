from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection

import schema.migrations
from gateway.database import Database
from gateway.disclosure_verify import Verification
from gateway.keys import Keyring
from gateway.migrations import current_revision, expected_revision, migrate, owner_engine
from resolvers.announcing import mail_more, unfinished_mailings
from resolvers.outbox import read_mail
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


def test_the_revision_that_is_expected_is_the_one_that_alembic_would_end_at() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.migrations.__file__).parent))
    config.set_main_option("path_separator", "newline")
    assert ScriptDirectory.from_config(config).get_heads() == [expected_revision()]


MEMBER_OF_BEFORE = (
    "INSERT INTO member (id, number, status, given_name, family_name, email, interests, purchase_categories,"
    " joined_at, updated_at, version) VALUES ($1, $2, 'ACTIVE', 'A', 'B', $2 || '@example.com',"
    " '{}', '{}', now(), now(), 1)"
)
RECORDS_OF_BEFORE = (
    "INSERT INTO disclosure (id, recorded_at, partner_id, agreement_id, client_id, token_id, operation_name,"
    " operation_hash, basis, purpose, categories, members) SELECT gen_random_uuid(), timestamptz '2025-01-01'"
    " - n / 2 * interval '1 minute', gen_random_uuid(), gen_random_uuid(), 'c', 't',"
    " CASE n % 3 WHEN 0 THEN 'Grüße' WHEN 1 THEN '' END, '', 'MARKETING', 'p', '{user.name,user.age}',"
    " CASE n % 4 WHEN 0 THEN ARRAY[$2::uuid, $1::uuid] WHEN 1 THEN ARRAY[$1, $3::uuid, $2]"
    " WHEN 2 THEN ARRAY[$3] ELSE '{}'::uuid[] END FROM generate_series(1, 1101) AS n"
)
"""Newest first and two of each moment, of two members and of one who has left; more than two batches."""

PART_OF_BEFORE = """
INSERT INTO disclosure_part (since, until, level, entries) VALUES (1, 600, 0, 0);
INSERT INTO disclosure_of (part, member, places)
  SELECT (SELECT number FROM disclosure_part), member, array_agg(place ORDER BY place)
  FROM disclosure, unnest(members) AS member WHERE place <= 600 GROUP BY member
"""
"""With a row for each member, as it was until revision 0018."""


@pytest.mark.clause("R2")
async def test_records_of_before_the_chain_are_renamed_and_chained_and_verified(
    test_server: TestServer, template: str, keys: Keyring
) -> None:
    del template
    ids = ada, ben, gone = [UUID(int=number) for number in (1, 2, 3)]
    async with test_server.database_url() as url:
        await migrate(url, {}, revision="0003")
        owner = await asyncpg.connect(url)
        await owner.execute(MEMBER_OF_BEFORE, ada, "M-1")
        await owner.execute(MEMBER_OF_BEFORE, ben, "M-2")
        await owner.execute(RECORDS_OF_BEFORE, *ids)
        before = await owner.fetch("SELECT * FROM disclosure ORDER BY recorded_at, id")
        await migrate(url, {}, revision="0017")
        await owner.execute(PART_OF_BEFORE)
        await migrate(url, {})

        names = {row["id"]: row["log_id"] for row in await owner.fetch("SELECT id, log_id FROM member")}
        assert set(names) == {ada, ben} != set(names.values())
        after = await owner.fetch("SELECT * FROM disclosure ORDER BY place")
        assert [{**row, "members": [names.get(m, gone) for m in row["members"]]} for row in before] == [
            {name: row[name] for name in before[0].keys()}  # noqa: SIM118 - of a row, not of a mapping
            for row in after
        ]
        assert [row["position"] for row in after] == [row["place"] for row in after] == [*range(1, 1102)]
        async with owner.transaction():
            run = Verification(keys.verification_keys, [])
            assert [finding async for finding in run.database(owner, lambda _: None)] == []
        assert (run.tally.records, run.tally.writers) == (1101, 1)
        for name, records in ((ada, 551), (ben, 551)):
            assert await owner.fetchval("SELECT disclosures_count($1)", names[name]) == records
            found = await owner.fetch("SELECT disclosures_of($1, NULL, 2000) AS place", names[name])
            assert [row["place"] for row in found] == [
                row["place"] for row in reversed(after) if names[name] in row["members"]
            ]
        # Whoever records next takes the next place.
        assert await owner.fetchval("SELECT nextval(pg_get_serial_sequence('disclosure', 'place'))") == 1102
        await owner.close()


@pytest.mark.clause("C16")
async def test_a_mailing_of_before_goes_on_where_it_stopped(test_server: TestServer, template: str) -> None:
    del template
    ada, ben, mail = (UUID(int=number) for number in (1, 2, 3))
    async with test_server.database_url() as url:
        await migrate(url, {}, revision="0016")
        owner = await asyncpg.connect(url)
        for member, number in ((ada, "M-1"), (ben, "M-2")):
            await owner.execute(MEMBER_OF_BEFORE, member, number)
        await owner.execute(
            "INSERT INTO policy_version (number, digest, title, files, published_at, published_by,"
            " effective_at, notice_days, steps) VALUES (2, '', 'P', '{}', now(), 'olga', now(), 30, '{}')"
        )
        await owner.execute("INSERT INTO policy_mailing (version, reached, queued) VALUES (2, $1, 1)", ada)
        await owner.execute(
            "INSERT INTO notice (id, title, body, basis, purpose, categories, published_at, effective_at,"
            " version) SELECT gen_random_uuid(), 'T', 'B', 'MARKETING', 'marketing.communications.email',"
            " '{user.name}', now(), now(), version FROM unnest(ARRAY[2, NULL]) AS version"
        )
        await owner.execute(
            "INSERT INTO outgoing_mail (id, member_id, recipient, kind, policy_version, created_at, due_at,"
            " attempts) VALUES ($1, $2, 'ada@example.org', 'NEW_PRACTICE', 2, now(), now(), 0)",
            mail,
            ada,
        )
        await migrate(url, {})

        (mailing,) = await unfinished_mailings(owner)
        async with owner.transaction():
            done = await mail_more(owner, mailing, datetime.now(UTC))
        assert (done.queued, done.finished) == (2, True)
        rows = await owner.fetch("SELECT member_id FROM outgoing_mail ORDER BY member_id")
        assert [row["member_id"] for row in rows] == [ada, ben]
        facts = await read_mail(owner, mail, datetime.now(UTC))
        assert facts is not None
        assert facts.announcement is not None
        assert (facts.superseded, facts.announcement.version) == (False, 2)
        assert [notice.title for notice in facts.announcement.notices] == ["T"], "and of no other's"
        await owner.close()
