"""A gateway's database for one measurement: private, migrated, with the demonstration's partners."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.filling import make_partner
from gateway.app import Product, load_product
from gateway.database import Database, open_pools, owner_url
from gateway.demo import PARTNERS
from gateway.keys import Keyring
from gateway.migrations import migrate
from gateway.seeding import seed
from gateway.settings import Settings
from gateway.setup import ensure_keys
from resolvers.commands.clients import create_client
from resolvers.sealing import PhoneSealer


@asynccontextmanager
async def scratch(members: int = 0) -> AsyncIterator[tuple[Settings, Keyring, Database, Product]]:
    """Everything that `gateway.app.compose` wants, removed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data")
        keys = ensure_keys(settings)
        product = load_product(settings)
        async with owner_url(settings, keys) as url:
            await migrate(url, keys.role_passwords)
            async with open_pools(url, settings, keys) as database:
                await _fill(database, keys, product, members)
                yield settings, keys, database, product


async def _fill(database: Database, keys: Keyring, product: Product, members: int) -> None:
    now = datetime.now(UTC)
    partner = PARTNERS[0]
    partner_id, agreement_id = await make_partner(database, product, partner, now)
    async with database.transaction() as link:
        await create_client(link, client_id=partner.client_id, agreement_id=agreement_id, now=now)
    async with database.app.acquire() as connection:
        await seed(
            connection,
            members,
            1,
            now=now,
            sealer=PhoneSealer(keys.phone_public_key.public_key, keys.phone_public_key.key_id),
            matrix=product.matrix,
            partners=[partner_id],
            on_progress=lambda _: None,
        )
