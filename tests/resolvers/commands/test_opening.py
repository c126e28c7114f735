"""Activating an agreement over many members: none or all to who reads, and nobody waits long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from gateway.app import Product
from gateway.database import Database
from policies.principal import PartnerPrincipal
from resolvers.commands import opening
from resolvers.commands.opening import activate_agreement
from resolvers.commands.partners import create_agreement, set_agreement_status
from resolvers.connection import Link
from resolvers.shares import refresh_shares
from schema.categories import Basis, Purpose
from schema.errors import InputError
from schema.vocabulary import AgreementStatus
from tests import world
from tests.asking import Asking
from tests.resolvers.test_shares import decided, shares

MEMBERS = 5_000


async def draft(database: Database, product: Product) -> UUID:
    async with database.transaction() as link:
        agreement_id, _ = await create_agreement(
            link,
            product.matrix,
            partner="bolt",
            basis=Basis.STRATEGIC,
            purpose=Purpose.PARTNER_OFFERS,
            categories=["user.name", "user.contact.email"],
            valid_from=world.NOW,
            valid_until=None,
            status=AgreementStatus.DRAFT,
            now=world.NOW,
            reasons={"user.name": "to address", "user.contact.email": "to write"},
            officer="Olga",
        )
    return agreement_id


async def crowd(database: Database, members: int) -> None:
    await database.app.execute(
        "INSERT INTO member (id, number, status, given_name, family_name, email, birth_date, region,"
        " interests, purchase_categories, joined_at, updated_at, version)"
        " SELECT gen_random_uuid(), 'C-' || n, 'ACTIVE', 'A', 'B', n || '@crowd.example', '1980-01-01',"
        " 'US-CA', '{}', '{}', $2, $2, 1 FROM generate_series(1, $1::int) n",
        members,
        world.NOW,
    )


async def activate(database: Database, product: Product, agreement_id: UUID) -> int:
    changes = await activate_agreement(
        database.transaction, product.matrix, agreement_id=agreement_id, clock=lambda: world.NOW
    )
    return changes.opened


def principal(agreement_id: UUID) -> PartnerPrincipal:
    terms = world.AGREEMENTS["bolt"]
    return PartnerPrincipal(
        partner_id=terms.partner_id,
        agreement_id=agreement_id,
        agreement_version=1,
        client_id="bolt",
        token_id="t",
        basis=Basis.STRATEGIC,
        purpose=Purpose.PARTNER_OFFERS,
        mask=terms.mask,
    )


@dataclass
class Seen:
    """What somebody found who asked again and again."""

    values: list[int] = field(default_factory=list)


@asynccontextmanager
async def watching(asking: Asking, agreement_id: UUID) -> AsyncIterator[Seen]:
    """The partner asks how many members it sees, until the context ends."""
    seen, over = Seen(), asyncio.Event()

    async def watch() -> None:
        while not over.is_set():
            reply = await asking.ask(principal(agreement_id), "{ members { totalCount } }")
            seen.values.append(reply.data["members"]["totalCount"])
            await asyncio.sleep(0.005)

    task = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        over.set()
        await task


@pytest.mark.clause("C8")
async def test_a_reader_sees_none_or_all_and_neither_reader_nor_member_waits_for_it(
    asking_alone: Asking, product: Product
) -> None:
    database, ben = asking_alone.database, world.person("ben").id
    await crowd(database, MEMBERS)
    agreement_id = await draft(database, product)
    changes = 0
    async with watching(asking_alone, agreement_id) as seen:
        activating = asyncio.create_task(activate(database, product, agreement_id))
        while not activating.done():
            async with database.transaction() as link:
                await refresh_shares(link, product.matrix, now=world.NOW, members=[ben])
            changes += 1
            await asyncio.sleep(0.01)
        await activating
        await asyncio.sleep(0.05)
    opened = await database.app.fetchval("SELECT count(*) FROM share WHERE agreement_id = $1", agreement_id)
    assert opened > MEMBERS
    assert set(seen.values) == {0, opened}
    assert seen.values == sorted(seen.values)
    assert len(seen.values) > 5
    # Who waited for it would have come once. How long each takes is the machine's affair.
    assert changes > 2


async def test_members_who_choose_while_it_opens_are_found_as_they_chose(
    own_world: Database, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each transaction of the activation is followed by one of a member, who may have been decided before."""
    monkeypatch.setattr(opening, "CHUNK", 3)
    agreement_id = await draft(own_world, product)
    people = [person for person in world.PEOPLE if person.status == "ACTIVE"]

    @asynccontextmanager
    async def interrupted() -> AsyncIterator[Link]:
        async with own_world.transaction() as link:
            yield link
        if people:
            someone = people.pop()
            async with own_world.transaction() as link:
                await link.execute(
                    "INSERT INTO choice (id, member_id, requested_at, received_at, direction, source)"
                    " VALUES (gen_random_uuid(), $1, $2, $2, 'OUT', 'PROFILE_PAGE')",
                    someone.id,
                    world.NOW,
                )
                await refresh_shares(link, product.matrix, now=world.NOW, members=[someone.id])

    await activate_agreement(interrupted, product.matrix, agreement_id=agreement_id, clock=lambda: world.NOW)
    async with own_world.transaction() as link:
        assert await shares(link) == await decided(link, product.matrix, world.NOW)
        assert not await link.fetchval("SELECT count(*) FROM deletion WHERE agreement_id = $1", agreement_id)


async def test_what_stopped_half_way_shares_nothing_and_goes_on_or_is_undone(
    asking_alone: Asking, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = asking_alone.database
    monkeypatch.setattr(opening, "CHUNK", 4)
    agreement_id = await draft(database, product)
    left = 3

    @asynccontextmanager
    async def failing() -> AsyncIterator[Link]:
        nonlocal left
        left -= 1
        if left < 0:
            raise LookupError
        async with database.transaction() as link:
            yield link

    with pytest.raises(LookupError):
        await activate_agreement(failing, product.matrix, agreement_id=agreement_id, clock=lambda: world.NOW)
    assert await database.app.fetchval("SELECT count(*) FROM share WHERE agreement_id = $1", agreement_id)
    reply = await asking_alone.ask(principal(agreement_id), "{ members { totalCount } }")
    assert reply.data == {"members": {"totalCount": 0}}
    async with database.transaction() as link:
        await set_agreement_status(
            link, product.matrix, agreement_id=agreement_id, status=AgreementStatus.SUSPENDED, now=world.NOW
        )
        assert not await link.fetchval("SELECT count(*) FROM share WHERE agreement_id = $1", agreement_id)
        assert not await link.fetchval("SELECT count(*) FROM deletion WHERE agreement_id = $1", agreement_id)
    await activate(database, product, agreement_id)
    async with database.transaction() as link:
        assert await shares(link) == await decided(link, product.matrix, world.NOW)


async def test_what_is_active_or_ended_is_not_activated(own_world: Database, product: Product) -> None:
    assert await activate(own_world, product, world.AGREEMENTS["acme"].id) == 0
    async with own_world.transaction() as link:
        await set_agreement_status(
            link,
            product.matrix,
            agreement_id=world.AGREEMENTS["acme"].id,
            status=AgreementStatus.ENDED,
            now=world.NOW + timedelta(seconds=1),
        )
    with pytest.raises(InputError, match="for good"):
        await activate(own_world, product, world.AGREEMENTS["acme"].id)
