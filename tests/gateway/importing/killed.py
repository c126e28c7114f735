"""An import in a process of its own, to be killed: `python -m tests.gateway.importing.killed URL FILE`.

Prints a line after each batch that has been committed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.importing.mapping import load_mapping
from gateway.importing.run import Importer, Progress
from resolvers.sealing import PhoneSealer
from tests.gateway.importing.files import MATRIX


async def main(url: str, path: Path) -> None:
    connection = await asyncpg.connect(url)

    @asynccontextmanager
    async def transaction() -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        async with connection.transaction():
            yield connection

    def tell(progress: Progress) -> None:
        sys.stdout.write(f"{progress.rows}\n")
        sys.stdout.flush()

    await Importer(
        path=path,
        mapping=load_mapping("default"),
        sealer=PhoneSealer(X25519PrivateKey.generate().public_key(), "killed"),
        matrix=MATRIX,
        transaction=transaction,
        batch_rows=50,
        on_progress=tell,
    ).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
