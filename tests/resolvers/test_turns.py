"""Refreshes take turns, and only a process that decides by the policy in force may refresh."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.app import Product
from gateway.database import Database
from gateway.policy_source import load_shipped_directory
from policies.matrix import Matrix, compile_matrix
from resolvers.commands.partners import set_agreement_status
from resolvers.policy_versions import decide_between
from resolvers.shares import decision_digest, refresh_shares, take_turn
from schema.errors import UnavailableError
from schema.vocabulary import AgreementStatus
from tests import world
from tests.policies.commented import commented_rules

ADA = world.person("ada").id
ACME = world.AGREEMENTS["acme"]


@pytest.fixture
def other_matrix() -> Matrix:
    shipped = load_shipped_directory().source
    return compile_matrix(
        replace(shipped, rules=shipped.rules + commented_rules(shipped.rules)["opt-in-in-the-eu"])
    )


async def test_a_process_with_another_policy_changes_no_share(
    own_world: Database, product: Product, other_matrix: Matrix
) -> None:
    async with own_world.transaction() as connection:
        await decide_between(connection, None, product.matrix, world.NOW)
    with pytest.raises(UnavailableError, match="has just changed"):
        async with own_world.transaction() as connection:
            await refresh_shares(connection, other_matrix, now=world.NOW, members=[ADA])
    async with own_world.transaction() as connection:
        await decide_between(connection, None, other_matrix, world.NOW)
        await refresh_shares(connection, other_matrix, now=world.NOW, members=[ADA])
        assert await connection.fetchval("SELECT digest FROM applied_policy") == decision_digest(other_matrix)


async def test_suspending_an_agreement_waits_for_a_choice_and_both_are_done(
    own_world: Database, product: Product
) -> None:
    """The agreement's row was once locked before the turn, and each waited for the other."""
    began = asyncio.Event()

    async def choice() -> None:
        async with own_world.transaction() as connection:
            await take_turn(connection)
            began.set()
            await asyncio.sleep(0.1)
            await connection.execute("DELETE FROM share WHERE member_id = $1", ADA)
            await refresh_shares(connection, product.matrix, now=world.NOW, members=[ADA])

    async def suspension() -> None:
        await began.wait()
        async with own_world.transaction() as connection:
            await set_agreement_status(
                connection,
                product.matrix,
                agreement_id=ACME.id,
                status=AgreementStatus.SUSPENDED,
                now=world.NOW,
            )

    await asyncio.gather(choice(), suspension())
    async with own_world.transaction() as connection:
        assert await connection.fetchval("SELECT count(*) FROM share WHERE agreement_id = $1", ACME.id) == 0
