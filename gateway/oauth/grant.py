"""`/oauth/token`: an access token for a client that has proved who it is (RFC 6749, 4.4; RFC 9449, 5).

1. the grant is `client_credentials`, and the token is wanted for this gateway;
2. the client's agreement is in force this second, and no deletion so long overdue that it has no tokens;
3. each scope is covered by the agreement; without scopes, the agreement's own keys;
4. a DPoP proof, where there is one or the client has to have one: the token is bound to its key;
5. the token is signed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from gateway.identity.dpop import verify_proof
from gateway.identity.jws import TokenRefusedError
from gateway.identity.proofs import ProofBook
from gateway.identity.tokens import SubjectKind, mint, own_issuer
from gateway.keys import Keyring
from gateway.oauth.authentication import AuthenticatedClient
from gateway.oauth.errors import OAuthCode, OAuthError
from gateway.oauth.forms import OAuthRequest
from gateway.settings import Settings
from policies.agreement import Scoped, refused_scopes
from schema.vocabulary import Restriction

MOST_NAMED: Final = 10
"""Refused scopes that a description names."""


class TokenGrant:
    """Answers at `/oauth/token`."""

    def __init__(
        self, settings: Settings, keys: Keyring, proofs: ProofBook, clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._proofs = proofs
        self._clock = clock

    async def __call__(self, request: OAuthRequest, client: AuthenticatedClient) -> dict[str, Any]:
        """The token, with what it is.

        Raises:
            OAuthError: it is not given.
            UnavailableError: the database does not answer.
        """
        if request.wanted("grant_type") != "client_credentials":  # 1
            raise OAuthError(OAuthCode.UNSUPPORTED_GRANT_TYPE, "the only grant here is `client_credentials`")
        if request.parameters.get("resource", own_issuer(self._settings)) != own_issuer(self._settings):
            raise OAuthError(OAuthCode.INVALID_TARGET, "tokens are for this gateway: leave `resource` out")
        terms = client.facts.terms
        if not terms.in_force(datetime.fromtimestamp(self._clock(), UTC)):  # 2
            raise OAuthError(OAuthCode.UNAUTHORIZED_CLIENT, "the agreement of this client is not in force")
        if client.facts.restriction is Restriction.SUSPENDED:
            raise OAuthError(
                OAuthCode.UNAUTHORIZED_CLIENT,
                "deletions are long overdue: send an officer your signed statement",
            )
        scopes = _scopes(terms, request.parameters.get("scope"))  # 3
        thumbprint = await self._bound_to(request, client)  # 4
        minted = mint(  # 5
            self._settings,
            self._keys,
            kind=SubjectKind.PARTNER,
            subject=client.client_id,
            client_id=client.client_id,
            scopes=scopes,
            thumbprint=thumbprint,
            now=self._clock(),
        )
        return {
            "access_token": minted.token,
            "token_type": "Bearer" if thumbprint is None else "DPoP",
            "expires_in": self._settings.token_lifetime,
            "scope": " ".join(scopes),
        }

    async def _bound_to(self, request: OAuthRequest, client: AuthenticatedClient) -> str | None:
        """The thumbprint of the key that the token will be bound to; None for a bearer token."""
        given = request.credentials
        if given.proof is None:
            if client.facts.dpop:
                raise OAuthError(OAuthCode.INVALID_DPOP_PROOF, "this client has to send a `DPoP` proof")
            return None
        try:
            proof = verify_proof(
                given.proof,
                method=given.method,
                url=own_issuer(self._settings) + given.path,
                token=None,
                now=self._clock(),
                leeway=self._settings.token_leeway,
            )
            await self._proofs.use(proof)
        except TokenRefusedError as error:
            message = "the `DPoP` proof does not count: make a new one for this request"
            raise OAuthError(OAuthCode.INVALID_DPOP_PROOF, message) from error
        return proof.thumbprint


def _scopes(terms: Scoped, wanted: str | None) -> list[str]:
    """The scopes of the token, in order.

    Raises:
        OAuthError: one of them is not covered by the agreement; it is named if it could be a category.
    """
    if wanted is None:
        return sorted(terms.categories)
    scopes = wanted.split(" ")
    refused = refused_scopes(terms, scopes)
    if refused:
        more = ", ..." if len(refused) > MOST_NAMED else ""
        named = ", ".join(refused[:MOST_NAMED]) + more
        raise OAuthError(OAuthCode.INVALID_SCOPE, f"not in your agreement: {named}")
    return sorted(set(scopes))
