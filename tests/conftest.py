from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from xdist.scheduler import WorkStealingScheduling

from gateway.database import Database, open_pools
from gateway.keys import Keyring, PhonePublicKey
from gateway.settings import Settings
from gateway.signing_keys import SigningKey, SigningKeys
from tests.databases import TestServer, server

pytest_plugins = ("tests.canaries", "tests.running")

MakeDatabase: TypeAlias = Callable[..., AbstractAsyncContextManager[Database]]

EXTERNAL_URL = os.environ.pop("GATEWAY_DATABASE_URL", None)
"""Taken out of the environment: a test that loads settings gets its own, not this one."""

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "tests"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A worker that is done takes from what the others still have: long tests leave nobody idle.

    Neighbours stay together otherwise, and so share what a module sets up.
    """
    return WorkStealingScheduling(config, log)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this machine can be connected to."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(original: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
        def call(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1", "localhost"}:
                pytest.fail(f"a test connects to {address[0]}: only this machine may be connected to")
            return original(self, address)

        return call

    if EXTERNAL_URL is None:
        monkeypatch.setattr(socket.socket, "connect", guarded(connect))
        monkeypatch.setattr(socket.socket, "connect_ex", guarded(connect_ex))


@pytest.fixture(scope="session")
def phone_private_key() -> X25519PrivateKey:
    """The officer's: in a test, and nowhere in the service."""
    return X25519PrivateKey.from_private_bytes(sha256(b"the officer of the tests").digest())


@pytest.fixture(scope="session")
def keys(phone_private_key: X25519PrivateKey) -> Keyring:
    """The same secret in every run and worker, because roles and their passwords are the server's."""
    signing_key = Ed25519PrivateKey.from_private_bytes(sha256(b"the signer of the tests").digest())
    return Keyring(
        secret=sha256(b"the secret of the tests").digest(),
        signing_keys=SigningKeys([SigningKey("test-key", 0.0, signing_key)]),
        phone_public_key=PhonePublicKey("test-phone-key", phone_private_key.public_key()),
    )


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_dir=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
async def test_server(keys: Keyring) -> AsyncIterator[TestServer]:
    """One server for the whole run, shared by its workers."""
    async with server(CACHE, keys, EXTERNAL_URL) as running:
        yield running


@pytest.fixture(scope="session")
async def template(test_server: TestServer) -> str:
    """The name of a migrated, empty database to copy."""
    return await test_server.template()


@pytest.fixture(scope="session")
def make_database(test_server: TestServer, template: str, settings: Settings, keys: Keyring) -> MakeDatabase:
    """`async with make_database() as database`: an open database of one's own, dropped at the end.

    `make_database(template=name)` copies another one, which nobody may be connected to.
    """

    @asynccontextmanager
    async def make(
        *, template: str = template, settings: Settings = settings, keys: Keyring = keys
    ) -> AsyncIterator[Database]:
        async with test_server.database_url(template) as url, open_pools(url, settings, keys) as database:
            yield database

    return make


@pytest.fixture
async def database(make_database: MakeDatabase) -> AsyncIterator[Database]:
    """A migrated, empty database for this test alone."""
    async with make_database() as database:
        yield database
