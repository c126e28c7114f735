"""Stock OAuth clients, unmodified, against a real server: two of Python, two of Node."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from authlib.deprecate import AuthlibDeprecationWarning
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from tests.gateway.http.test_audit import lines, scripts
from tests.gateway.oauth.conftest import QUERY, Served
from tests.gateway.oauth.signing import KEYS

with warnings.catch_warnings():
    # It asks for httpx2, a rename of the httpx that we have; and its filter is in front of those of pytest.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client

__all__ = ["scripts"]


async def metadata(server: Served) -> dict[str, Any]:
    described: dict[str, Any] = (await server.http.get("/.well-known/oauth-authorization-server")).json()
    return described


async def test_authlib_with_a_secret(server: Served) -> None:
    described = await metadata(server)
    async with AsyncOAuth2Client(
        "acme-secret",
        server.secrets["acme-secret"],
        scope="user.name",
        token_endpoint=described["token_endpoint"],
        grant_type="client_credentials",
    ) as client:
        token = await client.fetch_token()
        assert token["scope"] == "user.name"
        answer = await client.post(f"{server.url}/graphql", json={"query": QUERY})
        assert len(answer.json()["data"]["members"]["edges"]) == 2
        inspected = await client.introspect_token(
            described["introspection_endpoint"], token=token["access_token"]
        )
        assert inspected.json()["active"]
        await client.revoke_token(described["revocation_endpoint"], token=token["access_token"])
        assert (await client.post(f"{server.url}/graphql", json={"query": QUERY})).status_code == 401


async def test_authlib_with_a_key(server: Served) -> None:
    described = await metadata(server)
    pem = KEYS["RS256"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    async with AsyncOAuth2Client(
        "acme-key", pem.decode(), token_endpoint_auth_method="private_key_jwt"
    ) as client:
        # What it calls `token_endpoint` becomes the audience: the issuer. By itself it sets `exp` to an hour.
        method = PrivateKeyJWT(described["issuer"], {"exp": int(time.time()) + 60}, {"kid": "rs256"})
        client.register_client_auth_method(method)
        await client.fetch_token(described["token_endpoint"], grant_type="client_credentials")
        answer = await client.post(f"{server.url}/graphql", json={"query": QUERY})
        assert len(answer.json()["data"]["members"]["edges"]) == 2


async def test_oauthlib_with_a_secret(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    secret = server.secrets["acme-secret"]

    def ask() -> Any:
        with OAuth2Session(client=BackendApplicationClient("acme-secret", scope=["user.name"])) as session:
            session.fetch_token(f"{server.url}/oauth/token", auth=HTTPBasicAuth("acme-secret", secret))
            return session.post(f"{server.url}/graphql", json={"query": QUERY}).json()

    answer = await asyncio.to_thread(ask)
    assert len(answer["data"]["members"]["edges"]) == 2


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="Node and npm are not installed")
async def test_the_clients_of_node_discover_get_tokens_ask_inspect_and_revoke(
    server: Served, scripts: Path
) -> None:
    jwk = json.dumps(json.loads(ECAlgorithm.to_jwk(KEYS["ES256"])) | {"kid": "es256", "key_ops": ["sign"]})
    arguments = (
        server.issuer,
        "acme-secret", server.secrets["acme-secret"],
        "acme-key", jwk,
        "acme-dpop", server.secrets["acme-dpop"],
    )  # fmt: skip
    printed = await lines(scripts, "oauth.mjs", *arguments)
    steps = {line["step"]: line["data"] for line in printed}
    plain = {"type": "bearer", "scope": "user.name", "members": 2, "active": True, "bound": False}
    plain["refused"] = 401
    ways = {"secret": plain, "key": plain, "dpop": plain | {"type": "dpop", "bound": True}}
    libraries = ("openid-client", "oauth4webapi")
    expected = {f"{library} {way}": seen for library in libraries for way, seen in ways.items()}
    assert steps == expected
    assert not any(secret in json.dumps(printed) for secret in server.secrets.values())
