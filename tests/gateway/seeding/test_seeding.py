from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import phonenumbers
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.database import Database
from gateway.keys import Keyring
from gateway.seeding import seed, seeded_password_hashes, seeded_phone_numbers
from policies.age import age_on
from policies.free_text import find_phone_number
from resolvers.sealing import PhoneSealer, sealing_info
from tests.conftest import MakeDatabase
from tests.gateway.importing.test_run import snapshot
from tests.resolvers.test_sealing import open_sealed

_HASHES = "SELECT password_hash FROM vault.credential ORDER BY member_id"
NOW = datetime(2025, 1, 15, 12, tzinfo=UTC)


async def grow(database: Database, keys: Keyring, members: int, *, secret_value: int | None = None) -> int:
    sealer = PhoneSealer(keys.phone_public_key.public_key, keys.phone_public_key.key_id)
    async with database.app.acquire() as connection:
        return await seed(connection, members, 7, now=NOW, sealer=sealer, secret_value=secret_value)


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(database.url)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.clause("R1")
async def test_twins_differ_in_their_secrets_only(make_database: MakeDatabase, keys: Keyring) -> None:
    digests, secrets = [], []
    for secret_value in (1, 2):
        async with make_database() as database:
            await grow(database, keys, 300, secret_value=secret_value)
            digests.append(hashlib.sha256((await snapshot(database)).encode()).hexdigest())
            async with reading(database) as connection:
                phones = "SELECT phone_id, member_id, key_id FROM vault.sealed_phone ORDER BY 1"
                tokens = "SELECT * FROM vault.billing_token ORDER BY 1"
                changed = "SELECT member_id, changed_at FROM vault.credential ORDER BY 1"
                digests[-1] += repr([await connection.fetch(query) for query in (phones, tokens, changed)])
                hashes = await connection.fetch(
                    "SELECT password_hash FROM vault.credential ORDER BY member_id"
                )
                secrets.append([row["password_hash"] for row in hashes])

    assert digests[0] == digests[1]
    assert not set(secrets[0]) & set(secrets[1])
    assert not set(seeded_password_hashes(7, 300, 1)) & set(seeded_password_hashes(7, 300, 2))
    assert seeded_phone_numbers(7, 300, 1) != seeded_phone_numbers(7, 300, 2)


@pytest.mark.clause("R1")
async def test_the_numbers_are_sealed_known_to_tests_and_nowhere_else(
    database: Database, keys: Keyring, phone_private_key: X25519PrivateKey
) -> None:
    await grow(database, keys, 200)

    numbers = seeded_phone_numbers(7, 200)
    everything = await snapshot(database)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)
    assert not any(number[1:] in everything for number in numbers)
    assert not any(hashed in everything for hashed in seeded_password_hashes(7, 200))
    async with reading(database) as connection:
        sealed = await connection.fetch("SELECT phone_id, ciphertext FROM vault.sealed_phone")
    opened = [open_sealed(row["ciphertext"], phone_private_key, row["phone_id"]) for row in sealed]
    assert sorted(opened) == sorted(numbers)
    assert sealing_info(sealed[0]["phone_id"])


async def test_seeding_goes_on_where_it_stopped_and_repeats_nothing(
    make_database: MakeDatabase, keys: Keyring
) -> None:
    async with make_database() as database:
        assert await grow(database, keys, 60) == 60
        assert await grow(database, keys, 100) == 40
        assert await grow(database, keys, 100) == 0
        in_two_steps = await snapshot(database)
    async with make_database() as database:
        await grow(database, keys, 100)
        assert await snapshot(database) == in_two_steps


async def test_the_members_are_believable(database: Database, keys: Keyring) -> None:
    await grow(database, keys, 1_000)

    async with reading(database) as connection:
        births = [row[0] for row in await connection.fetch("SELECT birth_date FROM member")]
        ages = [age_on(birth, NOW.date()) for birth in births if birth is not None]
        assert 10 <= sum(age < 18 for age in ages) <= 60
        assert 10 <= births.count(None) <= 80
        assert 30 < sum(ages) / len(ages) < 60
        chosen = await connection.fetchval("SELECT count(DISTINCT member_id) FROM choice")
        assert 200 < chosen < 400
        assert await connection.fetchval("SELECT count(*) FROM choice WHERE source = 'GPC'") > 20
        assert await connection.fetchval("SELECT count(DISTINCT country) FROM postal_address") == 7
        mismatched = await connection.fetchval(
            "SELECT count(*) FROM member m WHERE purchase_categories IS DISTINCT FROM coalesce(("
            " SELECT array_agg(DISTINCT l.category ORDER BY l.category) FROM order_line l"
            " JOIN customer_order o ON o.id = l.order_id"
            " WHERE o.member_id = m.id AND o.status <> 'CANCELLED'), '{}')"
        )
        assert mismatched == 0
        for table, column in (
            ("customer_order", "placed_at"),
            ("visit", "started_at"),
            ("choice", "requested_at"),
        ):
            late = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {column} > $1", NOW)
            assert late == 0
        texts = await connection.fetch(
            "SELECT unnest(ARRAY[m.given_name, m.family_name, m.username, a.line1, a.line2, a.city]) AS text,"
            " a.country FROM member m JOIN postal_address a ON a.member_id = m.id"
        )
        assert not [
            row for row in texts if row["text"] and find_phone_number(row["text"], region=row["country"])
        ]
