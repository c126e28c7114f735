"""Tokens: verified for each request, or remembered and asked after.

What the gateway remembers is that the signature, the issuer and the times were right. Whether the token, its
session, its member or its client has been revoked meanwhile, and the clock, it asks for each request.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import jwt

from benchmarks.choices.measuring import Alternative, Cost, Measured, Turn, measure
from benchmarks.figures import MICRO
from gateway.database import Database
from gateway.http.messages import Credentials
from gateway.identity.principals import open_authenticator
from gateway.identity.tokens import SubjectKind, mint, own_issuer, own_keys, verify_token
from gateway.keys import Keyring
from gateway.settings import Settings

LIFETIME: Final = 3_600


def _turn(check: Callable[[], Awaitable[Any]], uses: int) -> Turn:
    async def turn() -> Cost:
        before = time.process_time()
        for _ in range(uses):
            await check()
        return Cost((time.process_time() - before) / uses * MICRO)

    return turn


async def measure_checks(
    settings: Settings, keys: Keyring, database: Database, rounds: int, uses: int
) -> Measured:
    """A member's token, signed with Ed25519."""
    member: UUID = await database.app.fetchval("SELECT id FROM member WHERE status = 'ACTIVE' LIMIT 1")
    text = mint(
        settings, keys, kind=SubjectKind.MEMBER, subject=str(member), client_id="web", lifetime=LIFETIME
    ).token
    own, issuer = own_keys(settings, keys), own_issuer(settings)
    public_key = keys.verification_keys[jwt.get_unverified_header(text)["kid"]]
    remembered: dict[str, dict[str, Any]] = {}

    async def by_pyjwt() -> dict[str, Any]:
        return jwt.decode(text, public_key, algorithms=["EdDSA"], issuer=issuer, audience=issuer)

    async def by_us() -> object:
        return await verify_token(text, [own], leeway=settings.token_leeway)

    async def only_remembered() -> None:
        claims = remembered.get(text)
        if claims is None:
            claims = remembered[text] = await by_pyjwt()
        if time.time() >= claims["exp"]:
            del remembered[text]

    async with open_authenticator(settings, keys, database) as authenticator:
        credentials = Credentials(f"Bearer {text}")
        ways: dict[str, Callable[[], Awaitable[Any]]] = {
            "remembered; revocation, member and clock asked each time": (
                lambda: authenticator.authenticate(credentials)
            ),
            "remembered, nobody asked but the clock": only_remembered,
            "PyJWT each time": by_pyjwt,
            "`gateway/identity/tokens.py` each time": by_us,
        }
        used = next(iter(ways))
        alternatives = [Alternative(name, _turn(way, uses), used=name == used) for name, way in ways.items()]
        return await measure("Check of a token", "one check", alternatives, rounds)
