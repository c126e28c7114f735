"""A credential ends while an answer waits for something after its record: the answer does not leave."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.app import Product, utc_now
from gateway.database import Database
from resolvers.commands.deletions_told import note_told
from resolvers.revocations import RevocationKind, revoke
from tests.feeds import choose, others_have_ended
from tests.running import Callers


@pytest.mark.clause("C8")
async def test_nothing_leaves_after_a_revocation_though_the_database_is_busy(
    callers: Callers, own_world: Database, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with own_world.transaction() as connection:
        await choose(connection, product.matrix, "ben", categories=["user.contact.email"])
    await others_have_ended(own_world)
    query = "{ changes(first: 50) { edges { node { kind member { name } } } } }"
    assert (await callers.ask("acme", query)).status_code == 200

    async def slowly(*arguments: Any) -> int:
        async with own_world.transaction() as connection:
            await revoke(connection, RevocationKind.CLIENT, "acme", now=utc_now())
        await asyncio.sleep(1.0)
        return await note_told(*arguments)

    monkeypatch.setattr("gateway.execution.note_told", slowly)
    answer = await callers.ask("acme", query)
    assert answer.status_code == 401
    assert "Ben" not in answer.text
