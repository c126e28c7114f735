from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from gateway.app import Product
from gateway.database import Database
from resolvers.commands.deletions import list_obligations, note_shown
from resolvers.commands.deletions_told import note_told
from resolvers.connection import Link
from resolvers.shares import refresh_shares
from schema.ids import new_id
from tests import world
from tests.feeds import rename

ACME = world.AGREEMENTS["acme"].id
PARTNER = world.partner_id("acme")
ADA = world.subject("acme", "ada")
BEN = world.subject("acme", "ben")
END = (2**62, 0)
"""Behind every line."""
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
        assert await note_told(connection, ACME, [ADA, ADA], END, world.NOW) == 1
        assert await note_told(connection, ACME, [ADA], END, LATER) == 0
        assert await note_told(connection, ACME, [], END, LATER) == 0
        assert await note_told(connection, world.AGREEMENTS["bolt"].id, [BEN], END, LATER) == 0
        assert await told(connection, ADA) == world.NOW
        assert await told(connection, BEN) is None


async def test_what_is_withdrawn_besides_has_to_be_told_anew(own_world: Database, product: Product) -> None:
    async with own_world.transaction() as connection:
        await refuse(connection, product, "ada", "user.contact.email")
        await note_told(connection, ACME, [ADA], END, world.NOW)
        await refuse(connection, product, "ada", "user.location.imprecise")
        assert await told(connection, ADA) is None


@pytest.mark.clause("C8")
async def test_what_was_withdrawn_behind_the_page_is_not_noted_as_told(
    own_world: Database, product: Product
) -> None:
    """The page was read, more was withdrawn, the note came last."""
    last = "SELECT transaction, seq FROM share_change WHERE subject = $1 ORDER BY transaction DESC, seq DESC"
    async with own_world.transaction() as connection:
        await refuse(connection, product, "ada", "user.contact.email")
        read_to = await connection.fetchrow(last, ADA)
        shown = await list_obligations(connection, PARTNER, confirmed=False, after=None, limit=9)
    async with own_world.transaction() as connection:
        await refuse(connection, product, "ada", "user.location.imprecise")
    async with own_world.transaction() as connection:
        assert read_to is not None
        assert await note_told(connection, ACME, [ADA], (read_to[0], read_to[1]), world.NOW) == 0
        await note_shown(connection, shown, world.NOW)
        assert await told(connection, ADA) is None
        shown = await list_obligations(connection, PARTNER, confirmed=False, after=None, limit=9)
        await note_shown(connection, shown, world.NOW)
        assert await told(connection, ADA) == world.NOW


async def test_a_correction_behind_the_page_leaves_the_note_as_it_is(
    own_world: Database, product: Product
) -> None:
    async with own_world.transaction() as connection:
        await refuse(connection, product, "ada", "user.contact.email")
    async with own_world.transaction() as connection:
        line = "SELECT transaction, seq FROM share_change WHERE subject = $1 ORDER BY seq DESC"
        read_to = await connection.fetchrow(line, ADA)
        await rename(connection, product.matrix, "ada", "Augusta")
        assert read_to is not None
        assert await note_told(connection, ACME, [ADA], (read_to[0], read_to[1]), world.NOW) == 1


async def test_noting_waits_for_nobody(own_world: Database, product: Product) -> None:
    async with own_world.transaction() as connection:
        await refuse(connection, product, "ada")
        await refuse(connection, product, "ben")
    async with own_world.transaction() as holding:
        await holding.execute("SELECT 1 FROM deletion WHERE subject = $1 FOR UPDATE", ADA)
        async with asyncio.timeout(5), own_world.transaction() as connection:
            assert await note_told(connection, ACME, [ADA, BEN], END, world.NOW) == 1
