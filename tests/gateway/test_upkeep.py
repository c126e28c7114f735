"""What time makes due is done step by step: one that fails stops none of the others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.app import Product
from gateway.database import Database
from gateway.policy_in_force import PolicyInForce
from gateway.upkeep import Upkeep
from policies.principal import MemberPrincipal
from resolvers.commands.erasure import close_account
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from tests import world

ADA = world.person("ada").id
STEPS = ("withdraw_ended", "open_to_adults", "tell_birthdays", "remove_expired_registrations", "remove_old")


@pytest.mark.parametrize("failing", STEPS)
async def test_a_step_that_fails_does_not_stop_erasures(
    own_world: Database, product: Product, means: Means, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    async with own_world.transaction() as connection:
        principal = MemberPrincipal(ADA, "web", "t")
        due_at = await close_account(
            Work(connection, product.matrix, principal, world.NOW, means, Exchange()), None
        )

    async def fail(*_: Any) -> None:
        raise LookupError

    monkeypatch.setattr(f"gateway.upkeep.{failing}", fail)
    await Upkeep(own_world, PolicyInForce(product.matrix), lambda: due_at).round()
    assert not await own_world.app.fetchval("SELECT count(*) FROM member WHERE id = $1", ADA)


async def test_more_old_rows_than_one_round_removes_go_in_the_next_one(
    own_world: Database, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.commands.upkeep.MOST_REMOVED", 2)
    await own_world.app.execute(
        "INSERT INTO attempt SELECT n::text::bytea, $1 FROM generate_series(1, 5) n",
        world.NOW - timedelta(1),
    )
    upkeep = Upkeep(own_world, PolicyInForce(product.matrix), lambda: world.NOW)
    left = []
    for _ in range(4):
        await upkeep.round()
        left.append(await own_world.app.fetchval("SELECT count(*) FROM attempt"))
    assert left == [3, 1, 0, 0]
