from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from gateway.app import Gateway
from policies.principal import Visitor
from resolvers.commands.letters import make_link
from resolvers.commands.member_secrets import read_password_hash
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from resolvers.tokens import TokenUse
from schema.tables.account import LinkKind
from tests import world

ADA = world.person("ada")
PASSWORD = "a lamp beside the harbour gate"


async def link(gateway: Gateway, means: Means, kind: LinkKind) -> str:
    """A link to set a password bears the address that it was mailed to."""
    bound_to = ADA.email if kind is LinkKind.RESET_PASSWORD else "new@example.org"
    async with gateway.database.transaction() as connection:
        work = Work(connection, gateway.product.matrix, Visitor(), world.NOW, means, Exchange())
        link_id = await make_link(work, kind, ADA.id, lifetime=timedelta(days=1), new_email=bound_to)
    return means.tokens.seal(TokenUse.LINK, link_id.bytes)


async def email_of(gateway: Gateway) -> str:
    async with gateway.database.transaction() as connection:
        return str(await connection.fetchval("SELECT email FROM member WHERE id = $1", ADA.id))


async def has_password(gateway: Gateway) -> bool:
    async with gateway.database.transaction() as connection:
        return await read_password_hash(connection, ADA.id) is not None


async def test_looking_changes_nothing_and_pressing_the_button_follows_the_link(
    browser: httpx.AsyncClient, gateway: Gateway, means: Means
) -> None:
    path = f"/confirm/{await link(gateway, means, LinkKind.CONFIRM_EMAIL)}"
    for method in ("GET", "HEAD"):
        assert (await browser.request(method, path)).status_code == 200
    assert await email_of(gateway) == "ada@example.org"
    answer = await browser.post(path)

    assert answer.status_code == 200
    assert "<h1>Thank you</h1>" in answer.text
    assert await email_of(gateway) == "new@example.org"


async def test_a_link_works_once(browser: httpx.AsyncClient, gateway: Gateway, means: Means) -> None:
    path = f"/confirm/{await link(gateway, means, LinkKind.CONFIRM_EMAIL)}"
    await browser.post(path)
    answer = await browser.post(path)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "ask for a new one" in answer.text


async def test_a_link_for_one_thing_does_no_other(
    browser: httpx.AsyncClient, gateway: Gateway, means: Means
) -> None:
    reset = await link(gateway, means, LinkKind.RESET_PASSWORD)
    confirm = await link(gateway, means, LinkKind.CONFIRM_EMAIL)

    assert (await browser.post(f"/confirm/{reset}")).status_code == 400
    assert (await browser.post(f"/reset/{confirm}", data={"password": PASSWORD})).status_code == 400
    assert await email_of(gateway) == "ada@example.org"
    assert not await has_password(gateway)


async def test_a_form_sets_a_new_password(browser: httpx.AsyncClient, gateway: Gateway, means: Means) -> None:
    path = f"/reset/{await link(gateway, means, LinkKind.RESET_PASSWORD)}"
    assert 'autocomplete="new-password"' in (await browser.get(path)).text
    short = await browser.post(path, data={"password": "tiny secret"})
    assert short.status_code == 400
    assert "tiny secret" not in short.text
    assert "<form" in short.text, "the same link serves for another try"
    assert not await has_password(gateway)
    answer = await browser.post(path, data={"password": PASSWORD})

    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert await has_password(gateway)


@pytest.mark.parametrize(
    ("origin", "site"),
    [("https://evil.example", "cross-site"), ("null", None), (None, "cross-site"), (None, "same-site")],
)
async def test_a_form_of_another_page_counts_for_nothing(
    browser: httpx.AsyncClient, gateway: Gateway, means: Means, origin: str | None, site: str | None
) -> None:
    path = f"/confirm/{await link(gateway, means, LinkKind.CONFIRM_EMAIL)}"
    del browser.headers["origin"]
    headers = {name: value for name, value in (("origin", origin), ("sec-fetch-site", site)) if value}

    assert (await browser.post(path, headers=headers)).status_code == 400
    assert await email_of(gateway) == "ada@example.org"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"password=x"),
        ("application/x-www-form-urlencoded", b"password=a&password=b"),
        ("application/x-www-form-urlencoded", b"password=%00"),
        ("application/x-www-form-urlencoded", b"password=%ff"),
        ("application/x-www-form-urlencoded", b"\xff"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(50))),
    ],
)
async def test_an_odd_form_is_refused(browser: httpx.AsyncClient, kind: str, body: bytes) -> None:
    answer = await browser.post("/reset/x", content=body, headers={"content-type": kind})
    assert answer.status_code == 400
