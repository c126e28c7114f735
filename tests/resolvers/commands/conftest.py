from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.account_means import open_means
from gateway.app import Product
from gateway.database import Database
from gateway.keys import Keyring
from gateway.settings import Settings
from resolvers.tokens import SealedTokens
from tests import world
from tests.asking import Asking
from tests.resolvers.commands.registering import Registering


@pytest.fixture
def registering(
    product: Product, own_world: Database, keys: Keyring, settings: Settings
) -> Iterator[Registering]:
    """On a world of one's own, with answers as fast as they can be and attempts as many as there are."""
    quick = {"answer_floor": 0.0, "sign_in_attempts": 10_000, "address_attempts": 10_000}
    changed = settings.model_copy(update=quick)
    with open_means(changed, keys, lambda: world.NOW) as means:
        asking = Asking(product, own_world, keys, changed, means, world.NOW)
        yield Registering(asking, SealedTokens(keys.token_key))
