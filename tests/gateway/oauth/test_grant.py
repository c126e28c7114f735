from __future__ import annotations

from typing import Any

import jwt
import pytest

from gateway.identity.tokens import own_issuer
from schema.vocabulary import AgreementStatus, ClientAuth
from tests import world
from tests.gateway.oauth.conftest import Served, refusal
from tests.gateway.oauth.signing import KEYS, assertion, basic, proof

GRANT = {"grant_type": "client_credentials"}
OWN = sorted(world.AGREEMENTS["acme"].categories)


@pytest.mark.clause("C8")
@pytest.mark.parametrize("client", ["acme-secret", "acme-key"])
async def test_a_token_is_of_rfc_9068_and_opens_what_the_agreement_gives(server: Served, client: str) -> None:
    answer = await server.token(client)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"].split(" ")) == ("Bearer", 900, OWN)
    header = jwt.get_unverified_header(body["access_token"])
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (header["typ"], header["alg"]) == ("at+jwt", "EdDSA")
    issuer = own_issuer(server.settings)
    assert (claims["iss"], claims["aud"], claims["sub"], claims["client_id"]) == (
        issuer, issuer, client, client,
    )  # fmt: skip
    page = await server.ask(body["access_token"])
    assert len(page.json()["data"]["members"]["edges"]) == 2


async def test_scopes_narrow_a_token(server: Served) -> None:
    token = await server.access("acme-secret", scope="user.name.first user.contact.email")
    within = await server.ask(token, "{ members(first: 1) { edges { node { givenName email } } } }")
    assert within.is_success
    refused = await server.ask(token, "{ members(first: 1) { edges { node { region } } } }")
    assert refused.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.clause("C8", "C10")
@pytest.mark.parametrize(
    ("scope", "named"),
    [
        ("user.name user.financial.credit_card", "`user.financial.credit_card`"),
        ("user.contact", "`user.contact`"),
        ("user.contact.phone_number", "`user.contact.phone_number`"),
        ("user.authorization.password user.nothing", "`user.authorization.password`, `user.nothing`"),
        ("user.name +15551234567", "key 2"),
        ("user.name  user.contact.email", "key 2"),
        ("Hunter2", "key 1"),
        ("USER.NAME", "key 1"),
        ("user.name\tuser.contact.email", "key 1"),
    ],
)
async def test_a_scope_beyond_the_agreement_is_refused_and_named_only_if_it_could_be_a_category(
    server: Served, scope: str, named: str
) -> None:
    answer = await server.token("acme-secret", scope=scope)
    assert refusal(answer) == {"status": 400, "error": "invalid_scope"}
    assert answer.json()["error_description"] == f"not in your agreement: {named}"


async def test_why_a_client_is_refused_stands_in_the_log_by_the_id_of_the_answer(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "gateway")
    answer = await server.post("/oauth/token", GRANT, **basic("acme-secret", "another secret"))
    assert refusal(answer) == {"status": 401, "error": "invalid_client"}
    (fields,) = (record.__dict__["fields"] for record in caplog.records if record.message == "client refused")
    assert fields == {"reason": "secret does not fit", "request_id": answer.headers["x-request-id"]}


@pytest.mark.clause("C8")
@pytest.mark.parametrize("agreement", ["acme-suspended", "bolt-begins", "acme-ended"])
async def test_an_agreement_that_is_not_in_force_gives_no_token(server: Served, agreement: str) -> None:
    name = f"{agreement}-secret"
    await server.client(name, agreement)
    assert refusal(await server.token(name)) == {"status": 400, "error": "unauthorized_client"}


async def test_an_agreement_that_is_suspended_ends_tokens_and_gives_none_until_it_counts_again(
    server: Served,
) -> None:
    name = await server.client("wish-secret", "wish")
    token = await server.access(name)
    await server.set_status("wish", AgreementStatus.SUSPENDED)
    assert refusal(await server.token(name))["error"] == "unauthorized_client"
    assert (await server.ask(token)).status_code == 401
    await server.set_status("wish", AgreementStatus.ACTIVE)
    await server.access(name)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "x"}, "unsupported_grant_type"),
        ({**GRANT, "resource": "https://elsewhere.example"}, "invalid_target"),
    ],
)
async def test_what_is_no_client_credentials_grant_is_refused(
    server: Served, form: dict[str, str], error: str
) -> None:
    answer = await server.post("/oauth/token", form, **server.basic("acme-secret"))
    assert refusal(answer) == {"status": 400, "error": error}


async def test_parameters_that_nobody_knows_are_ignored(server: Served) -> None:
    await server.access("acme-secret", audience="x", resource=server.issuer, client_id="acme-secret")


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_client_signs_with_any_of_its_keys(server: Served, algorithm: str) -> None:
    signed = assertion("acme-key", server.issuer, algorithm=algorithm)
    assert (await server.post("/oauth/token", {**GRANT, **signed})).status_code == 200


async def test_the_audience_of_an_assertion_may_be_a_list_of_the_issuer_alone(server: Served) -> None:
    signed = assertion("acme-key", [server.issuer])
    assert (await server.post("/oauth/token", {**GRANT, **signed})).status_code == 200


async def test_a_client_without_a_method_gets_no_token(server: Served) -> None:
    """Those made before there was this endpoint; `gateway token partner` still mints theirs."""
    answer = await server.post("/oauth/token", GRANT, **basic("acme", ""))
    assert refusal(answer)["error"] == "invalid_client"


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_token_that_is_bound_needs_a_proof_for_each_request(server: Served, algorithm: str) -> None:
    url = f"{server.url}/oauth/token"
    headers = {**server.basic("acme-dpop"), "dpop": proof(url, algorithm=algorithm)}
    answer = await server.post("/oauth/token", GRANT, **headers)
    body = answer.json()
    assert (answer.status_code, body["token_type"]) == (200, "DPoP")
    token = body["access_token"]
    bound = {
        "authorization": f"DPoP {token}",
        "dpop": proof(f"{server.url}/graphql", token, algorithm=algorithm),
    }
    assert (await server.ask(token, **bound)).json()["data"]["members"]
    answer = await server.ask(token, **bound)
    assert answer.status_code == 401, "a proof counts once"
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('DPoP realm="graphql", error="invalid_dpop_proof", algs="EdDSA ES256')


async def test_a_client_may_bind_a_token_though_it_does_not_have_to(server: Served) -> None:
    headers = {**server.basic("acme-secret"), "dpop": proof(f"{server.url}/oauth/token")}
    answer = await server.post("/oauth/token", GRANT, **headers)
    assert answer.json()["token_type"] == "DPoP"


async def test_a_client_that_has_to_bind_its_tokens_gets_none_without_a_proof(server: Served) -> None:
    assert refusal(await server.token("acme-dpop")) == {"status": 400, "error": "invalid_dpop_proof"}


async def test_a_client_inspects_its_own_tokens_and_no_others(server: Served) -> None:
    token, other = await server.access("acme-secret"), await server.access("acme-other")

    async def inspected(text: str) -> dict[str, Any]:
        answer = await server.post("/oauth/introspect", {"token": text}, **server.basic("acme-secret"))
        assert answer.headers["cache-control"] == "no-store"
        body: dict[str, Any] = answer.json()
        return body

    found = await inspected(token)
    assert (found["active"], found["client_id"], found["token_type"]) == (True, "acme-secret", "Bearer")
    assert found["scope"].split(" ") == OWN
    head, body, signature = token.split(".")
    for text in (other, "nonsense", f"{head}.{body}.{signature[::-1]}", f"{head}.{head}.{signature}"):
        assert await inspected(text) == {"active": False}


async def test_a_client_revokes_its_own_tokens_and_every_answer_is_the_same(server: Served) -> None:
    token, other = await server.access("acme-secret"), await server.access("acme-other")
    for text in (other, "nonsense", token, token):
        answer = await server.post("/oauth/revoke", {"token": text}, **server.basic("acme-secret"))
        assert (answer.status_code, answer.content) == (200, b"{}")
    assert (await server.ask(token)).status_code == 401
    assert (await server.ask(other)).status_code == 200
    inspected = await server.post("/oauth/introspect", {"token": token}, **server.basic("acme-secret"))
    assert inspected.json() == {"active": False}


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
async def test_only_clients_may_ask_about_tokens(server: Served, path: str) -> None:
    token = await server.access("acme-secret")
    assert refusal(await server.post(path, {"token": token}))["error"] == "invalid_client"
    assert refusal(await server.post(path, {}, **server.basic("acme-secret")))["error"] == "invalid_request"


async def test_the_metadata_names_what_is_there(server: Served) -> None:
    described = (await server.http.get("/.well-known/oauth-authorization-server")).json()
    assert described["issuer"] == server.issuer
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        answer = await server.http.post(described[name])
        assert answer.status_code == 400, "there, and asking for a form"
    published = (await server.http.get(described["jwks_uri"])).json()["keys"]
    assert [(key["kty"], key["alg"], "d" in key) for key in published] == [("OKP", "EdDSA", False)]
    token = await server.access("acme-secret")
    assert jwt.get_unverified_header(token)["kid"] in [key["kid"] for key in published]
    sealed = {"user.contact.phone_number", "user.authorization.password"}
    assert not sealed & set(described["scopes_supported"])
    resource = (await server.http.get("/.well-known/oauth-protected-resource")).json()
    assert (resource["resource"], resource["authorization_servers"]) == (server.issuer, [server.issuer])


async def test_who_is_refused_is_told_where_tokens_are_had(server: Served) -> None:
    answer = await server.ask("nonsense")
    bearer, dpop = answer.headers.get_list("www-authenticate")
    metadata = f'resource_metadata="{server.issuer}/.well-known/oauth-protected-resource"'
    assert bearer == f'Bearer realm="graphql", error="invalid_token", {metadata}'
    assert dpop.startswith("DPoP ")
    assert 'algs="EdDSA ES256 PS256 RS256"' in dpop


def test_clients_are_made_with_one_method_each() -> None:
    assert {method.value for method in ClientAuth} == {"client_secret_basic", "private_key_jwt"}
