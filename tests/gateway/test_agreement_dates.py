"""An agreement's dates take effect by themselves: for who reads at once, in the feed by upkeep."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from gateway.app import Product
from gateway.policy_in_force import PolicyInForce
from gateway.upkeep import Upkeep
from policies.principal import PartnerPrincipal
from resolvers.commands.opening import activate_agreement
from resolvers.commands.partners import create_agreement
from schema.categories import Basis, Purpose
from schema.vocabulary import AgreementStatus
from tests import world
from tests.asking import Asking

BEGINS: Final = world.NOW + timedelta(days=2)
ENDS: Final = world.NOW + timedelta(days=5)
MOMENT: Final = timedelta(microseconds=1)
READ: Final = "{ members { totalCount edges { node { id } } } changes(first: 1) { edges { node { id } } } }"


@pytest.mark.clause("C8")
async def test_nothing_before_the_first_moment_nor_from_the_last_on(
    asking_alone: Asking, product: Product
) -> None:
    database = asking_alone.database
    async with database.transaction() as link:
        agreement_id, _ = await create_agreement(
            link,
            product.matrix,
            partner="bolt",
            basis=Basis.STRATEGIC,
            purpose=Purpose.PARTNER_OFFERS,
            categories=["user.name"],
            valid_from=BEGINS,
            valid_until=ENDS,
            status=AgreementStatus.DRAFT,
            now=world.NOW,
            reasons={"user.name": "to address"},
            officer="Olga",
        )
    await activate_agreement(
        database.transaction, product.matrix, agreement_id=agreement_id, clock=lambda: world.NOW
    )
    caller = world.CALLERS["bolt"].principal
    assert isinstance(caller, PartnerPrincipal)
    principal = replace(
        caller, agreement_id=agreement_id, basis=Basis.STRATEGIC, purpose=Purpose.PARTNER_OFFERS
    )

    async def seen(now: datetime) -> int:
        asking_alone.now = now
        shown = (await asking_alone.ask(principal, READ)).data["members"]
        assert len(shown["edges"]) == shown["totalCount"]
        count: int = shown["totalCount"]
        return count

    async def told(now: datetime) -> tuple[Any, Any]:
        """Withdrawals in the feed, and what is owed, once upkeep has looked at the clock."""
        await Upkeep(database, PolicyInForce(product.matrix), lambda: now).round()
        return (
            await database.app.fetchval(
                "SELECT count(*) FROM share_change WHERE agreement_id = $1 AND after = 0", agreement_id
            ),
            await database.app.fetchval(
                "SELECT count(*) FROM deletion WHERE agreement_id = $1", agreement_id
            ),
        )

    assert await seen(BEGINS - MOMENT) == 0
    assert await told(BEGINS - MOMENT) == (0, 0)
    everybody = await seen(BEGINS)
    assert everybody > 5
    assert await seen(ENDS - MOMENT) == everybody
    assert await told(ENDS - MOMENT) == (0, 0)
    # For who reads at once, before any upkeep.
    assert await seen(ENDS) == 0
    assert await told(ENDS) == (everybody, everybody)
    assert await told(ENDS + timedelta(days=1)) == (everybody, everybody)
    assert await seen(ENDS + timedelta(days=1)) == 0
