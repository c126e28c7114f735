from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from gateway.app import Product
from gateway.database import Database
from resolvers.commands.deletions_told import note_told
from resolvers.connection import Link
from resolvers.shares import refresh_shares
from schema.ids import new_id
from tests import world

ACME = world.AGREEMENTS["acme"].id
ADA = world.subject("acme", "ada")
BEN = world.subject("acme", "ben")
LATER = world.NOW + timedelta(minutes=1)


async def refuse(connection: Link, product: Product, name: str, *categories: str) -> None:
    person = world.person(name)
    await connection.execute(
        "INSERT INTO choice (id, member_id, topic, direction, categories, requested_at, received_at, source)"
        " VALUES ($1, $2, 'SHARING', 'OUT', $3, $4, $4, 'PROFILE_PAGE')",
        new_id(),
        person.id,
        list(categories) or None,
        world.NOW,
    )
    await refresh_shares(connection, product.matrix, now=world.NOW, members=[person.id])


async def told(connection: Link, subject: Any) -> Any:
    return await connection.fetchval(
        "SELECT told_at FROM deletion WHERE agreement_id = $1 AND subject = $2", ACME, subject
    )


@pytest.mark.clause("C8")
async def test_who_has_been_told_is_noted_once_and_only_of_what_was_withdrawn(
    own_world: Database, product: Product
) -> None:
    async with own_world.transaction() as connection:
        await refuse(connection, product, "ada", "user.contact.email")
        await refuse(connection, product, "ben")
    async with own_world.transaction() as connection:
        assert await note_told(connection, ACME, [ADA, ADA], world.NOW) == 1
        assert await note_told(connection, ACME, [ADA], LATER) == 0
        assert await note_told(connection, ACME, [], LATER) == 0
        assert await note_told(connection, world.AGREEMENTS["bolt"].id, [BEN], LATER) == 0
        assert await told(connection, ADA) == world.NOW
        assert await told(connection, BEN) is None


async def test_what_is_withdrawn_besides_has_to_be_told_anew(own_world: Database, product: Product) -> None:
    async with own_world.transaction() as connection:
        await refuse(connection, product, "ada", "user.contact.email")
        await note_told(connection, ACME, [ADA], world.NOW)
        await refuse(connection, product, "ada", "user.location.imprecise")
        assert await told(connection, ADA) is None


async def test_noting_waits_for_nobody(own_world: Database, product: Product) -> None:
    async with own_world.transaction() as connection:
        await refuse(connection, product, "ada")
        await refuse(connection, product, "ben")
    async with own_world.transaction() as holding:
        await holding.execute("SELECT 1 FROM deletion WHERE subject = $1 FOR UPDATE", ADA)
        async with asyncio.timeout(5), own_world.transaction() as connection:
            assert await note_told(connection, ACME, [ADA, BEN], world.NOW) == 1
