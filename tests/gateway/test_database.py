from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from gateway.database import Database, open_database, open_pools, owner_url
from gateway.driver_errors import translate_driver_errors
from gateway.keys import Keyring
from gateway.migrations import migrate
from gateway.settings import Settings
from schema.errors import GatewayError, UnavailableError
from tests.conftest import MakeDatabase

PARTNER = (
    "INSERT INTO partner (id, name, display_name, created_at)"
    " VALUES (gen_random_uuid(), 'canary', 'canary-4711', now())"
)


async def test_each_pool_signs_in_under_its_role(database: Database) -> None:
    assert await database.reader.fetchval("SELECT session_user") == "gateway_reader"
    assert await database.app.fetchval("SELECT session_user") == "gateway_app"


async def test_reads_are_read_only_and_planned_once(database: Database) -> None:
    assert await database.reader.fetchval("SHOW transaction_read_only") == "on"
    assert await database.reader.fetchval("SHOW plan_cache_mode") == "force_generic_plan"
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await database.reader.execute("CREATE TEMPORARY TABLE t (i int)")


async def test_a_released_connection_costs_no_round_trip(database: Database) -> None:
    async with database.reader.acquire() as connection:
        process_id = await connection.fetchval("SELECT pg_backend_pid()")
    async with database.reader.acquire() as connection, database.reader.acquire() as other:
        assert await connection.fetchval("SELECT pg_backend_pid()") == process_id
        last = "SELECT query FROM pg_stat_activity WHERE pid = $1"
        assert await other.fetchval(last, process_id) == "SELECT pg_backend_pid()"


async def test_a_transaction_is_whole_or_not_at_all(database: Database) -> None:

    async def half() -> None:
        async with database.transaction() as connection:
            await connection.execute(PARTNER)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half()
    assert await database.app.fetchval("SELECT count(*) FROM partner") == 0


async def test_a_changed_role_ends_with_its_transaction(database: Database) -> None:
    async with database.app.acquire() as connection:
        async with connection.transaction():
            await connection.execute("SET LOCAL ROLE gateway_vault")
        assert await connection.fetchval("SELECT current_user") == "gateway_app"


async def test_a_violation_quotes_no_value(database: Database) -> None:
    await database.app.execute(PARTNER)
    with pytest.raises(GatewayError) as caught:
        async with database.transaction() as connection:
            await connection.execute(PARTNER)
    error: BaseException | None = caught.value
    while error is not None:
        assert "canary" not in repr(error)
        assert error.__context__ is None or error.__suppress_context__
        error = error.__cause__
    assert "23505" in str(caught.value.__cause__)


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError(), asyncpg.InterfaceError("x")])
def test_a_database_that_does_not_answer_is_unavailable(error: Exception) -> None:
    with pytest.raises(UnavailableError), translate_driver_errors():
        raise error


async def test_a_statement_that_takes_too_long_is_ended(make_database: MakeDatabase, tmp_path: Path) -> None:
    async with make_database(settings=Settings(data_dir=tmp_path, statement_timeout=0.05)) as database:
        with pytest.raises(UnavailableError), translate_driver_errors():
            await database.reader.fetch("SELECT pg_sleep(5)")


async def test_keys_of_another_installation_are_refused_with_advice(
    database: Database, settings: Settings
) -> None:
    others = Keyring(b"another secret of 32 bytes ......", (), None)  # type: ignore[arg-type]
    with pytest.raises(UnavailableError, match="gateway migrate"):
        async with open_pools(database.url, settings, others):
            pass


def test_the_representation_shows_no_password(database: Database, keys: Keyring) -> None:
    text = repr(database) + repr(keys)
    assert not any(password in text for password in (keys.owner_password, *keys.role_passwords.values()))
    assert keys.secret.hex() not in text
    assert repr(keys.secret) not in text


@pytest.mark.slow
async def test_with_nothing_configured_a_private_server_is_opened(tmp_path: Path, keys: Keyring) -> None:
    settings = Settings(data_dir=tmp_path)
    async with owner_url(settings, keys) as url:
        await migrate(url, keys.role_passwords)
    async with open_database(settings, keys) as database:
        assert await database.reader.fetchval("SELECT count(*) FROM member") == 0


@pytest.mark.slow
async def test_an_opening_that_is_cancelled_leaves_no_server(tmp_path: Path, keys: Keyring) -> None:
    async def opening() -> None:
        async with owner_url(Settings(data_dir=tmp_path), keys):
            pytest.fail("it was cancelled")

    task = asyncio.ensure_future(opening())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()
