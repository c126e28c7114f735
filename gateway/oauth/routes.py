"""What of OAuth is served where."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from starlette.routing import Route

from gateway.database import Database
from gateway.identity.principals import Authenticator
from gateway.identity.proofs import DatabaseProofs
from gateway.identity.tokens import own_issuer
from gateway.keys import Keyring
from gateway.oauth.authentication import ClientAuthentication
from gateway.oauth.endpoint import Act, OAuthEndpoint
from gateway.oauth.grant import TokenGrant
from gateway.oauth.inspection import Introspection, Revocation
from gateway.oauth.metadata import INTROSPECT, REVOKE, TOKEN, metadata_routes
from gateway.settings import Settings
from resolvers.means import Means


def oauth_routes(
    settings: Settings, keys: Keyring, database: Database, means: Means, authenticator: Authenticator
) -> Sequence[Route]:
    """The routes of the authorization server. Tokens live by the real clock, as those who check them do."""
    clients = ClientAuthentication(
        database, means, own_issuer(settings), settings.token_leeway, clock=time.time
    )
    acts: Mapping[str, Act] = {
        TOKEN: TokenGrant(settings, keys, DatabaseProofs(database), clock=time.time),
        INTROSPECT: Introspection(authenticator.inspect),
        REVOKE: Revocation(authenticator.verify, database, authenticator.hear, settings.token_leeway),
    }
    return [
        *(
            Route(path, OAuthEndpoint(path, clients, act, settings.request_timeout))
            for path, act in acts.items()
        ),
        *metadata_routes(settings, keys),
    ]
