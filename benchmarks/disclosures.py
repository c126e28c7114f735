"""Measures the disclosure log: what a record costs, and how long `me { disclosures }` takes on a long log.

`.venv/bin/python -m benchmarks.disclosures [--records 100000] [--members 500]` makes a private durable
PostgreSQL in a temporary folder, writes the log through the writer itself (chained, group commit), makes the
parts that the running gateway makes in the background, and asks as a member who is in every record and as one
who is in ten: first page with `totalCount`, then a later page by cursor. docs/decisions/0017 has the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.account_means import open_means
from gateway.app import load_product
from gateway.database import Database, open_pools
from gateway.keys import Keyring, create_keys
from gateway.migrations import migrate
from gateway.private_postgres import private_postgres
from gateway.settings import Settings
from policies.disclosure_chain import digest
from policies.principal import MemberPrincipal
from resolvers.disclosure_log import Chain, DisclosureEntry, DisclosureLog
from resolvers.disclosure_parts import make_part
from schema.categories import DataCategory
from tests import world
from tests.asking import Asking

POPULATION = 100_000
AT_ONCE = 64
PAGE = (
    "query($after: String) { me { disclosures(first: 20, after: $after) { totalCount pageInfo { endCursor }"
    " edges { node { id recordedAt basis purpose categories partner { displayName } } } } } }"
)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description="Measures the disclosure log.")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--members", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gateway-benchmark-") as folder:
        settings = Settings(data_dir=Path(folder))
        public = X25519PrivateKey.generate().public_key()
        keys = create_keys(settings, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        with private_postgres(settings.data_dir, keys.owner_password) as server:
            asyncio.run(_measure(server.url, settings, keys, options.records, options.members))


async def _measure(
    url: Callable[..., str], settings: Settings, keys: Keyring, records: int, members: int
) -> None:
    connection = await asyncpg.connect(url("postgres"))
    await connection.execute("CREATE DATABASE gateway")
    await connection.close()
    await migrate(url(), keys.role_passwords)
    product = load_product(settings)
    async with open_pools(url(), settings, keys) as database:
        await world.build(database, product.matrix)
        made = await database.app.fetch("SELECT gen_random_uuid() FROM generate_series(1, $1)", POPULATION)
        population = [row[0] for row in made]  # the driver's own ids, as in the rows of an answer
        _chaining(population[:members])
        await _writing(database, population, records, members)
        await _parts(database)
        with open_means(settings, keys, lambda: world.NOW) as means:
            asking = Asking(product, database, keys, settings, means, world.NOW)
            for name, who in (("in every record", "ada"), ("in ten records", "ben")):
                await _reading(asking, name, who)


def _entry(members: list[UUID]) -> DisclosureEntry:
    principal = world.partner("acme").principal
    categories = frozenset({DataCategory.NAME, DataCategory.EMAIL})
    return DisclosureEntry(principal, datetime.now(UTC), "Export", "0" * 64, categories, members)  # type: ignore[arg-type]


def _chaining(members: list[UUID]) -> None:
    chain = Chain.begun(datetime.now(UTC))
    record = _entry(members).chained(chain.writer, 1)
    started = time.perf_counter()
    for _ in range(1_000):
        digest(record, chain.head)
    print(f"chaining: {time.perf_counter() - started:.3f} ms a record of {len(members)} members")


async def _writing(database: Database, population: list[UUID], records: int, members: int) -> None:
    random = Random(1)  # noqa: S311 - to be repeated
    ada, ben = world.person("ada").log_id, world.person("ben").log_id
    in_ten = set(random.sample(range(records), 8))  # two more are in the world
    waits: list[float] = []
    numbers = iter(range(records))

    async def ask(log: DisclosureLog) -> None:
        for number in numbers:
            start = random.randrange(POPULATION)
            whose = [population[(start + i * 199) % POPULATION] for i in range(members - 2)]
            whose += [ada, ben] if number in in_ten else [ada]
            began = time.perf_counter()
            await log.record(_entry(whose))
            waits.append(time.perf_counter() - began)

    started = time.perf_counter()
    async with DisclosureLog(database.disclosures, flush_interval=0.002, timeout=60) as log:
        await asyncio.gather(*(ask(log) for _ in range(AT_ONCE)))
    spent = time.perf_counter() - started
    waits.sort()
    print(
        f"writing: {records} records of {members} members, {records / spent:.0f} a second,"
        f" {spent / records * 1e3:.2f} ms each; a request waits {statistics.median(waits) * 1e3:.1f} ms"
        f" (99 %: {waits[len(waits) * 99 // 100] * 1e3:.1f} ms) of {AT_ONCE} at once"
    )


async def _parts(database: Database) -> None:
    started, times, more = time.perf_counter(), [], True
    while more:
        began = time.perf_counter()
        async with database.transaction() as connection:
            more = await make_part(connection)
        times.append((time.perf_counter() - began) * 1e3)
    spent = time.perf_counter() - started
    before = await database.app.fetchval("SELECT pg_total_relation_size('disclosure_of') / 1000000")
    owner = await asyncpg.connect(database.url)
    await owner.execute("VACUUM FULL ANALYZE disclosure_of")  # its size if autovacuum had kept up
    await owner.close()
    size = await database.app.fetchval("SELECT pg_total_relation_size('disclosure_of') / 1000000")
    log = await database.app.fetchval("SELECT pg_total_relation_size('disclosure') / 1000000")
    print(
        f"parts: {spent:.1f} s, {len(times)} transactions, {_spread(times)}; {size} MB"
        f" ({before} MB before vacuum) beside a log of {log} MB"
    )


def _spread(times: list[float]) -> str:
    times = sorted(times)
    p95 = times[len(times) * 95 // 100]
    return f"median {statistics.median(times):.1f} ms, p95 {p95:.1f} ms, slowest {times[-1]:.1f} ms"


async def _reading(asking: Asking, name: str, who: str) -> None:
    principal = MemberPrincipal(world.person(who).id, "web", "t")
    after = None
    for page in ("first page and total", "second page and total"):
        times = []
        for _ in range(60):
            began = time.perf_counter()
            reply = await asking.ask(principal, PAGE, {"after": after})
            times.append((time.perf_counter() - began) * 1e3)
        found = reply.data["me"]["disclosures"]
        print(f"reading, {name} ({found['totalCount']}): {page}: {_spread(times)}")
        after = found["pageInfo"]["endCursor"]


if __name__ == "__main__":
    main()
