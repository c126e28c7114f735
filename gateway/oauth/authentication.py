"""Who the client is: one credential of the one method that the client has, checked against what is stored.

1. one credential is presented, in one way (`gateway.oauth.forms`);
2. what the client has registered is read, or, for a client that does not exist, nothing in its place;
3. the credential is compared, in constant time, after the same work whether the client exists or not;
4. the client is active, uses its own method, and a `client_id` beside the credential is the same;
5. an assertion is used up, in every replica.

INVARIANT (clients-alike): whatever fails in 2 to 5, the answer is the same, and an unknown client costs what
a known one costs. Failures are counted for the id and the address that they came with, existing or not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Final

import orjson

from gateway.database import Database
from gateway.identity.jws import TokenRefusedError
from gateway.identity.public_keys import strong_key
from gateway.oauth.assertions import Claimed, Decoys, read_assertion, verify_assertion
from gateway.oauth.errors import OAuthCode, OAuthError, invalid_client
from gateway.oauth.forms import OAuthRequest, PresentedAssertion, PresentedSecret, presented
from gateway.telemetry import event
from resolvers.callers import ClientFacts, read_client
from resolvers.client_credentials import read_client_key, read_secret_digests, use_once
from resolvers.commands.clients import is_client_id
from resolvers.means import Means
from resolvers.throttle import count_client_failure
from schema.errors import ThrottledError
from schema.vocabulary import ClientAuth

MOST_SECRETS: Final = 2
"""Of a client at a time: so many comparisons are made for everybody."""

_NOBODY: Final = bytes(32)
"""No digest: what is compared where a secret is missing. Nobody knows a text of this SHA-256."""


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client that has proved who it is, just now. Made by `ClientAuthentication` only."""

    client_id: str
    facts: ClientFacts


class ClientAuthentication:
    """Authenticates the clients of a process. `issuer` is ours, `leeway` in seconds."""

    def __init__(
        self, database: Database, means: Means, issuer: str, leeway: int, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._means = means
        self._issuer = issuer
        self._leeway = leeway
        self._clock = clock
        self._decoys = Decoys()

    async def authenticate(self, request: OAuthRequest) -> AuthenticatedClient:
        """The client that sent this.

        Raises:
            OAuthError: it did not prove who it is.
            UnavailableError: the database does not answer.
        """
        credential = presented(request)  # 1
        client_id = ""
        try:
            match credential:
                case PresentedSecret():
                    client_id = credential.client_id
                    found = await self._by_secret(credential)
                case PresentedAssertion():
                    claimed = read_assertion(credential.assertion)
                    client_id = claimed.client_id
                    found = await self._by_assertion(claimed)
            _require_same(request.parameters.get("client_id", client_id), client_id)
        except TokenRefusedError as error:
            event("client refused", logging.INFO, reason=str(error), request_id=request.request_id)
            await self._count_failure(client_id, request.address)
            raise invalid_client() from error
        return AuthenticatedClient(client_id, found)

    async def _by_secret(self, given: PresentedSecret) -> ClientFacts:
        name = given.client_id if is_client_id(given.client_id) else ""
        async with self._database.transaction() as connection:  # 2
            facts = await read_client(connection, name)
            digests = await read_secret_digests(connection, name, self._now())
        # 3: always the same number of comparisons, none of which ends early.
        presented_digest = sha256(given.secret.encode("utf-8", "surrogatepass")).digest()
        stored = [*digests, *[_NOBODY] * MOST_SECRETS][:MOST_SECRETS]
        fits = sum(compare_digest(digest, presented_digest) for digest in stored) > 0
        if not fits:
            raise TokenRefusedError("secret does not fit")
        return _usable(facts, ClientAuth.SECRET)

    async def _by_assertion(self, claimed: Claimed) -> ClientFacts:
        name = claimed.client_id if is_client_id(claimed.client_id) else ""
        async with self._database.connection() as connection:  # 2
            facts = await read_client(connection, name)
            jwk = await read_client_key(connection, name, claimed.kid, self._now())
        key = None if jwk is None else strong_key(orjson.loads(jwk))
        assertion = verify_assertion(  # 3
            claimed, key, self._decoys, issuer=self._issuer, now=self._clock(), leeway=self._leeway
        )
        usable = _usable(facts, ClientAuth.KEY)  # 4
        async with self._database.connection() as connection:  # 5
            ends = datetime.fromtimestamp(assertion.expires_at, UTC)
            maker = f"assertion {assertion.client_id}"
            if not await use_once(connection, maker, assertion.jti, ends, durable=True):
                raise TokenRefusedError("assertion was used before")
        return usable

    async def _count_failure(self, client_id: str, address: str | None) -> None:
        """Count it.

        Raises:
            OAuthError: there were too many.
        """
        now = self._now()
        try:
            async with self._database.transaction() as connection:
                await count_client_failure(
                    connection, self._means, client_id=client_id, address=address, now=now
                )
        except ThrottledError as error:
            raise OAuthError(
                OAuthCode.INVALID_CLIENT,
                "too many failed attempts: wait as `Retry-After` says",
                status=429,
                retry_after=error.retry_after,
            ) from error

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _require_same(named: str, client_id: str) -> None:
    """4: what stands beside the credential names the same client."""
    if named != client_id:
        raise TokenRefusedError("another client is named beside the credential")


def _usable(facts: ClientFacts | None, method: ClientAuth) -> ClientFacts:
    """The client, if it is one that may come in this way."""
    if facts is None or not facts.active:
        raise TokenRefusedError("no such client, or revoked")
    if facts.auth is not method:
        raise TokenRefusedError("not the client's method")
    return facts
