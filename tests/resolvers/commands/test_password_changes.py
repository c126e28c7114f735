from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.app import Gateway, Product, compose
from gateway.database import Database
from gateway.keys import Keyring
from gateway.settings import Settings
from resolvers.means import Means
from resolvers.tokens import TokenUse
from tests import world
from tests.browsers import PASSWORD, Browser, codes, give_password
from tests.resolvers.commands.test_sessions import Clock

NEW = "copper lanterns drift over nine orchards"

CHANGE = "mutation ($i: ChangePasswordInput!) { changePassword(input: $i) { errors { path code message } } }"
REQUEST = "mutation ($i: RequestPasswordResetInput!) { requestPasswordReset(input: $i) { errors { code } } }"
RESET = "mutation ($i: ResetPasswordInput!) { resetPassword(input: $i) { errors { path code message } } }"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def gateway(
    settings: Settings, keys: Keyring, own_world: Database, product: Product, clock: Clock, means: Means
) -> AsyncIterator[Gateway]:
    quick = settings.model_copy(update={"answer_floor": 0.0})
    await give_password(own_world, means, "ada")
    async with compose(quick, keys, own_world, product, clock) as running:
        yield running


@pytest.fixture
async def browser(gateway: Gateway) -> Browser:
    browser = Browser(gateway)
    await browser.sign_in("ada")
    return browser


async def change(browser: Browser, new: str = NEW, current: str = PASSWORD) -> list[Any]:
    data = await browser.ask(CHANGE, {"i": {"currentPassword": current, "newPassword": new}})
    errors: list[Any] = data["changePassword"]["errors"]
    return errors


async def reset(browser: Browser, token: str, new: str = NEW) -> list[Any]:
    errors: list[Any] = (await browser.ask(RESET, {"i": {"token": token, "newPassword": new}}))[
        "resetPassword"
    ]["errors"]
    return errors


async def ask_for_link(browser: Browser, email: str) -> None:
    data = await browser.ask(REQUEST, {"i": {"email": email}})
    assert data == {"requestPasswordReset": {"errors": []}}


async def mails(database: Database) -> list[tuple[str, str]]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT kind, recipient FROM outgoing_mail ORDER BY created_at, id")
    return [(row["kind"], row["recipient"]) for row in rows]


async def link_of(database: Database, means: Means, name: str) -> str:
    """The token in the newest link that works, as `gateway.delivery` puts it into the mail."""
    async with database.connection() as connection:
        link: UUID = await connection.fetchval(
            "SELECT id FROM one_time_link WHERE member_id = $1 AND kind = 'RESET_PASSWORD'"
            " AND used_at IS NULL",
            world.person(name).id,
        )
    return means.tokens.seal(TokenUse.LINK, link.bytes)


@pytest.mark.clause("C14")
async def test_a_changed_password_ends_every_other_session_and_is_told_by_mail(
    gateway: Gateway, browser: Browser, own_world: Database
) -> None:
    other = Browser(gateway)
    await other.sign_in("ada")
    assert await change(browser) == []
    assert await other.status() == 401
    assert codes(await other.refresh()) == ["SESSION_OVER"]
    assert await browser.status() == 200
    assert codes(await browser.refresh()) == []
    assert await mails(own_world) == [("PASSWORD_CHANGED", "ada@example.org")]
    assert codes(await other.sign_in("ada")) == ["INVALID_CREDENTIALS"]
    assert codes(await other.sign_in("ada", NEW)) == []


@pytest.mark.clause("C14")
async def test_a_changed_password_voids_a_change_of_address_that_the_old_one_began(
    browser: Browser, own_world: Database
) -> None:
    begun = await browser.ask(
        "mutation ($i: RequestEmailChangeInput!) { requestEmailChange(input: $i) { errors { code } } }",
        {"i": {"newEmail": "thief@example.net", "password": PASSWORD}},
    )
    assert begun == {"requestEmailChange": {"errors": []}}
    unused = "SELECT count(*) FROM one_time_link WHERE kind = 'CONFIRM_EMAIL' AND used_at IS NULL"
    async with own_world.connection() as connection:
        assert await connection.fetchval(unused) == 1
        assert await change(browser) == []
        assert await connection.fetchval(unused) == 0


@pytest.mark.clause("C14")
@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("too short", "TOO_SHORT"),
        ("passwordpassword1", "GUESSABLE"),
        ("Ada Lovelace Springfield", "OWN_DATA"),
    ],
)
async def test_a_password_that_may_not_be_chosen_changes_nothing(
    browser: Browser, own_world: Database, new: str, code: str
) -> None:
    (error,) = await change(browser, new)
    assert (error["path"], error["code"]) == (["newPassword"], code)
    assert new not in error["message"]
    assert await mails(own_world) == []
    assert codes(await browser.sign_in("ada")) == []


async def test_the_current_password_is_asked_for(browser: Browser, own_world: Database) -> None:
    (error,) = await change(browser, current="violet harbour seven kettle")
    assert (error["path"], error["code"]) == (["currentPassword"], "WRONG_PASSWORD")
    assert await mails(own_world) == []


async def test_a_change_that_is_repeated_with_its_key_was_done(browser: Browser, own_world: Database) -> None:
    browser.headers["idempotency-key"] = "one"
    assert await change(browser) == []
    assert await change(browser) == []
    assert await mails(own_world) == [("PASSWORD_CHANGED", "ada@example.org")]


async def test_of_two_changes_at_once_one_is_made(browser: Browser) -> None:
    found = await asyncio.gather(change(browser), change(browser, NEW[::-1]))
    assert sorted(len(errors) for errors in found) == [0, 1]


@pytest.mark.clause("C14")
async def test_a_mailed_link_sets_a_password_once_and_ends_every_session(
    gateway: Gateway, browser: Browser, own_world: Database, means: Means
) -> None:
    visitor = Browser(gateway)
    await ask_for_link(visitor, " ADA@example.org")
    token = await link_of(own_world, means, "ada")
    assert await reset(visitor, token) == []
    assert await browser.status() == 401
    assert codes(await browser.refresh()) == ["SESSION_OVER"]
    assert codes(await visitor.sign_in("ada")) == ["INVALID_CREDENTIALS"]
    assert codes(await visitor.sign_in("ada", NEW)) == []
    assert [error["code"] for error in await reset(visitor, token, NEW[::-1])] == ["LINK_EXPIRED"]
    assert await mails(own_world) == [
        ("RESET_PASSWORD", "ada@example.org"),
        ("PASSWORD_CHANGED", "ada@example.org"),
    ]
    async with own_world.connection() as connection:
        assert await connection.fetchval(
            "SELECT email_verified_at FROM member WHERE email = 'ada@example.org'"
        )


async def test_an_invited_member_gets_a_password_by_the_link(
    gateway: Gateway, own_world: Database, means: Means
) -> None:
    visitor = Browser(gateway)
    await ask_for_link(visitor, "eve@example.org")
    assert await reset(visitor, await link_of(own_world, means, "eve")) == []
    assert codes(await visitor.sign_in("eve", NEW)) == []


async def test_who_is_no_member_or_has_left_gets_no_link(gateway: Gateway, own_world: Database) -> None:
    visitor = Browser(gateway)
    for email in ("nobody@example.org", "fay@example.org", "", "\x01"):
        await ask_for_link(visitor, email)
    assert await mails(own_world) == []


async def test_a_password_that_is_refused_leaves_the_link_as_it_is(
    gateway: Gateway, own_world: Database, means: Means
) -> None:
    visitor = Browser(gateway)
    await ask_for_link(visitor, "ada@example.org")
    token = await link_of(own_world, means, "ada")
    (error,) = await reset(visitor, token, "lovelace springfield")
    assert (error["path"], error["code"]) == (["newPassword"], "OWN_DATA")
    assert await reset(visitor, token) == []


async def test_a_link_works_for_an_hour_and_is_the_only_one(
    gateway: Gateway, own_world: Database, means: Means, clock: Clock
) -> None:
    visitor = Browser(gateway)
    await ask_for_link(visitor, "ada@example.org")
    first = await link_of(own_world, means, "ada")
    await ask_for_link(visitor, "ada@example.org")
    assert len(await mails(own_world)) == 1, "another one so soon would void the first"
    clock.ahead += timedelta(minutes=6)
    await ask_for_link(visitor, "ada@example.org")
    second = await link_of(own_world, means, "ada")
    assert [error["code"] for error in await reset(visitor, first)] == ["LINK_EXPIRED"]
    clock.ahead += timedelta(minutes=61)
    assert [error["code"] for error in await reset(visitor, second)] == ["LINK_EXPIRED"]


async def test_a_link_that_went_to_another_address_sets_nothing(
    gateway: Gateway, own_world: Database, means: Means
) -> None:
    visitor = Browser(gateway)
    await ask_for_link(visitor, "ada@example.org")
    token = await link_of(own_world, means, "ada")
    async with own_world.transaction() as connection:
        await connection.execute(
            "UPDATE member SET email = 'new@example.org' WHERE email = 'ada@example.org'"
        )
    assert [error["code"] for error in await reset(visitor, token)] == ["LINK_EXPIRED"]


async def test_asking_for_links_is_throttled_without_a_word_and_costs_no_sign_in(
    gateway: Gateway, own_world: Database
) -> None:
    visitor = Browser(gateway)
    for _ in range(12):
        await ask_for_link(visitor, "ada@example.org")
    async with own_world.transaction() as connection:
        await connection.execute("DELETE FROM one_time_link")
    await ask_for_link(visitor, "ada@example.org")
    async with own_world.connection() as connection:
        assert not await connection.fetchval("SELECT count(*) FROM one_time_link")
    assert codes(await visitor.sign_in("ada")) == []


async def test_a_sign_in_that_races_a_reset_leaves_no_session_of_the_old_password(
    gateway: Gateway, own_world: Database, means: Means, clock: Clock
) -> None:
    visitor = Browser(gateway)
    old, new = PASSWORD, NEW
    for _ in range(4):
        clock.ahead += timedelta(minutes=6)
        await ask_for_link(visitor, "ada@example.org")
        token = await link_of(own_world, means, "ada")
        thieves = [Browser(gateway) for _ in range(4)]
        await asyncio.gather(reset(visitor, token, new), *(thief.sign_in("ada", old) for thief in thieves))
        for thief in thieves:
            assert thief.token is None or await thief.status() == 401
            assert thief.cookie is None or codes(await thief.refresh()) == ["SESSION_OVER"]
        old, new = new, old
