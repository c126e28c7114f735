from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from gateway import private_postgres as module
from gateway.private_postgres import PrivatePostgres, private_postgres
from schema.errors import UnavailableError

PASSWORD = "a password with ' and @ and /"

USER_OF_THE_SERVER = """
import sys
from pathlib import Path
from gateway.private_postgres import private_postgres
with private_postgres(Path(sys.argv[1]), sys.argv[2]) as server:
    print(server.process_id, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Initialised once: each test starts and stops it."""
    return tmp_path_factory.mktemp("private")


@pytest.fixture
def server(data_dir: Path) -> Iterator[PrivatePostgres]:
    with private_postgres(data_dir, PASSWORD) as running:
        yield running


@pytest.fixture
def other_process(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the same server until its input ends."""
    command = [sys.executable, "-c", USER_OF_THE_SERVER, str(data_dir), PASSWORD]
    with subprocess.Popen(  # noqa: S603 - this interpreter
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        if process.poll() is None:
            process.communicate()


def announced(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def alive(process_id: int) -> bool:
    return module._is_server(process_id)


async def execute(server: PrivatePostgres, statement: str) -> object:
    connection = await asyncpg.connect(server.url("postgres"))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_it_is_postgresql_18_and_durable(server: PrivatePostgres) -> None:
    assert str(await execute(server, "SHOW server_version")).startswith("18.")
    assert await execute(server, "SHOW fsync") == "on"
    assert await execute(server, "SHOW listen_addresses") == ""


@pytest.mark.parametrize("password", ["", "wrong"])
async def test_nobody_gets_in_without_the_password(server: PrivatePostgres, password: str) -> None:
    with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)):
        await asyncpg.connect(
            host=str(server.socket_dir), user="gateway_owner", database="postgres", password=password
        )


async def test_its_log_quotes_no_data(server: PrivatePostgres, data_dir: Path) -> None:
    with pytest.raises(asyncpg.DataError):
        await execute(server, "SELECT 'canary-4711'::uuid")
    with pytest.raises(asyncpg.UndefinedTableError):
        await execute(server, "SELECT 'canary-4711' FROM nowhere")
    assert "canary" not in (data_dir / "postgres" / "server.log").read_text(encoding="utf-8")


def test_a_second_start_is_quick_and_the_last_user_stops_it(data_dir: Path) -> None:
    started = time.monotonic()
    with private_postgres(data_dir, PASSWORD) as first:
        assert time.monotonic() - started < 3
        with private_postgres(data_dir, PASSWORD) as second:
            assert second.process_id == first.process_id
        assert alive(first.process_id)
    assert not alive(first.process_id)


def test_two_processes_share_it_and_the_one_that_stays_keeps_it(
    data_dir: Path, other_process: subprocess.Popen[str]
) -> None:
    process_id = announced(other_process)
    with private_postgres(data_dir, PASSWORD) as joined:
        assert joined.process_id == process_id
    assert alive(process_id)
    other_process.communicate()
    assert not alive(process_id)


async def test_after_a_killed_gateway_the_next_one_joins_the_server_and_stops_it(
    data_dir: Path, other_process: subprocess.Popen[str]
) -> None:
    process_id = announced(other_process)
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    assert alive(process_id)
    with private_postgres(data_dir, PASSWORD) as server:
        assert server.process_id == process_id
        assert await execute(server, "SELECT 1") == 1
    assert not alive(process_id)


async def test_after_a_killed_server_nothing_that_was_committed_is_lost(data_dir: Path) -> None:
    with private_postgres(data_dir, PASSWORD) as server:
        await execute(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(server.process_id, signal.SIGKILL)
        with private_postgres(data_dir, PASSWORD) as recovered:
            assert recovered.process_id != server.process_id
            assert await execute(recovered, "SELECT answer FROM kept") == 42


def test_a_stale_process_id_that_now_is_another_program_does_not_keep_it_from_starting(
    data_dir: Path,
) -> None:
    with private_postgres(data_dir, PASSWORD):
        pass  # it is stopped in order, whatever ran on this folder before
    pid_file = data_dir / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{data_dir}/postgres\n0\n5432\n/nowhere\n\n0 0\nready\n")
    with private_postgres(data_dir, PASSWORD) as server:
        assert server.process_id != os.getpid()


def test_a_server_that_nobody_can_reach_is_not_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So looks one that was killed this very moment: its process is there, and said that it was ready."""
    with private_postgres(tmp_path, PASSWORD) as server:
        reached, hidden = server.socket_dir / ".s.PGSQL.5432", server.socket_dir / "hidden"
        reached.rename(hidden)
        monkeypatch.setattr(module, "START_TIMEOUT", 1)
        monkeypatch.setattr(module, "START_ATTEMPTS", 1)
        with pytest.raises(UnavailableError), private_postgres(tmp_path, PASSWORD):
            pass
        hidden.rename(reached)
        monkeypatch.undo()
        with private_postgres(tmp_path, PASSWORD) as joined:
            assert joined.process_id == server.process_id


def test_a_path_too_long_for_a_socket_gets_a_private_folder(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long" * 30)
    with private_postgres(data_dir, PASSWORD) as server:
        assert not server.socket_dir.is_relative_to(data_dir)
        assert server.socket_dir.stat().st_mode & 0o077 == 0


def test_only_the_server_may_enter_its_folder(server: PrivatePostgres, data_dir: Path) -> None:
    assert server.process_id
    assert (data_dir / "postgres").stat().st_mode & 0o077 == 0


def test_an_initialisation_cut_off_half_way_starts_over(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18\n")
    with private_postgres(tmp_path, PASSWORD) as server:
        assert alive(server.process_id)


def test_when_it_does_not_start_the_error_says_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_ATTEMPTS", 1)
    (tmp_path / "postgres").mkdir()
    with (
        pytest.raises(UnavailableError, match=r"server\.log.*GATEWAY_DATABASE_URL"),
        private_postgres(tmp_path, PASSWORD),
    ):
        pass
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()
