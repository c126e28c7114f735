"""From the credential of a request at the officers' entrance to a `Principal`.

Tokens of officers are for an audience of their own and say of what kind they are: none of them verifies where
members and partners ask, and none of theirs here. Nothing is cached: whether the officer may still, in which
roles, and whether the session counts, is read from the database with each request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.database import Database
from gateway.http.messages import CredentialRefusedError, Credentials
from gateway.identity.tokens import (
    OwnKeys,
    SubjectKind,
    TrustedKey,
    VerifiedToken,
    own_issuer,
    own_keys,
    refuse,
    verify_token,
)
from gateway.keys import Keyring
from gateway.settings import Settings
from gateway.telemetry import event
from policies.principal import Entrance, OfficerPrincipal, Principal
from resolvers.commands.officer_sessions import read_officer_standing
from schema.errors import UnauthenticatedError
from schema.ids import parse_uuid

ENTRANCE: Final = "officers"
"""The `client_id` of officers' tokens."""

PATH: Final = "/officer/graphql"

OFFICER_TOKEN_SECONDS: Final = 300
"""Shorter than a session may be idle, so that a client that works renews in time."""

_ENTRANCE: Final = Entrance()


def officers_audience(settings: Settings) -> str:
    """The `aud` of officers' tokens."""
    return own_issuer(settings) + PATH


@dataclass(frozen=True, slots=True)
class OfficerKeys:
    """Our own issuer, with the audience of officers."""

    own: OwnKeys

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens."""
        return self.own.issuer

    @property
    def audience(self) -> str:
        """The `aud` by which it means the officers' entrance."""
        return self.own.issuer + PATH

    async def key(self, kid: str) -> TrustedKey | None:
        """The key of that name, if it verifies now, or None."""
        return await self.own.key(kid)


class OfficerAuthenticator:
    """Authenticates every request at the officers' entrance."""

    def __init__(
        self,
        settings: Settings,
        keyring: Keyring,
        database: Database,
        revoked: Callable[[VerifiedToken], bool],
        clock: Callable[[], datetime],
    ) -> None:
        self._leeway = settings.token_leeway
        self._sources = (OfficerKeys(own_keys(settings, keyring)),)
        self._database = database
        self._revoked = revoked
        self._clock = clock

    async def authenticate(self, credentials: Credentials) -> Principal:
        """Who sent these; somebody who has not signed in yet if there are none.

        1. the credential is a bearer token, and nothing else;
        2. it is of our own, for this entrance, of an officer, and has neither expired nor been revoked;
        3. its session counts and its officer may sign in, at this moment, in the roles of this moment.

        Raises:
            UnauthenticatedError: the credential is not valid now; the reason goes to the log.
            UnavailableError: the database does not answer.
        """
        if credentials.authorization is None:
            return _ENTRANCE
        try:
            return await self._officer(credentials.authorization)
        except UnauthenticatedError as error:
            event("token refused", logging.INFO, reason=str(error.__cause__))
            challenge = f'Bearer realm="{ENTRANCE}", error="invalid_token"'
            raise CredentialRefusedError(str(error), [challenge]) from error.__cause__

    async def _officer(self, authorization: str) -> OfficerPrincipal:
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer" or not text.strip(" "):  # 1
            raise refuse(
                "not a bearer token", "the header `Authorization` is `Bearer` and a token: sign in for one"
            )
        token = await verify_token(text.strip(" "), self._sources, leeway=self._leeway)  # 2
        officer_id, session_id = parse_uuid(token.subject), parse_uuid(token.session_id)
        if token.claims.get("kind") != SubjectKind.OFFICER or officer_id is None or session_id is None:
            raise refuse("kind of subject is not an officer")
        if "cnf" in token.claims or self._revoked(token):
            raise refuse("revoked, or bound to what nobody proves here")
        async with self._database.connection() as connection:  # 3
            standing = await read_officer_standing(connection, officer_id, session_id, self._clock())
        if standing is None:
            raise refuse("the session is over, or the officer may not sign in")
        return OfficerPrincipal(
            standing.officer, officer_id, session_id, token.client_id, token.token_id, standing.display_name
        )
