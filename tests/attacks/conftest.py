from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.app import Product
from gateway.keys import Keyring
from gateway.settings import Settings
from tests.attacks.twins import Twins, twin_worlds
from tests.conftest import MakeDatabase
from tests.databases import TestServer


@pytest.fixture(scope="package")
async def twins(
    test_server: TestServer,
    template: str,
    make_database: MakeDatabase,
    settings: Settings,
    keys: Keyring,
    product: Product,
) -> AsyncIterator[Twins]:
    """Two worlds that differ in nothing but their vaults, each served over HTTP."""
    async with twin_worlds(test_server, template, make_database, settings, keys, product) as worlds:
        yield worlds


@pytest.fixture(scope="session")
def hurried(request: pytest.FixtureRequest) -> bool:
    """Whether slow tests are left out: what is repeated thousands of times is then repeated less often."""
    return "not slow" in request.config.option.markexpr
