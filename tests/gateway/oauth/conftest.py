from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

import httpx
import pytest

from gateway.app import Product, compose, utc_now
from gateway.database import Database, open_pools
from gateway.keys import Keyring
from gateway.oauth.client_keys import read_jwks
from gateway.serving import listen, served
from gateway.settings import Settings
from resolvers.commands.client_credentials import add_keys, replace_secret
from resolvers.commands.clients import create_client
from resolvers.commands.partners import set_agreement_status
from resolvers.disclosure_log import DisclosureEntry, DisclosureLog
from schema.vocabulary import AgreementStatus, ClientAuth
from tests import world
from tests.databases import TestServer
from tests.gateway.oauth.signing import KEYS, assertion, basic, jwks

QUERY = "{ members(first: 2) { edges { node { id name } } } }"


@dataclass(frozen=True)
class Served:
    """A gateway on a socket, with clients that authenticate in every way."""

    url: str
    settings: Settings
    keys: Keyring
    database: Database
    product: Product
    http: httpx.AsyncClient
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return str(self.settings.public_url).rstrip("/")

    async def post(self, path: str, data: Any = None, **headers: str) -> httpx.Response:
        return await self.http.post(path, data=data, headers=headers)

    async def token(self, client: str, **form: str) -> httpx.Response:
        """A token, as the client gets one by its own method."""
        grant = {"grant_type": "client_credentials", **form}
        if client in self.secrets:
            return await self.post("/oauth/token", grant, **self.basic(client))
        signed = assertion(client, self.issuer)
        return await self.post("/oauth/token", {**grant, **signed})

    def basic(self, client: str) -> dict[str, str]:
        return basic(client, self.secrets[client])

    async def access(self, client: str, **form: str) -> str:
        answer = await self.token(client, **form)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    async def ask(self, token: str, query: str = QUERY, **headers: str) -> httpx.Response:
        return await self.http.post(
            "/graphql",
            json={"query": query},
            headers={
                "accept": "application/graphql-response+json",
                "authorization": f"Bearer {token}",
                **headers,
            },
        )

    async def client(
        self, name: str, agreement: str = "acme", *, auth: ClientAuth = ClientAuth.SECRET, dpop: bool = False
    ) -> str:
        """A new client of an agreement of the world; its id."""
        now = datetime.now(UTC)
        async with self.database.transaction() as connection:
            agreement_id = world.AGREEMENTS[agreement].id
            await create_client(
                connection, client_id=name, agreement_id=agreement_id, now=now, auth=auth, dpop=dpop
            )
            if auth is ClientAuth.KEY:
                keys = read_jwks(jwks(*KEYS))
                await add_keys(connection, client_id=name, keys=keys, now=now)
            else:
                self.secrets[name] = await replace_secret(
                    connection, client_id=name, overlap=world.NOW - world.NOW, now=now
                )
        return name

    async def set_status(self, agreement: str, status: AgreementStatus) -> None:
        async with self.database.transaction() as connection:
            await set_agreement_status(
                connection,
                self.product.matrix,
                agreement_id=world.AGREEMENTS[agreement].id,
                status=status,
                now=datetime.now(UTC),
            )


Replica: TypeAlias = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture(scope="session")
def replica(settings: Settings, keys: Keyring, product: Product) -> Replica:
    """`async with replica(database_url) as served`: a gateway with pools of its own, as another machine's.

    `like` is a replica before it, whose issuer and clients it has. For `held_for` seconds each record waits
    before it is written: so long is an answer on its way.
    """

    @asynccontextmanager
    async def run(
        url: str, like: Served | None = None, keys: Keyring = keys, held_for: float = 0, **changes: Any
    ) -> AsyncIterator[Served]:
        listening = listen("127.0.0.1", 0)
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        public = {"public_url": base if like is None else like.issuer}
        many = {"address_attempts": 10_000, "sign_in_attempts": 10_000}
        own = Settings.model_validate({**settings.model_dump(), **many, **public, **changes})
        async with (
            open_pools(url, own, keys) as database,
            compose(own, keys, database, product, utc_now) as gateway,
            served(gateway.app, listening),
            httpx.AsyncClient(base_url=base) as http,
        ):
            secrets = {} if like is None else like.secrets
            if held_for:
                _hold(gateway.engine._egress._log, held_for)
            yield Served(base, own, keys, database, product, http, secrets)

    return run


@pytest.fixture(scope="module")
async def server(test_server: TestServer, world_template: str, replica: Replica) -> AsyncIterator[Served]:
    """One gateway for the tests of a module, with four clients of acme's agreement."""
    async with test_server.database_url(world_template) as url, replica(url) as running:
        await running.client("acme-secret")
        await running.client("acme-key", auth=ClientAuth.KEY)
        await running.client("acme-dpop", dpop=True)
        await running.client("acme-other")
        yield running


def _hold(log: DisclosureLog, seconds: float) -> None:
    record = log.record

    async def late(entry: DisclosureEntry) -> None:
        await asyncio.sleep(seconds)
        await record(entry)

    log.record = late  # type: ignore[method-assign]


def refusal(answer: httpx.Response) -> Mapping[str, Any]:
    """What an OAuth error says, once its form has been looked at."""
    body: dict[str, Any] = answer.json()
    assert body.keys() == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert all(" " <= character <= "~" and character not in '"\\' for character in body["error_description"])
    challenge = answer.headers.get("www-authenticate", "")
    assert challenge.startswith("Basic ") is (body["error"] == "invalid_client")
    return {"status": answer.status_code, "error": body["error"]}
