"""Whatever happens at the same moment as a correction: what is shared afterwards is what is decided then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest

from gateway.app import Product
from gateway.database import Database
from policies.principal import MemberPrincipal
from resolvers.commands.choosing import choose
from resolvers.commands.correction import correct_profile, lock_member, write_member
from resolvers.commands.partners import set_agreement_status
from resolvers.connection import Link
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from resolvers.shares import ShareChanges, refresh_shares, take_turn
from schema.categories import Basis
from schema.ids import new_id
from schema.tables.member import MemberStatus
from schema.vocabulary import AgreementStatus, ChoiceSource
from tests import world

ADA = world.person("ada").id
ACME = world.AGREEMENTS["acme"].id
LAW = UUID(int=77)


@dataclass
class Scene:
    database: Database
    product: Product
    means: Means

    def work(self, connection: Link) -> Work:
        principal = MemberPrincipal(ADA, "web", "t")
        return Work(connection, self.product.matrix, principal, world.NOW, self.means, Exchange())


Event: TypeAlias = Callable[[Scene, Link], Awaitable[Any]]


@pytest.fixture
def scene(own_world: Database, product: Product, means: Means) -> Scene:
    return Scene(own_world, product, means)


async def corrected(scene: Scene, connection: Link) -> None:
    await correct_profile(scene.work(connection), {"interests": ["kites"], "given_name": "Adah"})


async def refused(scene: Scene, connection: Link) -> None:
    await choose(
        scene.work(connection), {"direction": "OUT", "requested_at": world.NOW}, ChoiceSource.PROFILE_PAGE
    )


async def suspended(scene: Scene, connection: Link) -> None:
    await set_agreement_status(
        connection,
        scene.product.matrix,
        agreement_id=ACME,
        status=AgreementStatus.SUSPENDED,
        now=world.NOW,
    )


async def left(scene: Scene, connection: Link) -> None:
    await lock_member(scene.work(connection), None)
    await write_member(scene.work(connection), ADA, {"status": MemberStatus.CLOSED.value})


async def found_to_be_a_child(scene: Scene, connection: Link) -> None:
    await lock_member(scene.work(connection), None)
    await write_member(scene.work(connection), ADA, {"birth_date": date(2012, 1, 1)})


async def named_by_the_law(scene: Scene, connection: Link) -> None:
    """A case that names Ada is approved, and its agreement comes into force."""
    await take_turn(connection, alone=True)
    await connection.execute(
        "INSERT INTO agreement (id, partner_id, basis, purpose, categories, valid_from, status, version)"
        " SELECT $1, partner_id, $3, purpose, categories, valid_from, status, 1 FROM agreement WHERE id = $2",
        LAW,
        ACME,
        Basis.LEGAL.value,
    )
    case = new_id()
    await connection.execute(
        "INSERT INTO legal_case (id, agreement_id, reference, ground, opened_by, opened_at, approved_by,"
        " approved_at, expires_at) VALUES ($1, $2, 'r', 'g', 'a', $3, 'b', $3, $4)",
        case,
        LAW,
        world.NOW,
        world.NOW + timedelta(days=30),
    )
    await connection.execute("INSERT INTO legal_case_member (case_id, member_id) VALUES ($1, $2)", case, ADA)
    await refresh_shares(connection, scene.product.matrix, now=world.NOW, members=[ADA], agreements=[LAW])


EVENTS: list[Event] = [refused, suspended, left, found_to_be_a_child, named_by_the_law]


async def blocked(observer: Link, waiting: Link, task: asyncio.Task[None]) -> None:
    """Return once `waiting` waits for a lock, which `task` does not pass by."""
    waits = "SELECT pg_blocking_pids($1) <> '{}'"
    while not await observer.fetchval(waits, waiting.get_server_pid()):
        assert not task.done()
        await asyncio.sleep(0.01)


@pytest.mark.clause("C8", "C11", "C17")
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("before", [True, False], ids=["before it", "after it"])
async def test_a_correction_and_what_happens_at_its_moment_are_both_decided(
    scene: Scene, event: Event, *, before: bool
) -> None:
    first, second = (event, corrected) if before else (corrected, event)
    async with scene.database.app.acquire() as one, scene.database.app.acquire() as other:
        holding = one.transaction()
        await holding.start()
        await first(scene, one)

        async def follow() -> None:
            async with other.transaction():
                await second(scene, other)

        waiting = asyncio.create_task(follow())
        await blocked(one, other, waiting)
        await holding.commit()
        await waiting
        # Nothing is left to be decided,
        again = await refresh_shares(one, scene.product.matrix, now=world.NOW)
        assert again == ShareChanges()
        # partners were told of what is so,
        told = await one.fetch(
            "SELECT agreement_id, last.after, coalesce(share.mask, 0) AS mask FROM"
            " (SELECT DISTINCT ON (agreement_id) * FROM share_change WHERE subject IN"
            "  (SELECT subject FROM pairwise_subject WHERE member_id = $1) ORDER BY agreement_id, seq DESC)"
            " AS last LEFT JOIN share USING (agreement_id, subject)",
            ADA,
        )
        assert {row["agreement_id"]: row["after"] for row in told} == {
            row["agreement_id"]: row["mask"] for row in told
        }
        # and each line goes on from where the one before it ended.
        assert (
            await one.fetch(
                "SELECT * FROM (SELECT before, lag(after, 1, 0::bigint) OVER"
                " (PARTITION BY agreement_id, subject ORDER BY seq) AS ended FROM share_change"
                " WHERE changed_at = $1) AS line WHERE before <> ended AND ended <> 0",
                world.NOW,
            )
            == []
        )
