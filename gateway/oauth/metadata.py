"""What others read about tokens here: RFC 8414, RFC 9728 and our public keys (RFC 7517)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.http.messages import RESOURCE_METADATA
from gateway.identity.public_keys import ALGORITHMS
from gateway.identity.tokens import own_issuer
from gateway.keys import Keyring, public_jwk
from gateway.settings import Settings
from schema.categories import SHAREABLE
from schema.vocabulary import ClientAuth

TOKEN: Final = "/oauth/token"  # noqa: S105 - a path
REVOKE: Final = "/oauth/revoke"
INTROSPECT: Final = "/oauth/introspect"
SERVER_METADATA: Final = "/.well-known/oauth-authorization-server"
JWKS: Final = "/.well-known/jwks.json"

_HEADERS: Final = {"cache-control": "public, max-age=300", "x-content-type-options": "nosniff"}
"""Five minutes: a third of what a new key is published before it signs (`gateway keys rotate`)."""


def server_metadata(settings: Settings) -> dict[str, Any]:
    """The metadata of the authorization server (RFC 8414)."""
    issuer = own_issuer(settings)
    methods = [method.value for method in ClientAuth]
    described: dict[str, Any] = {
        "issuer": issuer,
        "token_endpoint": issuer + TOKEN,
        "jwks_uri": issuer + JWKS,
        "scopes_supported": sorted(category.value for category in SHAREABLE),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "revocation_endpoint": issuer + REVOKE,
        "introspection_endpoint": issuer + INTROSPECT,
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "protected_resources": [issuer],
    }
    for endpoint in ("token", "revocation", "introspection"):
        described[f"{endpoint}_endpoint_auth_methods_supported"] = methods
        described[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    return described


def resource_metadata(settings: Settings) -> dict[str, Any]:
    """The metadata of the protected resource (RFC 9728)."""
    issuer = own_issuer(settings)
    return {
        "resource": issuer,
        "authorization_servers": [issuer],
        "scopes_supported": sorted(category.value for category in SHAREABLE),
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "dpop_bound_access_tokens_required": False,
    }


def published_keys(keys: Keyring) -> dict[str, Any]:
    """Every key that verifies now: the next one, the one that signs, and those that retire."""
    return {"keys": [public_jwk(key) | {"kid": kid} for kid, key in keys.verification_keys.items()]}


def metadata_routes(settings: Settings, keys: Keyring) -> list[Route]:
    """The routes under `/.well-known/`."""
    return [
        _document(SERVER_METADATA, lambda: server_metadata(settings)),
        _document(RESOURCE_METADATA, lambda: resource_metadata(settings)),
        _document(JWKS, lambda: published_keys(keys)),
    ]


def _document(path: str, make: Callable[[], dict[str, Any]]) -> Route:
    async def document(_: Request) -> Response:
        return Response(orjson.dumps(make()), headers=_HEADERS, media_type="application/json")

    return Route(path, document, methods=["GET"])
