from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from pydantic import AnyHttpUrl

from gateway.http.messages import Credentials
from gateway.identity.authority import follow_revocations
from gateway.identity.issuers import MAX_AGE, MAX_DOCUMENT_BYTES, MIN_REFRESH, ExternalIssuer
from gateway.identity.principals import Authenticator
from gateway.identity.tokens import own_keys
from gateway.settings import TrustedIssuer
from policies.principal import MemberPrincipal
from resolvers.revocations import RevocationKind, revoke
from schema.errors import SettingsError, UnauthenticatedError, UnavailableError
from schema.ids import new_id
from tests.gateway.identity.conftest import World

KEY = Ed25519PrivateKey.generate()


def trusted(url: str = "https://issuer.example/jwks", **changes: Any) -> TrustedIssuer:
    return TrustedIssuer(
        issuer="https://issuer.example", jwks_url=AnyHttpUrl(url), audience="gateway", **changes
    )


def jwk(kid: str, **changes: Any) -> dict[str, Any]:
    return {**json.loads(OKPAlgorithm.to_jwk(KEY.public_key())), "kid": kid, **changes}


def document(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


@dataclass
class Elsewhere:
    """An issuer's server, and the time."""

    body: bytes = field(default_factory=lambda: document(jwk("a")))
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fetched: int = 0
    now: float = 1_000.0
    down: bool = False

    def answer(self, _: httpx.Request) -> httpx.Response:
        self.fetched += 1
        if self.down:
            raise httpx.ConnectError("down")
        return httpx.Response(self.status, content=self.body, headers=self.headers)


@pytest.fixture
def elsewhere() -> Elsewhere:
    return Elsewhere()


@pytest.fixture
async def issuer(elsewhere: Elsewhere) -> AsyncIterator[ExternalIssuer]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(elsewhere.answer)) as client:
        yield ExternalIssuer(trusted(), client, clock=lambda: elsewhere.now)


async def test_a_key_is_fetched_once(issuer: ExternalIssuer, elsewhere: Elsewhere) -> None:
    for _ in range(3):
        key = await issuer.key("a")
        assert key is not None
        assert key.algorithm == "EdDSA"
    assert elsewhere.fetched == 1


async def test_unknown_names_cannot_make_us_flood_the_issuer(
    issuer: ExternalIssuer, elsewhere: Elsewhere
) -> None:
    for number in range(50):
        assert await issuer.key(f"made-up-{number}") is None
    assert elsewhere.fetched == 1
    elsewhere.body = document(jwk("a"), jwk("b"))
    elsewhere.now += MIN_REFRESH
    assert await issuer.key("b") is not None
    assert elsewhere.fetched == 2


async def test_a_withdrawn_key_is_forgotten(issuer: ExternalIssuer, elsewhere: Elsewhere) -> None:
    assert await issuer.key("a") is not None
    elsewhere.body = document(jwk("b"))
    elsewhere.now += MAX_AGE + 1
    assert await issuer.key("a") is None


async def test_an_issuer_that_is_down_is_believed_for_a_while_and_then_unavailable(
    issuer: ExternalIssuer, elsewhere: Elsewhere
) -> None:
    assert await issuer.key("a") is not None
    elsewhere.down = True
    elsewhere.now += MAX_AGE / 2
    assert await issuer.key("a") is not None
    elsewhere.now += MAX_AGE
    with pytest.raises(UnavailableError):
        await issuer.key("a")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda server: setattr(server, "status", 500),
        lambda server: setattr(server, "down", True),
        lambda server: setattr(server, "body", b"{"),
        lambda server: setattr(server, "body", b"[]"),
        lambda server: setattr(server, "body", b"[" * 100_000),
        lambda server: setattr(server, "body", b'{"keys": 1}'),
        lambda server: setattr(server, "body", document(*[jwk("a")] * 101)),
        lambda server: setattr(server, "body", b" " * (MAX_DOCUMENT_BYTES + 1)),
        lambda server: server.__dict__.update(status=302, headers={"location": "https://else.example"}),
    ],
)
async def test_without_a_usable_document_nothing_is_believed(
    issuer: ExternalIssuer, elsewhere: Elsewhere, spoil: Callable[[Elsewhere], None]
) -> None:
    spoil(elsewhere)
    with pytest.raises(UnavailableError):
        await issuer.key("a")
    assert elsewhere.fetched == 1


async def test_a_name_that_stands_twice_names_no_key(issuer: ExternalIssuer, elsewhere: Elsewhere) -> None:
    elsewhere.body = document(jwk("a"), jwk("a", use="enc"), jwk("b"), "junk")
    assert await issuer.key("a") is None
    assert await issuer.key("b") is not None


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("https://issuer.example/jwks", True),
        ("http://issuer.example/jwks", False),
        ("http://127.0.0.1:9/jwks", True),
        ("http://localhost:9/jwks", True),
        ("http://[::1]:9/jwks", True),
        ("http://127.0.0.1.example/jwks", False),
    ],
)
async def test_keys_travel_encrypted_beyond_this_machine(url: str, accepted: bool) -> None:
    async with httpx.AsyncClient() as client:
        if accepted:
            ExternalIssuer(trusted(url), client)
        else:
            with pytest.raises(SettingsError, match="https"):
                ExternalIssuer(trusted(url), client)


@pytest.mark.parametrize("algorithm", ["HS256", "none", "RSA-OAEP"])
async def test_a_shared_secret_is_not_trusted(algorithm: str) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(SettingsError, match="algorithms"):
            ExternalIssuer(trusted(algorithms=("EdDSA", algorithm)), client)


@pytest.mark.parametrize("kind", ["MEMBER", "PARTNER", "partner"])
async def test_what_an_issuer_says_of_sessions_and_kinds_is_not_believed_only_whom_it_names(
    world: World, issuer: ExternalIssuer, kind: str
) -> None:
    """A member by number, without a session of ours, who is signed out by us like any other."""

    def bearer(number: str) -> Credentials:
        now = int(time.time())
        claims = {"iss": issuer.issuer, "aud": "gateway", "sub": number, "client_id": "shop", "jti": "t-1"}
        claims |= {"kind": kind, "sid": str(new_id()), "scope": "user.name"}
        token = jwt.encode(
            claims | {"iat": now, "exp": now + 60}, KEY, "EdDSA", headers={"kid": "a", "typ": "at+jwt"}
        )
        return Credentials(f"Bearer {token}")

    settings = world.settings
    async with follow_revocations(world.database, staleness=5, leeway=settings.token_leeway) as authority:
        authenticator = Authenticator(
            settings, own_keys(settings, world.keys), [issuer], world.database, authority
        )
        expected = MemberPrincipal(world.member_id, "shop", "t-1", None)
        assert await authenticator.authenticate(bearer("M-1")) == expected
        with pytest.raises(UnauthenticatedError):
            await authenticator.authenticate(bearer("M-2"))
        async with world.database.transaction() as connection:
            await revoke(connection, RevocationKind.MEMBER, str(world.member_id), now=datetime.now(UTC))
        await authority.catch_up()
        with pytest.raises(UnauthenticatedError):
            await authenticator.authenticate(bearer("M-1"))
