"""Routes for partners beside `/graphql` authenticate as it does: a proof is for their own method and path."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from gateway.http.partner_edge import PartnerEndpoint, PartnerExchange
from gateway.identity.principals import open_authenticator
from policies.principal import PartnerPrincipal
from tests.gateway.oauth.conftest import Served
from tests.gateway.oauth.signing import proof

PATH = "/partner/echo"


class Unmetered:
    """Counts nothing: quotas are tested elsewhere."""

    async def count(self, principal: PartnerPrincipal) -> None:
        del principal

    def headers(self, principal: PartnerPrincipal) -> Sequence[tuple[bytes, bytes]]:
        del principal
        return ()


async def echo(exchange: PartnerExchange) -> None:
    await exchange.answer("text/plain", exchange.principal.client_id.encode())


async def test_a_route_for_partners_wants_a_credential_and_a_proof_for_itself(server: Served) -> None:
    headers = {**server.basic("acme-dpop"), "dpop": proof(f"{server.url}/oauth/token")}
    granted = await server.post("/oauth/token", {"grant_type": "client_credentials"}, **headers)
    token = granted.json()["access_token"]
    async with open_authenticator(server.settings, server.keys, server.database) as authenticator:
        app = PartnerEndpoint(PATH, {"GET"}, authenticator.authenticate, Unmetered(), echo)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://elsewhere.example") as client:
            without = await client.get(PATH)
            assert without.status_code == 401
            bearer, dpop = without.headers.get_list("www-authenticate")
            assert bearer.startswith('Bearer realm="graphql", resource_metadata=')
            assert dpop.startswith('DPoP realm="graphql", algs=')

            async def ask(given: str, scheme: str = "DPoP") -> int:
                sent = {"authorization": f"{scheme} {token}", "dpop": given}
                return (await client.get(PATH, headers=sent)).status_code

            own = f"{server.issuer}{PATH}"
            assert await ask(proof(own, token, method="GET")) == 200
            assert await ask(proof(own, token)) == 401, "another method"
            assert await ask(proof(f"{server.issuer}/graphql", token, method="GET")) == 401
            assert await ask(proof(f"http://elsewhere.example{PATH}", token, method="GET")) == 401
            assert await ask(proof(own, token, method="GET"), "Bearer") == 401
