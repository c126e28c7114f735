"""Makes the data that everybody is measured on, in a folder of its own.

In: how many members and partners. Out: a data directory of the gateway's, with a private PostgreSQL that has
its tables, indexes and roles, members of `gateway.seeding`, partners as companies have them, shares as the
shipped policy decides them, and the role `bench` of those who are not the gateway. `benchmarks.population`
keeps it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from benchmarks.growing import grow
from gateway.app import Product, compose, load_product
from gateway.database import Database, open_pools
from gateway.demo import PARTNERS, DemoPartner
from gateway.keys import Keyring
from gateway.migrations import migrate
from gateway.private_postgres import DATABASE, PrivatePostgres, private_postgres
from gateway.seeding import seed
from gateway.settings import Settings
from gateway.setup import ensure_keys
from policies.agreement import parse_categories
from resolvers.commands.clients import create_client
from resolvers.commands.partners import create_agreement, create_partner
from resolvers.demonstration import ask_partner_to_share
from resolvers.sealing import PhoneSealer
from schema.categories import Basis, closed, expand, mask_of
from schema.vocabulary import AgreementStatus

ROLE: Final = "bench"
PASSWORD: Final = "bench"  # noqa: S105 - of a database that lives for one run

_FILLING: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "8GB",
    "maintenance_work_mem": "256MB",
    "autovacuum": "off",
}
"""While it is filled nothing has to survive a crash: what is half made is thrown away."""

_GRANTS: Final = f"""
CREATE SCHEMA {ROLE};
CREATE TABLE {ROLE}.standing (client_id text PRIMARY KEY, agreement_id uuid NOT NULL, mask bigint NOT NULL);
CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}';
GRANT CONNECT ON DATABASE {DATABASE} TO {ROLE};
GRANT USAGE ON SCHEMA {ROLE}, public TO {ROLE};
GRANT SELECT ON {ROLE}.standing, member, postal_address, share, agreement, partner, partner_client TO {ROLE};
GRANT UPDATE (given_name, family_name, interests, updated_at, version) ON member TO {ROLE};
GRANT SELECT, INSERT ON share_change TO {ROLE};
"""

_SECOND_ADDRESSES: Final = """
INSERT INTO postal_address
  (id, member_id, kind, is_primary, line1, city, state, postal_code, country, created_at)
SELECT gen_random_uuid(), member_id, 'BILLING', false, line1, city, state, postal_code, country,
       created_at + interval '1 day'
FROM postal_address WHERE left(md5(member_id::text), 1) < '5'
"""
"""Every third member has two addresses."""


@dataclass(frozen=True)
class Size:
    """How much there is. `clients` are spread over the partners whose agreement has an address.

    Of `members` and `partners` there are so many `times` as many, by copies.
    """

    members: int = 100_000
    partners: int = 10
    clients: int = 64
    members_times: int = 1
    partners_times: int = 1

    @property
    def all_members(self) -> int:
        """With the copies."""
        return self.members * self.members_times

    @property
    def all_partners(self) -> int:
        """With the copies."""
        return self.partners * self.partners_times


def settings_of(folder: Path) -> Settings:
    """The gateway's settings on the data in `folder`."""
    return Settings(data_dir=folder / "data")


async def make(folder: Path, size: Size) -> None:
    """Fill an empty folder. The server that does it has stopped at the end."""
    settings = settings_of(folder)
    keys, product = ensure_keys(settings), load_product(settings)
    with private_postgres(settings.data_dir, keys.owner_password, overrides=_FILLING) as server:
        await _create_database(server)
        await migrate(server.url(), keys.role_passwords)
        async with open_pools(server.url(), settings, keys) as database:
            async with compose(settings, keys, database, product):
                """The policy is published and applied while there is nobody to decide about."""
            await fill(database, keys, product, size)
        await _finish(server.url(), size)


async def _create_database(server: PrivatePostgres) -> None:
    connection = await asyncpg.connect(server.url("postgres"))
    try:
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


async def fill(database: Database, keys: Keyring, product: Product, size: Size) -> None:
    """Partners with their clients, then members. The role of commands does it, as the product would."""
    now = datetime.now(UTC)
    made = [
        (company, *await make_partner(database, product, company, now))
        for company in companies(size.partners)
    ]
    async with database.transaction() as link:
        strategic = [agreement for company, _, agreement in made if company.basis is Basis.STRATEGIC]
        for index in range(size.clients):
            agreement = strategic[index % len(strategic)]
            await create_client(link, client_id=f"client-{index:03d}", agreement_id=agreement, now=now)
    async with database.app.acquire() as connection:
        await connection.execute("SET statement_timeout = 0")
        await seed(
            connection,
            size.members,
            1,
            now=now,
            sealer=PhoneSealer(keys.phone_public_key.public_key, keys.phone_public_key.key_id),
            matrix=product.matrix,
            partners=[partner for _, partner, _ in made],
            on_progress=_tell,
        )
    async with database.transaction() as link:
        for company, partner, _ in made:
            if company.basis is Basis.MEMBER_REQUEST:
                await ask_partner_to_share(link, product.matrix, partner, now=now)


def _tell(stored: int) -> None:
    if stored % 10_000 == 0:
        print(f"  {stored:,} members", file=sys.stderr)


async def make_partner(
    database: Database, product: Product, company: DemoPartner, now: datetime
) -> tuple[UUID, UUID]:
    """A company with an agreement that is in force: the ids of both."""
    async with database.transaction() as link:
        partner = await create_partner(link, name=company.name, display_name=company.display_name, now=now)
        agreement, _ = await create_agreement(
            link,
            product.matrix,
            partner=company.name,
            basis=company.basis,
            purpose=company.purpose,
            categories=company.categories,
            valid_from=now - timedelta(minutes=1),
            valid_until=None,
            status=AgreementStatus.ACTIVE,
            now=now,
            reasons=dict.fromkeys(company.categories, company.reason),
            officer="benchmark",
        )
    return partner, agreement


async def _finish(url: str, size: Size) -> None:
    """The role of the others, and what PostgreSQL wants to know of the tables."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_GRANTS)
        await connection.execute(_SECOND_ADDRESSES)
        await grow(connection, members=size.members_times, partners=size.partners_times)
        mask = closed(mask_of(expand(parse_categories(PARTNERS[0].categories))))
        await connection.execute(
            f"INSERT INTO {ROLE}.standing SELECT client_id, agreement_id, $1 FROM partner_client"
            " WHERE agreement_id IS NOT NULL",
            mask,
        )
        await connection.execute("VACUUM (FREEZE, ANALYZE)")
    finally:
        await connection.close()


def companies(count: int) -> Iterator[DemoPartner]:
    """Partners as a company has them: of ten, six get the most, and one gets what members ask for."""
    kinds = [PARTNERS[0]] * 6 + [PARTNERS[1]] * 3 + [PARTNERS[2]]
    for index in range(count):
        kind = kinds[index % len(kinds)]
        yield DemoPartner(
            f"{kind.name}-{index + 1}",
            f"{kind.display_name} {index + 1}",
            kind.basis,
            kind.purpose,
            kind.categories,
            kind.reason,
        )
