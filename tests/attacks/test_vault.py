"""R1 at the database and in the process: the service's credentials and its memory open no number."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.database import Database
from schema.tables import VaultTable
from tests.attacks.twins import Twins
from tests.gateway.importing.files import owner

TABLES = sorted(table.fullname for table in VaultTable.metadata.sorted_tables)

AS_READER = [
    "SELECT * FROM {}",
    "SELECT count(*) FROM {}",
    "SELECT '{}'::regclass",
    "EXPLAIN (ANALYZE) SELECT * FROM {}",
    "COPY {} TO STDOUT",
    "LOCK TABLE {}",
    "CREATE TEMP VIEW seen AS SELECT * FROM {}",
    "ANALYZE {}",
    "DELETE FROM {}",
]
AROUND = [
    "SET ROLE gateway_vault",
    "SET ROLE gateway_app",
    "SET SESSION AUTHORIZATION gateway_owner",
    "SELECT * FROM pg_statistic",
    "SELECT * FROM pg_statistic_ext_data",
    "SELECT * FROM pg_largeobject",
    "SELECT * FROM pg_authid",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_ls_dir('base')",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY member TO '/tmp/members'",
    "SET log_statement = 'all'",
    "SET log_min_messages = 'debug5'",
    "SET log_min_error_statement = 'error'",
    "SET log_parameter_max_length = -1",
    "CREATE SCHEMA mine",
    "CREATE TABLE public.mine (a int)",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "GRANT gateway_vault TO gateway_reader",
]
OF_CIPHERTEXT = [
    "SELECT ciphertext FROM vault.sealed_phone",
    "SELECT s FROM vault.sealed_phone s",
    "SELECT s::text FROM vault.sealed_phone s",
    "SELECT phone_id FROM vault.sealed_phone WHERE ciphertext > '\\x00'",
    "SELECT phone_id FROM vault.sealed_phone ORDER BY ciphertext",
    "SELECT phone_id FROM vault.sealed_phone WHERE length(ciphertext) > 1",
    "SELECT 1 FROM vault.sealed_phone a JOIN vault.sealed_phone b USING (ciphertext)",
    "SELECT count(DISTINCT ciphertext) FROM vault.sealed_phone",
    "DELETE FROM vault.sealed_phone RETURNING ciphertext",
    "DELETE FROM vault.sealed_phone WHERE ciphertext IS NOT NULL",
    "UPDATE vault.sealed_phone SET member_id = member_id",
    "UPDATE vault.sealed_phone SET ciphertext = ciphertext",
    "INSERT INTO vault.sealed_phone SELECT * FROM vault.sealed_phone",
    "INSERT INTO vault.sealed_phone VALUES (gen_random_uuid(), gen_random_uuid(), 'k', 'x')"  # noqa: ISC004
    " ON CONFLICT (phone_id) DO UPDATE SET ciphertext = excluded.ciphertext",
    "COPY vault.sealed_phone TO STDOUT",
    "COPY vault.sealed_phone (ciphertext) TO STDOUT",
    "TRUNCATE vault.sealed_phone",
    "ALTER TABLE vault.sealed_phone ADD COLUMN a int",
    "CREATE TRIGGER t BEFORE UPDATE ON vault.sealed_phone"  # noqa: ISC004
    " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE VIEW public.seen AS SELECT ciphertext FROM vault.sealed_phone",
]


async def refused(connection: asyncpg.Connection[asyncpg.Record], statement: str) -> None:
    """The database refuses it for want of privilege, and quotes nothing of a row."""
    async with connection.transaction():
        await connection.execute("SET TRANSACTION READ WRITE")
        with pytest.raises(asyncpg.InsufficientPrivilegeError) as refusal:
            async with connection.transaction():
                await connection.execute(statement)
    assert "\\x" not in str(refusal.value)


@pytest.fixture
async def database(twins: Twins) -> Database:
    """One with a full vault."""
    return twins.left.database


@pytest.mark.clause("R1", "C10", "C14")
@pytest.mark.parametrize("statement", [s.format(t) for t in TABLES for s in AS_READER] + AROUND)
async def test_the_reader_finds_no_way_to_the_vault(database: Database, statement: str) -> None:
    async with database.reader.acquire() as connection:
        await refused(connection, statement)  # type: ignore[arg-type]


@pytest.mark.clause("R1", "C10")
@pytest.mark.parametrize("statement", OF_CIPHERTEXT)
async def test_the_role_of_the_vault_finds_no_way_to_a_sealed_number(
    database: Database, statement: str
) -> None:
    async with database.app.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE gateway_vault")
        await refused(connection, statement)  # type: ignore[arg-type]


@pytest.mark.clause("R1")
@pytest.mark.parametrize("role", ["gateway_reader", "gateway_app", "gateway_vault"])
async def test_the_planner_s_statistics_show_nothing_of_a_sealed_number(
    database: Database, role: str
) -> None:
    """`pg_stats` holds most common values and bounds of every column that one may select."""
    query = (
        "SELECT attname, most_common_vals::text, histogram_bounds::text FROM pg_stats"
        " WHERE schemaname = 'vault' AND tablename = 'sealed_phone'"
    )
    async with owner(database) as connection:
        await connection.execute("ANALYZE vault.sealed_phone")
        assert "ciphertext" in {row["attname"] for row in await connection.fetch(query)}
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {role}")
            seen = {row["attname"] for row in await connection.fetch(query)}

    assert seen <= {"phone_id", "member_id"}
    assert role == "gateway_vault" or seen == set()


@pytest.mark.clause("R1", "C10")
async def test_what_the_reader_can_measure_of_the_vault_depends_on_no_number(twins: Twins) -> None:
    """Sizes, counts and pages of the vault's tables are public in PostgreSQL: equal in both worlds."""
    query = (
        "SELECT c.relname, c.reltuples, c.relpages, pg_relation_size(c.oid), pg_stat_get_live_tuples(c.oid)"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'vault' AND c.relkind = 'r' ORDER BY 1"
    )
    measured = []
    for world in (twins.left, twins.right):
        async with owner(world.database) as connection:
            await connection.execute("ANALYZE vault.sealed_phone, vault.credential, vault.billing_token")
        measured.append(await world.database.reader.fetch(query))

    assert measured[0] == measured[1]
    filled = {"sealed_phone", "credential", "billing_token"}
    assert {row["relname"] for row in measured[0] if row["reltuples"] > 0} == filled


# -- the process


@pytest.fixture
async def serving(tmp_path: Path) -> AsyncIterator[tuple[int, Path]]:
    """`gateway serve` after `gateway init` and `gateway migrate`: its process id, and the officer's key."""
    key = tmp_path / "officer" / "key.pem"
    environment = {**os.environ, "GATEWAY_DATA_DIR": str(tmp_path / "data"), "GATEWAY_PORT": "0"}

    async def start(*arguments: str) -> asyncio.subprocess.Process:
        program = "from gateway.cli.main import main; main()"
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, *arguments, env=environment, stdout=pipe, stderr=pipe
        )

    for arguments in (("init", "--officer-key", str(key)), ("migrate",)):
        process = await start(*arguments)
        _, errors = await process.communicate()
        assert process.returncode == 0, errors
    process = await start("serve")
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            while line := await process.stderr.readline():
                if json.loads(line).get("event") == "serving":
                    break
        yield process.pid, key
    finally:
        process.terminate()
        await process.communicate()


@pytest.mark.slow
@pytest.mark.clause("R1", "C10")
async def test_the_serving_process_holds_nothing_that_opens_a_number(serving: tuple[int, Path]) -> None:
    process_id, key_path = serving
    opened = await asyncio.to_thread(_opened_by, process_id)
    pem = await asyncio.to_thread(key_path.read_bytes)
    private = load_pem_private_key(pem, password=None)
    assert isinstance(private, X25519PrivateKey)
    secrets = (private.private_bytes_raw(), pem.splitlines()[1], str(key_path).encode())

    memory = await asyncio.to_thread(_memory_of, process_id)

    assert not any(path.startswith(str(key_path.parent)) for path in opened)
    # The search can go red: what the process does hold is found by it.
    assert private.public_key().public_bytes_raw() in memory
    assert not any(secret in memory for secret in secrets)


def _opened_by(process_id: int) -> list[str]:
    """The files that the process has open, and its environment."""
    folder = Path(f"/proc/{process_id}/fd")
    paths = []
    for entry in folder.iterdir():
        try:
            paths.append(str(entry.readlink()))
        except FileNotFoundError:
            continue
    return paths


def _memory_of(process_id: int) -> bytes:
    """All writable memory of the process."""
    found = bytearray()
    with Path(f"/proc/{process_id}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{process_id}/maps").read_text(encoding="utf-8").splitlines():
            bounds, access, *_ = line.split()
            if not access.startswith("rw"):
                continue
            start, end = (int(bound, 16) for bound in bounds.split("-"))
            try:
                memory.seek(start)
                found += memory.read(end - start)
            except (OSError, OverflowError, ValueError):
                continue
    return bytes(found)
