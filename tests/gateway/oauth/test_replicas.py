"""Two gateways on one database: what is taken back counts in both, also for an answer that is on its way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.keys import Keyring, create_keys, load_keyring, rotate_signing_key
from gateway.officer_key import create_officer_key, default_officer_key
from gateway.settings import Settings
from resolvers.commands.client_credentials import remove_key, replace_secret
from resolvers.commands.clients import revoke_client
from schema.vocabulary import AgreementStatus, ClientAuth
from tests.databases import TestServer
from tests.gateway.oauth.conftest import Replica, Served, refusal
from tests.gateway.oauth.signing import assertion, basic

GRANT = {"grant_type": "client_credentials"}
HELD_FOR = 0.6
"""Seconds that a record waits: so long is an answer between its statement and its release."""


@pytest.fixture(scope="module")
async def url(test_server: TestServer, world_template: str) -> AsyncIterator[str]:
    async with test_server.database_url(world_template) as made:
        yield made


@pytest.fixture(scope="module")
async def first(url: str, replica: Replica) -> AsyncIterator[Served]:
    async with replica(url) as running:
        yield running


@pytest.fixture(scope="module")
async def second(url: str, replica: Replica, first: Served) -> AsyncIterator[Served]:
    """It lets every answer wait, and hears of revocations as any replica does."""
    async with replica(url, like=first, held_for=HELD_FOR) as running:
        yield running


async def revoke_the_token(first: Served, client: str, token: str) -> None:
    answer = await first.post("/oauth/revoke", {"token": token}, **first.basic(client))
    assert answer.status_code == 200


async def revoke_the_client(first: Served, client: str, _: str) -> None:
    async with first.database.transaction() as connection:
        await revoke_client(connection, client_id=client, now=datetime.now(UTC))


async def suspend_the_agreement(first: Served, _: str, __: str) -> None:
    await first.set_status("bolt", AgreementStatus.SUSPENDED)


async def replace_a_stolen_secret(first: Served, client: str, _: str) -> None:
    async with first.database.transaction() as connection:
        await replace_secret(connection, client_id=client, overlap=timedelta(0), now=datetime.now(UTC))


ACTS: list[tuple[str, Callable[[Served, str, str], Awaitable[None]]]] = [
    ("acme", revoke_the_token),
    ("acme", revoke_the_client),
    ("acme", replace_a_stolen_secret),
    ("bolt", suspend_the_agreement),
]


@pytest.mark.clause("C8", "R2")
@pytest.mark.parametrize(("agreement", "act"), ACTS)
async def test_a_page_that_is_on_its_way_does_not_leave_after_a_revocation_elsewhere(
    first: Served, second: Served, agreement: str, act: Callable[[Served, str, str], Awaitable[None]]
) -> None:
    client = await first.client(f"{agreement}-{act.__name__.replace('_', '-')}", agreement)
    token = await first.access(client)
    asking = asyncio.create_task(second.ask(token))
    await asyncio.sleep(HELD_FOR / 3)
    assert not asking.done()
    await act(first, client, token)
    answer = await asking
    assert answer.status_code == 401
    assert "data" not in answer.json()
    async with first.database.connection() as connection:
        recorded = await connection.fetchval("SELECT count(*) FROM disclosure WHERE client_id = $1", client)
    assert recorded == 1, "the record came first: it says at least what left"


async def test_a_revocation_counts_elsewhere_within_a_second(first: Served, second: Served) -> None:
    client = await first.client("acme-quick")
    token = await first.access(client)
    nothing = "{ viewer { audience } }"
    assert (await second.ask(token, nothing)).status_code == 200
    await revoke_the_token(first, client, token)
    started = time.monotonic()
    while (await second.ask(token, nothing)).status_code == 200:
        assert time.monotonic() - started < 1
    inspected = await second.post("/oauth/introspect", {"token": token}, **first.basic(client))
    assert inspected.json() == {"active": False}


async def test_two_secrets_overlap_and_then_one_counts(first: Served, second: Served) -> None:
    client = await first.client("acme-rotates")
    old, now = first.secrets[client], datetime.now(UTC)
    async with first.database.transaction() as connection:
        new = await replace_secret(connection, client_id=client, overlap=timedelta(seconds=1), now=now)
    for secret in (old, new):
        assert (await second.post("/oauth/token", GRANT, **basic(client, secret))).status_code == 200
    async with first.database.transaction() as connection:
        newest = await replace_secret(connection, client_id=client, overlap=timedelta(hours=1), now=now)
    counts = {}
    for name, secret in (("old", old), ("new", new), ("newest", newest)):
        counts[name] = (await second.post("/oauth/token", GRANT, **basic(client, secret))).is_success
    assert counts == {"old": False, "new": True, "newest": True}, "of three, two"


async def test_a_secret_that_was_replaced_stops_when_its_time_is_over(first: Served, second: Served) -> None:
    client = await first.client("acme-late")
    old, long_ago = first.secrets[client], datetime.now(UTC) - timedelta(hours=2)
    async with first.database.transaction() as connection:
        await replace_secret(connection, client_id=client, overlap=timedelta(hours=1), now=long_ago)
    answer = await second.post("/oauth/token", GRANT, **basic(client, old))
    assert refusal(answer)["error"] == "invalid_client"


async def test_a_key_that_is_removed_at_once_takes_its_tokens_with_it(first: Served, second: Served) -> None:
    client = await first.client("acme-keys", auth=ClientAuth.KEY)
    token = await first.access(client)
    async with first.database.transaction() as connection:
        await remove_key(
            connection, client_id=client, kid="eddsa", overlap=timedelta(0), now=datetime.now(UTC)
        )
    signed = assertion(client, first.issuer)
    assert refusal(await second.post("/oauth/token", {**GRANT, **signed}))["error"] == "invalid_client"
    assert (await first.ask(token)).status_code == 401
    signed = assertion(client, first.issuer, algorithm="ES256")
    assert (await second.post("/oauth/token", {**GRANT, **signed})).status_code == 200


async def test_a_signing_key_rotates_without_a_restart_of_any_replica(
    url: str, replica: Replica, keys: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.signing_keys.LOOK_EVERY", 0.0)
    secret = tmp_path / "secret"
    secret.write_bytes(keys.secret)
    secret.chmod(0o600)
    shared = Settings(data_dir=tmp_path / "data", secret_file=secret)
    create_keys(shared, create_officer_key(shared, default_officer_key(shared)))
    async with (
        replica(url, keys=load_keyring(shared)) as one,
        replica(url, like=one, keys=load_keyring(shared)) as other,
    ):
        client = await one.client("acme-signs")
        before = await one.access(client)
        rotate_signing_key(shared, timedelta(0))
        after = await one.access(client)
        for token in (before, after):
            assert (await other.ask(token, "{ viewer { audience } }")).status_code == 200
        published = (await other.http.get("/.well-known/jwks.json")).json()["keys"]
        assert len(published) == 2
        (tmp_path / "data" / "keys" / f"signing-{published[0]['kid']}.json").unlink()
        assert (await other.ask(before, "{ viewer { audience } }")).status_code == 401
        assert (await other.ask(after, "{ viewer { audience } }")).status_code == 200
