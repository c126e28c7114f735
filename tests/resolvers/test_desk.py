"""An officer's desk: asks first, writes down what is done, and both or neither."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest

from gateway.app import Product
from gateway.database import Database
from policies.officers import RULES, Act, Channel, Officer, Role
from resolvers.connection import Link
from resolvers.desk import Desk, list_actions
from schema.errors import ForbiddenError, GatewayError, InputError
from schema.ids import new_id
from tests import world
from tests.conftest import MakeDatabase


@pytest.fixture(scope="module")
async def database(make_database: MakeDatabase) -> AsyncIterator[Database]:
    async with make_database() as database:
        yield database


def at(connection: Link, product: Product, *roles: Role, name: str = "olga") -> Desk:
    officer = Officer(name, frozenset(roles), Channel.CONTRACT)
    return Desk(connection, officer, world.NOW, lambda: product.matrix)


async def test_an_action_is_a_line_with_who_what_and_why(database: Database, product: Product) -> None:
    member = new_id()
    async with database.transaction() as connection:
        desk = at(connection, product, Role.SUPPORT, Role.AUDITOR, name="sam")
        await desk.act(Act.PROFILE_READ, "member", reason="she  called\nabout an order", member=member)
    async with database.transaction() as connection:
        (line,) = await list_actions(at(connection, product, Role.AUDITOR), officer="sam")
    assert (line.officer, line.act, line.about, line.member) == ("sam", Act.PROFILE_READ, "member", member)
    assert line.reason == "she called about an order"
    assert line.roles == (Role.AUDITOR, Role.SUPPORT)
    assert line.done_at == world.NOW


@pytest.mark.parametrize("act", Act)
def test_every_act_is_for_some_role(act: Act) -> None:
    assert RULES[act].roles


@pytest.mark.parametrize(
    ("role", "act"),
    [
        (Role.SUPPORT, Act.AGREEMENT_CREATE),
        (Role.AUDITOR, Act.REQUEST_ANSWER),
        (Role.AUDITOR, Act.PROFILE_READ),
    ],
)
async def test_what_the_role_is_not_for_is_refused_and_leaves_no_line(
    database: Database, product: Product, role: Role, act: Act
) -> None:
    with pytest.raises(ForbiddenError):
        async with database.transaction() as connection:
            await at(connection, product, role, name="eve").act(act, reason="because")
    async with database.transaction() as connection:
        assert not await list_actions(at(connection, product, Role.AUDITOR), officer="eve")


@pytest.mark.parametrize("reason", [None, "", "  \n "])
async def test_a_profile_is_not_read_without_a_reason(
    database: Database, product: Product, reason: str | None
) -> None:
    with pytest.raises(InputError, match="`reason`"):
        async with database.transaction() as connection:
            await at(connection, product, Role.SUPPORT).act(Act.PROFILE_READ, reason=reason)


@pytest.mark.clause("R1")
async def test_no_telephone_number_is_written_into_the_log(database: Database, product: Product) -> None:
    async with database.transaction() as connection:
        desk = at(connection, product, Role.SUPPORT)
        with pytest.raises(GatewayError) as caught:
            await desk.act(Act.PROFILE_READ, reason="call back at 415 555 0132")
    assert "0132" not in str(caught.value)


async def test_what_fails_after_its_line_takes_the_line_with_it(database: Database, product: Product) -> None:
    with suppress(ZeroDivisionError):
        async with database.transaction() as connection:
            await at(connection, product, Role.PRIVACY_OFFICER, name="ina").act(Act.KEY_ROTATE)
            raise ZeroDivisionError
    async with database.transaction() as connection:
        assert not await list_actions(at(connection, product, Role.AUDITOR), officer="ina")


@pytest.mark.parametrize(
    "statement", ["UPDATE officer_action SET officer = 'x'", "DELETE FROM officer_action"]
)
async def test_the_service_can_neither_change_nor_remove_a_line(database: Database, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.app.execute(statement)
