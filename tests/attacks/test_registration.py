"""Registering over HTTP, by somebody who wants to learn who is a member or to flood them with mail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest

from gateway.app import Product, compose
from gateway.database import Database
from gateway.keys import Keyring
from gateway.serving import listen, served
from gateway.settings import Settings
from tests import world
from tests.canaries import Detector
from tests.resolvers.commands.registering import NUMBER, PASSWORD, REGISTER, complete

FLOOR: Final = 0.3
ALIASES: Final = 5
ATTEMPTS: Final = 10
"""As the settings ship."""
PER_REQUEST: Final = {"date", "x-request-id"}


@pytest.fixture
async def visitor(
    settings: Settings, keys: Keyring, own_world: Database, product: Product
) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor of the whole gateway on a socket."""
    changed = settings.model_copy(update={"answer_floor": FLOOR})
    async with (
        compose(changed, keys, own_world, product, lambda: world.NOW) as running,
        served(running.app, listen("127.0.0.1", 0)) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as client,
    ):
        yield client


async def send(visitor: httpx.AsyncClient, query: str, given: dict[str, Any]) -> httpx.Response:
    return await visitor.post(
        "/graphql",
        json={"query": query, "variables": {"input": given}},
        headers={"accept": "application/graphql-response+json"},
    )


def told(response: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that an answer tells, but what every request has of its own."""
    headers = [(k, v) for k, v in response.headers.multi_items() if k not in PER_REQUEST]
    return response.status_code, response.content, headers


@pytest.mark.clause("C14")
async def test_an_answer_tells_nothing_of_whose_address_it_is(visitor: httpx.AsyncClient) -> None:
    answers, waits = [], []
    for email in ("nobody@example.org", "ada@example.org", "eve@example.org", "fay@example.org"):
        began = asyncio.get_running_loop().time()
        answers.append(told(await send(visitor, REGISTER, complete(email=email, username=None))))
        waits.append(asyncio.get_running_loop().time() - began)
    assert answers == [answers[0]] * 4
    assert b'"errors":[]' in answers[0][1]
    assert min(waits) >= FLOOR


@pytest.mark.clause("C14")
async def test_each_alias_counts_so_that_few_mails_reach_one_address(
    visitor: httpx.AsyncClient, own_world: Database
) -> None:
    fields = " ".join(f"a{n}: register(input: $input) {{ errors {{ code }} }}" for n in range(ALIASES))
    query = f"mutation($input: RegisterInput!) {{ {fields} }}"
    codes = []
    for spelling in ("ada@example.org", "ADA@Example.org", " ada@example.org", "ada@ｅxample.org"):
        response = await send(visitor, query, complete(email=spelling, username=None))
        codes += [e["code"] for payload in response.json()["data"].values() for e in payload["errors"]]
    assert codes == ["THROTTLED"] * (4 * ALIASES - ATTEMPTS)
    assert await own_world.app.fetchval("SELECT count(*) FROM outgoing_mail") == ATTEMPTS


@pytest.mark.clause("C10", "C14", "R1")
async def test_neither_number_nor_password_comes_back_or_is_logged(
    visitor: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    detector = Detector()
    detector.add_number(NUMBER)
    texts = []
    for changes in (
        {},
        {"givenName": None},
        {"username": NUMBER.removeprefix("+")},
        {"email": f"{NUMBER}@example.org"},
        {"givenName": PASSWORD},
        {"phones": [{"number": NUMBER, "label": NUMBER}]},
        {"newsletter": NUMBER},
        {"birthDate": PASSWORD},
    ):
        response = await send(visitor, REGISTER, complete(**changes))
        texts.append(response.text + str(response.headers))
    texts.append(caplog.text)
    everything = "\n".join(texts)
    assert not detector.search(everything)
    assert PASSWORD not in everything
