from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from gateway.database import Database
from schema.ids import new_id
from schema.tables import Table, VaultTable
from tests.conftest import MakeDatabase

VAULT = sorted(table.fullname for table in VaultTable.metadata.sorted_tables)
APPEND_ONLY = (
    "aggregate_answer", "aggregate_release", "agreement_version", "choice", "deletion_statement",
    "disclosure", "disclosure_checkpoint", "disclosure_writer", "officer_action",
    "policy_version", "revocation",
)  # fmt: skip
UNREADABLE = {
    "aggregate_agreement", "aggregate_answer", "aggregate_ledger", "aggregate_release",
    "agreement_category", "agreement_version", "applied_policy", "attempt", "client_key",
    "deletion_statement", "business_transfer", "legal_case", "legal_case_member", "legal_deferral",
    "disclosure_checkpoint", "disclosure_writer", "done_command", "import_job", "newsletter",
    "officer", "officer_action", "officer_session", "one_time_link", "outgoing_mail", "partner_client",
    "persisted_document", "notice_mailing", "policy_version", "quota",
    "refused_address", "revocation", "statement_key", "suppression", "suppression_due", "suppression_key",
    "suppression_use", "suppression_watch", "used_jti", "webhook_endpoint", "webhook_message",
}  # fmt: skip


@pytest.fixture(scope="module")
async def database(make_database: MakeDatabase) -> AsyncIterator[Database]:
    """One database for all: what these tests try is refused."""
    async with make_database() as database:
        yield database


@pytest.mark.clause("C10", "C14")
@pytest.mark.parametrize("table", VAULT)
async def test_the_reader_cannot_see_the_vault(database: Database, table: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.reader.fetch(f"SELECT * FROM {table}")


@pytest.mark.clause("C10", "C14")
@pytest.mark.parametrize("table", VAULT)
async def test_commands_cannot_see_the_vault_without_changing_role(database: Database, table: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.app.fetch(f"SELECT count(*) FROM {table}")


@pytest.mark.clause("C10")
@pytest.mark.parametrize("what", ["*", "ciphertext", "length(ciphertext)", "key_id", "count(ciphertext)"])
async def test_nobody_who_signs_in_can_select_a_sealed_number(database: Database, what: str) -> None:
    async with database.app.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE gateway_vault")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT {what} FROM vault.sealed_phone")


@pytest.mark.clause("C10")
async def test_a_number_can_be_sealed_found_by_its_member_and_deleted(database: Database) -> None:
    phone, member = new_id(), new_id()
    async with database.app.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE gateway_vault")
        await connection.execute(
            "INSERT INTO vault.sealed_phone (phone_id, member_id, key_id, ciphertext)"
            " VALUES ($1, $2, 'k', 'c')",
            phone,
            member,
        )
        found = await connection.fetchval(
            "SELECT phone_id FROM vault.sealed_phone WHERE member_id = $1", member
        )
        assert found == phone
        assert (
            await connection.execute("DELETE FROM vault.sealed_phone WHERE phone_id = $1", phone)
            == "DELETE 1"
        )


@pytest.mark.parametrize("table", sorted(Table.metadata.tables))
async def test_the_reader_sees_what_contracts_need_and_writes_nothing(database: Database, table: str) -> None:
    if table in UNREADABLE:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.reader.fetch(f"SELECT * FROM {table}")
    else:
        assert await database.reader.fetch(f"SELECT * FROM {table}") == []
    async with database.reader.acquire() as connection, connection.transaction():
        await connection.execute("SET TRANSACTION READ WRITE")
        for statement in (f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute(statement)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}"])
async def test_records_are_never_taken_back(database: Database, table: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.app.execute(statement.format(table))


async def test_revocations_appear_in_the_order_of_their_numbers(database: Database) -> None:
    insert = "INSERT INTO revocation (kind, subject, revoked_at) VALUES ('TOKEN', 'x', $1)"
    now = datetime.now(UTC)
    async with database.app.acquire() as first, database.app.acquire() as second:
        async with first.transaction():
            await first.execute(insert, now)
            with pytest.raises(TimeoutError):
                await second.execute(insert, now, timeout=0.1)
        await second.execute(insert, now)
