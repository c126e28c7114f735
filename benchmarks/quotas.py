"""What counting costs a request: processor time in this process, and statements.

python -m benchmarks.quotas
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from benchmarks.scratch import scratch
from gateway.database import Database
from gateway.demo import PARTNERS
from gateway.quotas import Quotas, quota_settings
from policies.principal import PartnerPrincipal

REQUESTS = 50_000
"""Below the default of a minute, so that none is refused."""


class Counted:
    """Connections, and how many statements were sent over them: each is for one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements = 0

    def connection(self) -> AbstractAsyncContextManager[Any]:
        """A connection for one statement."""
        self.statements += 1
        return self._database.connection()


async def main() -> None:
    """Count requests as `/graphql` does, one after the other, and print what one of them took."""
    async with scratch() as (settings, _, database, _product):
        agreement_id: UUID = await database.app.fetchval("SELECT id FROM agreement")
        partner = PARTNERS[0]
        principal = PartnerPrincipal(
            agreement_id, agreement_id, 1, partner.client_id, "", partner.basis, partner.purpose, 0
        )
        counted = Counted(database)
        async with Quotas(counted, quota_settings(settings), lambda: datetime.now(UTC)) as quotas:
            await quotas.count(principal)
            used, began = time.process_time(), time.perf_counter()
            for _ in range(REQUESTS):
                await quotas.count(principal)
            counting = (time.process_time() - used) / REQUESTS
            elapsed = time.perf_counter() - began
            used = time.process_time()
            for _ in range(REQUESTS):
                quotas.headers(principal)
            telling = (time.process_time() - used) / REQUESTS
    print(f"counting {counting * 1e6:.1f} us, header fields {telling * 1e6:.1f} us of processor a request")
    print(f"{counted.statements} statements for {REQUESTS} requests in {elapsed:.2f} s")


if __name__ == "__main__":
    asyncio.run(main())
