"""Commands on the links of one member at the same moment follow each other: none waits for one that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import pytest

from gateway.app import Product
from gateway.database import Database
from policies.principal import MemberPrincipal, Visitor
from resolvers.commands.completion import complete_registration
from resolvers.commands.confirmation import find_claim, follow
from resolvers.commands.email_change import request_change
from resolvers.commands.erasure import close_account
from resolvers.commands.letters import lock_links, make_link
from resolvers.commands.member_secrets import write_password_hash
from resolvers.commands.password_changes import change_password, request_reset, reset_password
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from resolvers.tokens import TokenUse
from schema.errors import FieldErrors
from schema.ids import new_id
from schema.tables.account import LinkKind
from tests import world

ADA: Final = world.person("ada")
EVE: Final = world.person("eve")
HASH: Final = "$argon2id$"
NEW: Final = "new@example.net"
MUM: Final = "mum@example.org"
WAITS: Final = 0.2
"""Seconds in which whoever has begun comes to where it waits."""

Command = Callable[[Work], Awaitable[Any]]


class Links:
    """Makes links, and runs commands in transactions of their own."""

    def __init__(self, database: Database, product: Product, means: Means) -> None:
        self.database = database
        self.product = product
        self.means = means
        self.tokens: dict[LinkKind, str] = {}

    def work(self, connection: Any, member: UUID | None) -> Work:
        principal = Visitor() if member is None else MemberPrincipal(member, "web", "t")
        return Work(connection, self.product.matrix, principal, world.NOW, self.means, Exchange())

    async def make(self, kind: LinkKind, member: UUID, new_email: str | None = None) -> None:
        async with self.database.transaction() as connection:
            link = await make_link(self.work(connection, None), kind, member, new_email=new_email)
        self.tokens[kind] = self.means.tokens.seal(TokenUse.LINK, link.bytes)

    async def run(self, command: Command, member: UUID | None) -> None:
        async with self.database.transaction() as connection:
            await command(self.work(connection, member))

    async def behind(self, gate: str, held: UUID, *commands: tuple[Command, UUID | None]) -> list[Any]:
        """Let the commands come one after the other while somebody holds this row; what came of them."""
        tasks = []
        async with self.database.transaction() as connection:
            await connection.execute(f"SELECT FROM {gate} WHERE id = $1 FOR UPDATE", held)
            for command, member in commands:
                tasks.append(asyncio.create_task(self.run(command, member)))
                await self.queued(tasks)
        return await asyncio.gather(*tasks, return_exceptions=True)

    async def queued(self, tasks: list[asyncio.Task[Any]]) -> None:
        """Return once each of them waits for a lock, so that they come in this order on any machine."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        async with asyncio.timeout(30):
            while await self.fetchval(waiting) < sum(not task.done() for task in tasks):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def fetchval(self, sql: str, *values: Any) -> Any:
        return await self.database.app.fetchval(sql, *values)

    def following(self, kind: LinkKind) -> Command:
        token = self.tokens[kind]

        async def followed(work: Work) -> None:
            await follow(work, {"token": token}, await find_claim(work, token))

        return followed


@pytest.fixture
def links(own_world: Database, product: Product, means: Means) -> Links:
    return Links(own_world, product, means)


async def ask_for(work: Work, email: str) -> None:
    """Ada asks for another address, with her password."""
    await write_password_hash(work.connection, ADA.id, "verified", work.now)
    await request_change(work, {"new_email": email}, "verified")


def is_refusal(outcome: Any) -> bool:
    """A finding of the command, and not the database, which gave it up."""
    return isinstance(outcome, FieldErrors)


@pytest.mark.parametrize("followed_first", [True, False])
async def test_another_address_is_asked_for_while_the_link_of_the_one_before_is_followed(
    links: Links, followed_first: bool
) -> None:
    await links.make(LinkKind.CONFIRM_EMAIL, ADA.id, NEW)
    asking: tuple[Command, UUID | None] = (
        lambda work: ask_for(work, "other@example.net"),
        ADA.id,
    )
    following = (links.following(LinkKind.CONFIRM_EMAIL), None)
    commands = (following, asking) if followed_first else (asking, following)
    outcomes = await links.behind("member", ADA.id, *commands)
    assert outcomes[0] is None
    assert outcomes[1] is None if followed_first else is_refusal(outcomes[1])


@pytest.mark.clause("C17")
@pytest.mark.parametrize("followed_first", [True, False])
async def test_registration_is_completed_again_while_the_adult_follows_the_first_link(
    links: Links, followed_first: bool
) -> None:
    async with links.database.transaction() as connection:
        await connection.execute(
            "UPDATE member SET given_name = 'Eve', family_name = 'Adams', birth_date = $2,"
            " supervisor_email = $3 WHERE id = $1",
            EVE.id,
            world.person("cid").born,
            MUM,
        )
        await connection.execute("INSERT INTO phone VALUES ($1, $2, 'home', now())", new_id(), EVE.id)
        await connection.execute(
            "INSERT INTO billing_method VALUES ($1, $2, 'Visa', '1111', 1, 2030, now())", new_id(), EVE.id
        )
    await links.make(LinkKind.CONFIRM_SUPERVISION, EVE.id)
    completing: tuple[Command, UUID | None] = (
        lambda work: complete_registration(work, {"supervisor_email": MUM}),
        EVE.id,
    )
    following = (links.following(LinkKind.CONFIRM_SUPERVISION), None)
    commands = (following, completing) if followed_first else (completing, following)
    outcomes = await links.behind("member", EVE.id, *commands)
    assert outcomes[0] is None
    assert outcomes[1] is None if followed_first else is_refusal(outcomes[1])
    status = await links.fetchval("SELECT status FROM member WHERE id = $1", EVE.id)
    assert status == ("ACTIVE" if followed_first else "INVITED")


@pytest.mark.clause("C14")
@pytest.mark.parametrize("gate", ["member", "one_time_link"])
async def test_a_password_is_set_while_an_address_or_the_password_is_changed(links: Links, gate: str) -> None:
    """Each makes the link of the other void."""
    async with links.database.transaction() as connection:
        await write_password_hash(connection, ADA.id, HASH, world.NOW)
    await links.make(LinkKind.CONFIRM_EMAIL, ADA.id, NEW)
    await links.make(LinkKind.RESET_PASSWORD, ADA.id, ADA.email)
    resetting: tuple[Command, UUID | None] = (
        lambda work: reset_password(work, links.tokens[LinkKind.RESET_PASSWORD], "$argon2id$2"),
        None,
    )
    first: tuple[Command, UUID | None]
    if gate == "member":
        held, first = ADA.id, (links.following(LinkKind.CONFIRM_EMAIL), None)
    else:
        held = await links.fetchval("SELECT id FROM one_time_link WHERE kind = 'CONFIRM_EMAIL'")
        first = (lambda work: change_password(work, HASH, "$argon2id$1"), ADA.id)
    outcomes = await links.behind(gate, held, first, resetting)
    assert outcomes[0] is None
    assert is_refusal(outcomes[1])
    assert await links.fetchval("SELECT count(*) FROM one_time_link WHERE used_at IS NULL") == 0


async def test_an_invited_member_sets_a_password_while_her_registration_is_confirmed(links: Links) -> None:
    """The registration takes the invited row over, whose links go with it."""
    claimer = new_id()
    async with links.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO member (id, number, status, given_name, family_name, email, birth_date, interests,"
            " purchase_categories, joined_at, updated_at, version) VALUES ($1, 'M-900', 'PENDING', 'Eve',"
            " 'Adams', $2, '1990-01-01', '{}', '{}', now(), now(), 1)",
            claimer,
            EVE.email,
        )
    await links.make(LinkKind.CONFIRM_REGISTRATION, claimer)
    await links.make(LinkKind.RESET_PASSWORD, EVE.id, EVE.email)
    outcomes = await links.behind(
        "member",
        EVE.id,
        (links.following(LinkKind.CONFIRM_REGISTRATION), None),
        (lambda work: reset_password(work, links.tokens[LinkKind.RESET_PASSWORD], HASH), None),
    )
    assert outcomes[0] is None
    assert is_refusal(outcomes[1])
    assert await links.fetchval("SELECT status FROM member WHERE id = $1", claimer) == "ACTIVE"


async def test_a_link_that_is_being_made_is_held_as_well(links: Links) -> None:
    seen = []

    async def look(work: Work) -> None:
        await lock_links(work.connection, [ADA.id])
        seen.append(await work.connection.fetchval("SELECT count(*) FROM one_time_link"))

    async with links.database.transaction() as connection:
        await ask_for(links.work(connection, ADA.id), NEW)
        looking = asyncio.create_task(links.run(look, None))
        await asyncio.sleep(WAITS)
    await looking
    assert seen == [1]


async def test_an_account_is_closed_while_a_link_is_followed(links: Links) -> None:
    async with links.database.transaction() as connection:
        await write_password_hash(connection, ADA.id, HASH, world.NOW)
    await links.make(LinkKind.CONFIRM_EMAIL, ADA.id, NEW)
    outcomes = await links.behind(
        "member",
        ADA.id,
        (lambda work: close_account(work, HASH), ADA.id),
        (links.following(LinkKind.CONFIRM_EMAIL), None),
    )
    assert outcomes[0] is None
    assert is_refusal(outcomes[1])


@pytest.mark.clause("C14")
async def test_asked_for_twice_at_one_moment_one_link_sets_a_password(links: Links) -> None:
    async with links.database.transaction() as connection:
        await request_reset(links.work(connection, None), ADA.email)
        second = asyncio.create_task(links.run(lambda work: request_reset(work, ADA.email), None))
        await asyncio.sleep(WAITS)
    await second
    assert await links.fetchval("SELECT count(*) FROM one_time_link") == 1
    assert await links.fetchval("SELECT count(*) FROM outgoing_mail") == 1
