"""From the mutation of a member, over HTTP, to the signed request that a partner's stock library verifies."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook

from gateway.app import Gateway, Product, compose, utc_now
from gateway.database import Database
from gateway.delivery.signatures import shown_secret
from gateway.keys import Keyring
from gateway.policy_in_force import PolicyInForce
from gateway.serving import listen, served
from gateway.settings import Settings
from gateway.upkeep import Upkeep
from policies.destinations import Rules, read_destination
from resolvers.commands.webhooks import create_endpoint
from resolvers.means import Means
from tests import world
from tests.browsers import PASSWORD, give_password
from tests.gateway.delivery.receivers import Received, Receiver, receiving
from tests.gateway.http.test_audit import lines, scripts
from tests.running import Callers

__all__ = ["scripts"]

CHOOSE = 'mutation { choose(input: {direction: OUT, partner: "acme"}) { errors { code } } }'
CHOOSE_ALL = "mutation { choose(input: {direction: OUT}) { errors { code } } }"
ERASE = 'mutation { eraseAccount(input: {password: "%s"}) { errors { code } } }'


async def arrived(receiver: Receiver, count: int) -> list[Received]:
    async with asyncio.timeout(45):
        while len(receiver.got) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return receiver.got


async def endpoint(gateway: Gateway, receiver: Receiver, agreement: str) -> UUID:
    url = f"{receiver.url}{agreement}"
    async with gateway.database.transaction() as connection:
        return await create_endpoint(
            connection,
            agreement_id=world.AGREEMENTS[agreement].id,
            url=url,
            destination=read_destination(url, Rules.of(["127.0.0.0/8"], [receiver.port])),
            now=utc_now(),
        )


@pytest.mark.clause("C11", "R1", "R2")
async def test_a_choice_and_an_erasure_reach_the_partner_after_their_record(
    settings: Settings, keys: Keyring, own_world: Database, product: Product, means: Means, tmp_path: Path
) -> None:
    await give_password(own_world, means, "ada")
    async with receiving() as receiver:
        own = Settings.model_validate(
            {
                **settings.model_dump(),
                "data_dir": tmp_path,
                "webhook_networks": ["127.0.0.0/8"],
                "webhook_ports": [receiver.port],
            }
        )
        async with (
            compose(own, keys, own_world, product, utc_now) as gateway,
            gateway.dispatcher,
            served(gateway.app, listen("127.0.0.1", 0)) as url,
        ):
            acme = await endpoint(gateway, receiver, "acme")
            callers = Callers(url, own, keys)
            async with callers.http:
                chosen = await callers.ask("ada", CHOOSE_ALL)
                assert chosen.json()["data"]["choose"]["errors"] == []
                (first,) = await arrived(receiver, 1)
                recorded = await own_world.app.fetchrow(
                    "SELECT * FROM disclosure WHERE operation_name = 'webhook'"
                )
                erased = await callers.ask("ada", ERASE % PASSWORD)
                assert erased.json()["data"]["eraseAccount"]["errors"] == []
            later = utc_now() + timedelta(days=15)
            await Upkeep(own_world, PolicyInForce(product.matrix), lambda: later).round()
            *_, last = await arrived(receiver, 2)

    ids = {"ids": [str(world.subject("acme", "ada"))]}
    stock = Webhook(shown_secret(keys, acme, 1))
    assert stock.verify(first.body, first.headers) == {
        "type": "members.withdrawn",
        "timestamp": json.loads(first.body)["timestamp"],
        "data": ids,
    }
    assert stock.verify(last.body, last.headers)["type"] == "members.erased"
    assert json.loads(last.body)["data"] == ids
    assert recorded is not None
    assert recorded["members"] == [world.person("ada").log_id]
    assert recorded["categories"] == ["user.unique_id.pseudonymous"]
    everything = " ".join(f"{got.target} {got.headers} {got.body.decode()}" for got in receiver.got)
    ada = world.person("ada")
    others = (world.subject("bolt", "ada"), world.AGREEMENTS["acme"].id, ada.id, ada.log_id)
    for secret in (ada.email, "Lovelace", "example.org", PASSWORD, *map(str, others)):
        assert secret not in everything


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="Node and npm are not installed: no receiver")
async def test_the_stock_library_of_node_verifies_ours(
    scripts: Path, keys: Keyring, own_world: Database, product: Product, settings: Settings
) -> None:
    async with receiving() as receiver:
        own = settings.model_copy(
            update={"webhook_networks": ("127.0.0.0/8",), "webhook_ports": (receiver.port,)}
        )
        async with (
            compose(own, keys, own_world, product, utc_now) as gateway,
            gateway.dispatcher,
            served(gateway.app, listen("127.0.0.1", 0)) as url,
        ):
            acme = await endpoint(gateway, receiver, "acme")
            callers = Callers(url, own, keys)
            async with callers.http:
                await callers.ask("ada", CHOOSE)
            (got,) = await arrived(receiver, 1)
    request = {"secret": shown_secret(keys, acme, 1), "headers": got.headers, "body": got.body.decode()}
    verified, changed = await lines(scripts, "webhook.mjs", json.dumps(request))
    assert verified["data"]["data"] == {"ids": [str(world.subject("acme", "ada"))]}
    assert changed["data"] == "WebhookVerificationError"
    assert datetime.now(UTC) > datetime.fromisoformat(verified["data"]["timestamp"])
