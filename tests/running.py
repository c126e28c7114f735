"""Fixtures of the world: in a database, behind an engine, behind a gateway that listens on a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.account_means import open_means
from gateway.app import Gateway, Product, compose, load_product
from gateway.database import Database, open_pools
from gateway.identity.tokens import SubjectKind, mint
from gateway.keys import Keyring
from gateway.serving import listen, served
from gateway.settings import Settings
from policies.principal import MemberPrincipal, PartnerPrincipal
from resolvers.means import Means
from tests import world
from tests.asking import Asking
from tests.databases import TestServer

MakeDatabase: TypeAlias = Callable[..., AbstractAsyncContextManager[Database]]


@pytest.fixture(scope="session")
def product(settings: Settings) -> Product:
    """Compiled and proved once."""
    return load_product(settings)


@pytest.fixture(scope="session")
async def world_template(
    test_server: TestServer, template: str, settings: Settings, keys: Keyring, product: Product
) -> AsyncIterator[str]:
    """The name of a database with the world in it, to copy."""
    async with test_server.database_url(template) as url:
        async with open_pools(url, settings, keys) as database:
            await world.build(database, product.matrix)
        yield urlsplit(url).path.lstrip("/")


@pytest.fixture(scope="session")
async def read_only_world(make_database: MakeDatabase, world_template: str) -> AsyncIterator[Database]:
    """The world for tests that change nothing."""
    async with make_database(template=world_template) as database:
        yield database


@pytest.fixture
async def own_world(make_database: MakeDatabase, world_template: str) -> AsyncIterator[Database]:
    """The world for this test alone."""
    async with make_database(template=world_template) as database:
        yield database


@pytest.fixture(scope="session")
def means(settings: Settings, keys: Keyring) -> Iterator[Means]:
    """What commands work with, at the stopped clock."""
    with open_means(settings, keys, lambda: world.NOW) as opened:
        yield opened


@pytest.fixture(scope="session")
def asking(
    product: Product, read_only_world: Database, keys: Keyring, settings: Settings, means: Means
) -> Asking:
    """An engine on the world, which the test does not change."""
    return Asking(product, read_only_world, keys, settings, means, world.NOW)


@pytest.fixture
def asking_alone(
    product: Product, own_world: Database, keys: Keyring, settings: Settings, means: Means
) -> Asking:
    """An engine on a world of one's own."""
    return Asking(product, own_world, keys, settings, means, world.NOW)


@pytest.fixture
async def gateway(
    settings: Settings, keys: Keyring, own_world: Database, product: Product
) -> AsyncIterator[Gateway]:
    """The whole gateway on a world of one's own, its clock stopped."""
    async with compose(settings, keys, own_world, product, lambda: world.NOW) as running:
        yield running


class Callers:
    """Clients of the gateway on its socket, one for each caller of `tests.world`, with a token of its own."""

    def __init__(self, url: str, settings: Settings, keys: Keyring) -> None:
        self._url = url
        self._settings = settings
        self._keys = keys
        # A publication takes as long as the machine is busy; no test measures time by this.
        self.http = httpx.AsyncClient(base_url=url, timeout=30)

    @property
    def endpoint(self) -> str:
        """Where GraphQL is spoken."""
        return f"{self._url}/graphql"

    def authorization(self, name: str) -> str:
        """The header of that caller; empty for a visitor."""
        return self.headers(name).get("authorization", "")

    def headers(self, name: str) -> dict[str, str]:
        """The credential of that caller, verified against the real clock; a visitor has none."""
        caller = world.CALLERS[name]
        match caller.principal:
            case MemberPrincipal(member_id=member_id):
                minted = mint(
                    self._settings,
                    self._keys,
                    kind=SubjectKind.MEMBER,
                    subject=str(member_id),
                    client_id="web",
                )
            case PartnerPrincipal(client_id=client_id):
                minted = mint(
                    self._settings,
                    self._keys,
                    kind=SubjectKind.PARTNER,
                    subject=client_id,
                    client_id=client_id,
                    scopes=caller.scopes or (),
                )
            case _:
                return {}
        return {"authorization": f"Bearer {minted.token}"}

    async def ask(self, name: str, query: str, **variables: object) -> httpx.Response:
        """One request by POST."""
        return await self.http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"accept": "application/graphql-response+json", **self.headers(name)},
        )


@pytest.fixture
async def callers(gateway: Gateway, settings: Settings, keys: Keyring) -> AsyncIterator[Callers]:
    """The gateway on a real socket, and everybody who calls it."""
    async with served(gateway.app, listen("127.0.0.1", 0)) as url:
        opened = Callers(url, settings, keys)
        async with opened.http:
            yield opened
