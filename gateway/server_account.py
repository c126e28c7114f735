"""Which operating system account runs the private PostgreSQL, and what that account may reach.

PostgreSQL refuses to run as root. Run by anybody else, the server runs as that user and nothing here
does anything. Run by root (as in a container), it runs as the system account `pgserver`, made on
first use, which gets its own cluster folder and passage (never listing) through the folders above it.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schema.errors import UnavailableError

ACCOUNT: Final = "pgserver"


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The account of the server. `user_id` is None when that is simply the account of this process."""

    user_id: int | None = None
    group_id: int | None = None

    @property
    def run_as(self) -> dict[str, Any]:
        """The arguments that make `subprocess.run` run a program under this account."""
        if self.user_id is None:
            return {}
        return {"user": self.user_id, "group": self.group_id, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give `path` to the account."""
        if self.user_id is not None and self.group_id is not None:
            os.chown(path, self.user_id, self.group_id)

    def owns(self, status: os.stat_result) -> bool:
        """Whether the file of that status belongs to the account."""
        return status.st_uid == (os.getuid() if self.user_id is None else self.user_id)

    def make_reachable(self, data_dir: Path, binaries: Path) -> None:
        """Let the account pass through the folders above its data and its programs.

        Passage only (`o+x`): no folder becomes listable, and `keys` stays closed.
        """
        if self.user_id is None:
            return
        installation = binaries.parent
        libraries = installation.parent.with_name(f"{installation.parent.name}.libs")
        for folder in (data_dir, *data_dir.parents, *installation.parents):
            _permit(folder, stat.S_IXOTH)
        for root in (installation, libraries):
            if not (root.exists() and root.stat().st_mode & stat.S_IROTH):
                _open_tree(root)


def server_account() -> ServerAccount:
    """The account for this process to run the server under.

    Raises:
        UnavailableError: root has no such account and cannot make one.
    """
    if os.geteuid() != 0:
        return ServerAccount()
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        entry = _create()
    return ServerAccount(entry.pw_uid, entry.pw_gid)


def _create() -> pwd.struct_passwd:
    command = [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        ACCOUNT,
    ]
    try:
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - a fixed command
        return pwd.getpwnam(ACCOUNT)
    except (OSError, KeyError) as error:
        raise UnavailableError(
            f"postgresql does not run as root, and the system account `{ACCOUNT}` could not be made: make it,"
            " run as another user, or set `GATEWAY_DATABASE_URL`"
        ) from error


def _permit(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(stat.S_IMODE(mode) | bits)


def _open_tree(root: Path) -> None:
    """An installation made under a strict umask: programs and libraries become readable."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            _permit(path, stat.S_IROTH | (stat.S_IXOTH if executable else 0))
