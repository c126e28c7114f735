"""`/oauth/introspect` (RFC 7662) and `/oauth/revoke` (RFC 7009): what becomes of a client's own tokens.

A client learns of its own tokens only. Any other text, another client's token included, is `active: false` to
the one and revoked without effect by the other: neither tells whether such a token exists.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from gateway.database import Database
from gateway.identity.tokens import SubjectKind, VerifiedToken
from gateway.oauth.authentication import AuthenticatedClient
from gateway.oauth.forms import OAuthRequest
from policies.agreement import Scoped, refused_scopes
from resolvers.commands.clients import revoke_token

Inspect: TypeAlias = Callable[[str], Awaitable[VerifiedToken | None]]
"""The token in a text, if it counts now, whoever sends it."""

Hear: TypeAlias = Callable[[], Awaitable[None]]


class Introspection:
    """Answers at `/oauth/introspect`."""

    def __init__(self, inspect: Inspect) -> None:
        self._inspect = inspect

    async def __call__(self, request: OAuthRequest, client: AuthenticatedClient) -> dict[str, Any]:
        """What the token is, or that it is not active.

        Raises:
            OAuthError: `token` is missing.
            UnavailableError: the database does not answer.
        """
        token = await self._inspect(request.wanted("token"))
        if token is None or not _is_own(token, client):
            return {"active": False}
        bound = token.claims.get("cnf")
        return {
            "active": True,
            "client_id": token.client_id,
            "sub": token.subject,
            "scope": " ".join(_counting(token.claims.get("scope", ""), client.facts.terms)),
            "token_type": "Bearer" if bound is None else "DPoP",
            "iss": token.issuer,
            "aud": token.claims["aud"],
            "jti": token.token_id,
            "iat": int(token.issued_at),
            "exp": int(token.expires_at),
            **({} if bound is None else {"cnf": bound}),
        }


class Revocation:
    """Answers at `/oauth/revoke`. `leeway` in seconds: so long does a token count after its end."""

    def __init__(self, inspect: Inspect, database: Database, hear: Hear, leeway: int) -> None:
        self._inspect = inspect
        self._database = database
        self._hear = hear
        self._leeway = timedelta(seconds=leeway)

    async def __call__(self, request: OAuthRequest, client: AuthenticatedClient) -> dict[str, Any]:
        """Nothing, once the token counts no more: here at once, elsewhere within a second.

        Raises:
            OAuthError: `token` is missing.
            UnavailableError: the database does not answer.
        """
        token = await self._inspect(request.wanted("token"))
        if token is not None and _is_own(token, client):
            ends = datetime.fromtimestamp(token.expires_at, UTC) + 2 * self._leeway
            async with self._database.transaction() as connection:
                now = datetime.now(UTC)
                await revoke_token(connection, token_id=token.token_id, now=now, expires_at=ends)
            await self._hear()
        return {}


def _counting(scope: str, terms: Scoped) -> list[str]:
    """The scopes that still count: what the agreement has lost since is in the token, and opens nothing."""
    return [one for one in scope.split(" ") if one and not refused_scopes(terms, [one])]


def _is_own(token: VerifiedToken, client: AuthenticatedClient) -> bool:
    return token.claims.get("kind") == SubjectKind.PARTNER and token.client_id == client.client_id
