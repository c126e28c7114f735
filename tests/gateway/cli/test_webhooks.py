from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest

from gateway.delivery.signatures import shown_secret
from gateway.keys import load_keyring
from gateway.settings import load_settings
from tests.gateway.cli.test_main import Terminal, office, terminal, url

__all__ = ["office", "terminal", "url"]

URL = "https://127.0.0.1/hooks/s3cret"


@pytest.fixture
def agreement(office: Terminal, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GATEWAY_WEBHOOK_NETWORKS", '["127.0.0.0/8"]')
    office.done("partner", "create", "acme", "--display-name", "Acme")
    terms = ("--basis", "marketing", "--purpose", "partner-offers", "--category", "user.name", "--draft")
    return office.done("agreement", "create", "acme", *terms).strip()


def test_a_secret_is_shown_once_and_an_endpoint_is_managed(office: Terminal, agreement: str) -> None:
    endpoint, secret = office.done("webhook", "create", URL, "--agreement", agreement).strip().split("\t")
    assert secret.startswith("whsec_")
    assert len(secret) > 40
    assert secret not in office.err
    assert shown_secret(load_keyring(load_settings()), UUID(endpoint), 1) == secret, "none is stored"

    listed = office.done("webhook", "list")
    assert f"{endpoint}\tacme\thttps://127.0.0.1\tACTIVE\t0 waiting" in listed
    assert "s3cret" not in listed
    assert "in the outbox" in office.done("webhook", "test", endpoint)
    shown = office.done("webhook", "show", endpoint)
    assert URL in shown
    assert "waiting     1" in shown
    new = office.done("webhook", "rotate", endpoint, "--overlap-hours", "2").strip()
    assert new.startswith("whsec_")
    shown += office.done("webhook", "show", endpoint)
    assert "generation 2" in shown
    assert not {secret, new, secret[6:], new[6:]} & set(shown.split())
    assert new != secret
    assert "DISABLED" in office.done("webhook", "disable", endpoint)
    assert office.run("webhook", "test", endpoint) == 1
    assert "ACTIVE" in office.done("webhook", "enable", endpoint)


async def test_dead_letters_are_listed_repeated_and_told_by_the_doctor(
    office: Terminal, agreement: str, url: str
) -> None:
    def run(*words: str) -> str:
        return office.done(*words)

    made = await asyncio.to_thread(run, "webhook", "create", URL, "--agreement", agreement)
    endpoint = made.split("\t")[0]
    await asyncio.to_thread(run, "webhook", "test", endpoint)
    owner = await asyncpg.connect(url)
    await owner.execute("UPDATE webhook_message SET status = 'DEAD', attempts = 13, answer = 500")
    await owner.close()
    listed = await asyncio.to_thread(run, "webhook", "dead-letters", "list", "--endpoint", endpoint)
    assert "0 members\t13 attempts\tlast status 500" in listed
    await asyncio.to_thread(office.run, "doctor")
    assert "1 messages were given up" in office.out
    message = listed.split("\t")[1]
    retried = await asyncio.to_thread(run, "webhook", "dead-letters", "retry", endpoint, "--message", message)
    assert "1 messages are due again" in retried
    assert await asyncio.to_thread(run, "webhook", "dead-letters", "list") == ""


def test_a_url_that_may_not_be_sent_to_is_refused_without_being_repeated(
    office: Terminal, agreement: str
) -> None:
    for bad in ("http://127.0.0.1.example/", "https://10.0.0.1/", "https://0x7f000001/", f"{URL}#part"):
        assert office.run("webhook", "create", bad, "--agreement", agreement) == 1
        assert "`url`" in office.err
        assert bad not in office.err + office.out
