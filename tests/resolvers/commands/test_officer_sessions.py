"""What signing in asks of the database tells nobody whether there is such an officer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.app import Product
from gateway.database import Database
from policies.officers import Channel, Officer, Role
from policies.principal import Entrance
from resolvers.commands.officer_accounts import create_officer, enrol, find_enrolling
from resolvers.commands.officer_sessions import begin_session, find_candidate
from resolvers.context import Work
from resolvers.desk import Desk
from resolvers.exchange import Exchange
from resolvers.means import Means
from tests import world
from tests.conftest import MakeDatabase

HASH = "$argon2id$v=19$m=7168,t=5,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"


class Recording:
    """A connection that keeps the statements."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.statements: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._connection, name)

        async def recorded(query: str, *args: Any) -> Any:
            self.statements.append(query)
            return await method(query, *args)

        return recorded


@pytest.fixture(scope="module")
async def database(make_database: MakeDatabase) -> AsyncIterator[Database]:
    async with make_database() as database:
        yield database


async def test_unknown_wrong_password_and_wrong_code_take_the_same_statements(
    database: Database, product: Product, means: Means
) -> None:
    officer = Officer("olga", frozenset(Role), Channel.COMMAND_LINE)
    async with database.transaction() as connection:
        desk = Desk(connection, officer, world.NOW, lambda: product.matrix)
        code = await create_officer(
            connection,
            means.tokens,
            name="sam",
            display_name="Sam",
            by_contract=False,
            roles=[Role.SUPPORT],
            now=desk.now,
        )
        found = await find_enrolling(connection, means.tokens, code, desk.now)
        assert found is not None
        await enrol(connection, found, step=1, password_hash=HASH, now=desk.now)

    async def tried(name: str, *, password_fits: bool) -> list[str]:
        async with database.transaction() as connection:
            recording = Recording(connection)
            work = Work(
                recording, product.matrix, Entrance(), world.NOW, means, Exchange()  # type: ignore[arg-type]
            )  # fmt: skip
            candidate = await find_candidate(work, name)
            assert (candidate.password_hash is None) == (name != "sam")
            begun = await begin_session(work, candidate if password_fits else candidate.unknown(), "000000")
            assert begun is None
            return recording.statements

    unknown = await tried("nobody", password_fits=False)
    assert unknown == await tried("sam", password_fits=False) == await tried("sam", password_fits=True)
    assert len(unknown) > 5
