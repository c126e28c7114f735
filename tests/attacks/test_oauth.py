"""Attacks on the authorization server: who is not a partner's client gets no token, and learns nothing."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from statistics import median
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.identity.jws import MAX_TOKEN_BYTES
from resolvers.commands.agreement_changes import narrow_agreement
from tests import world
from tests.databases import TestServer
from tests.gateway.oauth.conftest import Replica, Served, refusal, replica, server
from tests.gateway.oauth.signing import ASSERTION_TYPE, KEYS, assertion, basic, proof, public_jwk

__all__ = ["replica", "server"]

GRANT = {"grant_type": "client_credentials"}
INVALID_CLIENT = {"status": 401, "error": "invalid_client"}


async def asked(server: Served, signed: Mapping[str, str], **headers: str) -> dict[str, Any]:
    return dict(refusal(await server.post("/oauth/token", {**GRANT, **signed}, **headers)))


_NOW = re.compile(r'"\{now([+-][0-9]+)\}"')


def filled(claims: Mapping[str, Any], server: Served) -> dict[str, Any]:
    """The claims with what is known only when they are sent: the issuer, and what time it is then."""
    text = json.dumps(claims).replace("{issuer}", server.issuer)
    text = text.replace("{rest}", server.issuer.removeprefix("http"))
    found: dict[str, Any] = json.loads(_NOW.sub(lambda m: str(int(time.time()) + int(m[1])), text))
    return found


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "token endpoint as audience": {"aud": "{issuer}/oauth/token"},
    "issuer with a slash": {"aud": "{issuer}/"},
    "another server": {"aud": "https://elsewhere.example"},
    "issuer beside another": {"aud": ["{issuer}", "https://elsewhere.example"]},
    "issuer and token endpoint": {"aud": ["{issuer}", "{issuer}/oauth/token"]},
    "audience twice": {"aud": ["{issuer}", "{issuer}"]},
    "no audience": {"aud": None},
    "empty audience": {"aud": []},
    "audience that is an object": {"aud": {"issuer": "{issuer}"}},
    "no issuer": {"iss": None},
    "another issuer": {"iss": "acme-secret"},
    "no subject": {"sub": None},
    "another subject": {"sub": "acme-secret"},
    "no end": {"exp": None},
    "expired": {"exp": "{now-60}"},
    "an hour": {"exp": "{now+3600}"},
    "six minutes from a late begin": {"iat": "{now-200}", "exp": "{now+160}"},
    "an end that is a text": {"exp": "9999999999"},
    "an end that is infinite": {"exp": float("inf")},
    "begins later": {"nbf": "{now+120}"},
    "made in the future": {"iat": "{now+120}", "exp": "{now+180}"},
    "a begin that is a text": {"iat": "now"},
    "no id": {"jti": None},
    "empty id": {"jti": ""},
    "long id": {"jti": "x" * 256},
    "id that is a number": {"jti": 1},
    "half a character in the id": {"jti": "\ud800"},
    "an end beyond all numbers": {"exp": 10**400, "iat": None},
    "a begin that is no number": {"iat": float("nan")},
}


@pytest.mark.parametrize("claims", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
async def test_an_assertion_with_wrong_claims_is_refused(server: Served, claims: dict[str, Any]) -> None:
    own = filled(claims, server)
    signed = assertion("acme-key", own.pop("aud", server.issuer), **own)
    assert await asked(server, signed) == INVALID_CLIENT


WRONG_HEADERS: dict[str, dict[str, Any]] = {
    "no key named": {"kid": None},
    "unknown key": {"kid": "unknown"},
    "another of its keys": {"kid": "es256"},
    "key that is a path": {"kid": "../../../dev/null"},
    "key that is SQL": {"kid": "eddsa' OR '1'='1"},
    "key with a NUL": {"kid": "eddsa\0"},
    "half a character in the key": {"kid": "\ud800"},
    "type of an access token": {"typ": "at+jwt"},
    "type of a proof": {"typ": "dpop+jwt"},
    "own key": {"jwk": public_jwk(KEYS["EdDSA"])},
    "key by address": {"jku": "https://elsewhere.example/jwks"},
    "certificate": {"x5c": ["AA"]},
    "certificate by address": {"x5u": "https://elsewhere.example/x5u"},
    "critical extension": {"crit": ["exp"]},
    "compressed": {"zip": "DEF"},
}


@pytest.mark.parametrize("headers", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
async def test_an_assertion_with_a_wrong_header_is_refused(server: Served, headers: dict[str, Any]) -> None:
    assert await asked(server, assertion("acme-key", server.issuer, headers=headers)) == INVALID_CLIENT


def resigned(client: str, issuer: str, key: Any, algorithm: str, kid: str) -> dict[str, str]:
    now = int(time.time())
    claims = {"iss": client, "sub": client, "aud": issuer, "exp": now + 60, "jti": uuid4().hex}
    if algorithm == "HS256":  # by hand: PyJWT would not
        text = jwt.encode(claims, "x" * 32, algorithm=algorithm, headers={"kid": kid})
        signed = text.rpartition(".")[0]
        mac = urlsafe_b64encode(hmac.digest(key, signed.encode(), "sha256")).rstrip(b"=").decode()
        text = f"{signed}.{mac}"
    else:
        text = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}


@pytest.mark.parametrize("kid", ["eddsa", "es256", "ps256", "rs256"])
async def test_an_assertion_that_the_private_key_did_not_sign_is_refused(server: Served, kid: str) -> None:
    public = KEYS[{"eddsa": "EdDSA"}.get(kid, kid.upper())].public_key()
    raw = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    forged = [
        resigned("acme-key", server.issuer, None, "none", kid),
        resigned("acme-key", server.issuer, raw, "HS256", kid),
        resigned("acme-key", server.issuer, Ed25519PrivateKey.generate(), "EdDSA", kid),
        resigned("acme-key", server.issuer, ec.generate_private_key(ec.SECP256R1()), "ES256", kid),
        resigned("acme-key", server.issuer, ec.generate_private_key(ec.SECP384R1()), "ES384", kid),
        resigned("acme-key", server.issuer, KEYS["PS256"], "RS256", "ps256"),
    ]
    good = assertion("acme-key", server.issuer)
    head, body, signature = good["client_assertion"].split(".")
    whole = f"{head}.{body}.{signature}"
    texts = (f"{head}.{body}.", f"{head}.{body}", whole.replace(".", "=.", 1), f" {whole}", "..", "")
    forged += [good | {"client_assertion": text} for text in (*texts, "x" * (MAX_TOKEN_BYTES + 1))]
    for signed in forged:
        assert await asked(server, signed) == INVALID_CLIENT
    assert (await server.post("/oauth/token", {**GRANT, **good})).status_code == 200


async def test_an_assertion_of_another_client_is_refused(server: Served) -> None:
    """Keys are looked for under the client that the assertion names, and a client has one method."""
    for name in ("acme-secret", "acme", "nobody", "", "x" * 300, "a\0b", "\ud800"):
        assert await asked(server, assertion(name, server.issuer)) == INVALID_CLIENT


async def test_an_assertion_counts_once_in_every_replica_at_once(server: Served, replica: Replica) -> None:
    signed = assertion("acme-key", server.issuer)
    async with replica(server.database.url, like=server) as second:
        assert (await server.post("/oauth/token", {**GRANT, **signed})).status_code == 200
        for each in (second, server):
            assert await asked(each, signed) == INVALID_CLIENT
        # One that got its holder nothing is used up as well.
        signed = assertion("acme-key", server.issuer)
        answer = await second.post("/oauth/token", {**GRANT, **signed, "scope": "user.nothing"})
        assert refusal(answer)["error"] == "invalid_scope"
        assert await asked(server, signed) == INVALID_CLIENT


async def test_two_methods_at_once_are_refused(server: Served) -> None:
    signed, header = assertion("acme-key", server.issuer), server.basic("acme-secret")
    secret = {"client_secret": server.secrets["acme-secret"]}
    for form, headers in ((signed, header), ({**signed, **secret}, {}), (secret, header)):
        assert await asked(server, form, **headers) == {"status": 400, "error": "invalid_request"}


async def test_a_secret_counts_in_the_header_only(server: Served) -> None:
    own = {"client_id": "acme-secret", "client_secret": server.secrets["acme-secret"]}
    assert await asked(server, own) == INVALID_CLIENT
    answer = await server.http.post("/oauth/token", params={**GRANT, **own}, data=GRANT)
    assert refusal(answer) == {"status": 400, "error": "invalid_request"}
    answer = await server.http.post("/oauth/token?x=1", data=GRANT, headers=server.basic("acme-secret"))
    assert refusal(answer) == {"status": 400, "error": "invalid_request"}


async def test_a_client_uses_its_own_method_only(server: Served) -> None:
    for name in ("acme-key", "acme"):
        for secret in ("", "x", server.secrets["acme-secret"]):
            assert await asked(server, {}, **basic(name, secret)) == INVALID_CLIENT


async def test_a_credential_of_another_method_does_not_count_though_it_is_stored(server: Served) -> None:
    """No command stores one; a mistake in the database must not open a second way in."""
    async with server.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO client_key (client_id, kid, jwk, added_at)"
            " SELECT 'acme-other', kid, jwk, added_at FROM client_key WHERE client_id = 'acme-key'"
        )
        await connection.execute("SET LOCAL ROLE gateway_vault")
        await connection.execute(
            "INSERT INTO vault.client_secret (id, client_id, digest, created_at)"
            " SELECT gen_random_uuid(), 'acme-key', digest, created_at FROM vault.client_secret"
            " WHERE client_id = 'acme-secret'"
        )
    by_key = assertion("acme-other", server.issuer)
    by_secret = basic("acme-key", server.secrets["acme-secret"])
    assert await asked(server, by_key) == INVALID_CLIENT
    assert await asked(server, {}, **by_secret) == INVALID_CLIENT


SECRETS = ["", "x", "{secret}x", "{secret} ", "%zz", "{secret}%", "\0", "{other}", "{digest}"]


@pytest.mark.parametrize("pattern", SECRETS)
async def test_a_wrong_secret_is_refused_as_an_unknown_client_is(server: Served, pattern: str) -> None:
    secret = (
        pattern.replace("{secret}", server.secrets["acme-secret"])
        .replace("{other}", server.secrets["acme-other"])
        .replace("{digest}", "0" * 64)
    )
    names = ("acme-secret", "nobody-x")
    answers = [await server.post("/oauth/token", GRANT, **basic(name, secret)) for name in names]
    known, unknown = ({**answer.headers, "x-request-id": "", "date": ""} for answer in answers)
    assert known == unknown
    assert answers[0].content == answers[1].content
    assert refusal(answers[0]) == INVALID_CLIENT


HEADERS = [
    "Basic",
    "Basic !",
    "Basic YQ==",
    "Basic YTpi OmM=",
    "Bearer abc",
    "Digest x",
    "basic é",
    "Basic /w==",
]


@pytest.mark.parametrize("header", HEADERS)
async def test_a_header_that_is_no_basic_credential_is_refused(server: Served, header: str) -> None:
    headers = [(b"authorization", header.encode("latin-1"))]
    answer = await server.http.post("/oauth/token", data=GRANT, headers=headers)
    assert refusal(answer) == INVALID_CLIENT


async def test_ids_and_secrets_may_be_form_urlencoded_as_rfc_6749_says(server: Served) -> None:
    encoded = "".join(f"%{ord(character):02X}" for character in "acme-secret")
    secret = "".join(f"%{ord(character):02x}" for character in server.secrets["acme-secret"])
    answer = await server.post("/oauth/token", GRANT, **basic(encoded, secret))
    assert answer.status_code == 200


async def test_another_client_named_beside_the_credential_is_refused(server: Served) -> None:
    form = {"client_id": "acme-other"}
    assert await asked(server, form, **server.basic("acme-secret")) == INVALID_CLIENT
    assert await asked(server, {**form, **assertion("acme-key", server.issuer)}) == INVALID_CLIENT


BODIES: dict[str, tuple[bytes, str, int]] = {
    "grant twice": (b"grant_type=client_credentials&grant_type=client_credentials", "", 400),
    "scope twice": (b"grant_type=client_credentials&scope=user.name&scope=user.name", "", 400),
    "unknown name twice": (b"grant_type=client_credentials&a=1&a=2", "", 400),
    "JSON": (b'{"grant_type": "client_credentials"}', "application/json", 400),
    "multipart": (b"--x--", "multipart/form-data; boundary=x", 400),
    "no media type": (b"grant_type=client_credentials", "text/plain", 400),
    "no UTF-8": (b"grant_type=%ff", "", 400),
    "raw bytes": (b"grant_type=\xff", "", 400),
    "a NUL": (b"grant_type=client_credentials&scope=%00", "", 400),
    "many parameters": (b"&".join(b"a%d=1" % n for n in range(100)), "", 400),
    "huge": (b"grant_type=client_credentials&x=" + b"x" * 20_000, "", 413),
}


@pytest.mark.parametrize("case", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_no_form_is_refused(server: Served, case: tuple[bytes, str, int]) -> None:
    body, media_type, status = case
    headers = {
        **server.basic("acme-secret"),
        "content-type": media_type or "application/x-www-form-urlencoded",
    }
    answer = await server.http.post("/oauth/token", content=body, headers=headers)
    assert refusal(answer) == {"status": status, "error": "invalid_request"}


async def test_only_post_is_spoken_and_headers_are_there_once(server: Served) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await server.http.request(method, "/oauth/token", headers=server.basic("acme-secret"))
        assert (refusal(answer)["status"], answer.headers["allow"]) == (405, "POST")
    header = server.basic("acme-secret")["authorization"]
    twice = [("authorization", header), ("authorization", header)]
    answer = await server.http.post("/oauth/token", data=GRANT, headers=twice)
    assert refusal(answer) == {"status": 400, "error": "invalid_request"}


async def test_what_was_sent_is_never_repeated(server: Served) -> None:
    marker = "Zq4711canary"
    forms: list[dict[str, str]] = [
        {"grant_type": marker},
        {**GRANT, "scope": marker},
        {**GRANT, marker: marker, "resource": marker},
        {**GRANT, "client_id": marker},
        {**GRANT, "client_assertion": marker},
    ]
    for form in forms:
        answer = await server.post("/oauth/token", form, **server.basic("acme-secret"))
        assert answer.status_code in {400, 401}
        assert marker not in answer.text + str(answer.headers)


async def test_an_unknown_client_takes_as_long_as_a_known_one(server: Served) -> None:
    """Interleaved, so that the machine's mood is the same for both; the bound is generous for a busy one."""
    for algorithm in ("EdDSA", "RS256"):
        times: dict[str, list[float]] = {"acme-key": [], "nobody-y": []}
        for _ in range(15):
            for name, taken in times.items():
                signed = assertion(name, "https://elsewhere.example", algorithm=algorithm)
                started = time.perf_counter()
                await server.post("/oauth/token", {**GRANT, **signed})
                taken.append(time.perf_counter() - started)
        known, unknown = (median(taken) for taken in times.values())
        assert 0.5 < known / unknown < 2


async def test_too_many_failures_are_turned_away_and_the_right_credential_never(
    test_server: TestServer, world_template: str, replica: Replica
) -> None:
    async with test_server.database_url(world_template) as url, replica(url, sign_in_attempts=3) as running:
        await running.client("acme-flooded")
        for name in ("acme-flooded", "nobody"):
            for _ in range(3):
                assert await asked(running, {}, **basic(name, "wrong")) == INVALID_CLIENT
            answer = await running.post("/oauth/token", GRANT, **basic(name, "wrong"))
            assert refusal(answer) == {"status": 429, "error": "invalid_client"}
            assert 0 < int(answer.headers["retry-after"]) <= 60
        assert (await running.token("acme-flooded")).status_code == 200


async def test_failures_from_one_network_are_counted_together(
    test_server: TestServer, world_template: str, replica: Replica
) -> None:
    async with test_server.database_url(world_template) as url, replica(url, address_attempts=3) as running:
        answers = [await running.post("/oauth/token", GRANT, **basic(f"c{n}", "x")) for n in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


WRONG_PROOFS: dict[str, dict[str, Any]] = {
    "another method": {"htm": "GET"},
    "another path": {"htu": "{issuer}/oauth/token"},
    "another host": {"htu": "https://elsewhere.example/graphql"},
    "another scheme": {"htu": "https{rest}/graphql"},
    "no URL": {"htu": None},
    "URL that is a number": {"htu": 1},
    "old": {"iat": "{now-300}"},
    "from the future": {"iat": "{now+300}"},
    "time that is a text": {"iat": "1700000000"},
    "no time": {"iat": None},
    "no id": {"jti": None},
    "long id": {"jti": "x" * 256},
    "half a character in the id": {"jti": "\ud800"},
    "no token": {"ath": None},
    "another token": {"ath": "x" * 43},
}
STRANGER = ec.generate_private_key(ec.SECP256R1())
WRONG_PROOF_HEADERS: dict[str, dict[str, Any]] = {
    "no type": {"typ": "JWT"},
    "no key": {"jwk": None},
    "another's key": {"jwk": public_jwk(STRANGER)},
    "private half": {"jwk": public_jwk(KEYS["ES256"]) | {"d": "AA"}},
    "shared key": {"jwk": {"kty": "oct", "k": "AAAA"}},
    "key as a text": {"jwk": "x"},
    "curve that is a list": {"jwk": public_jwk(KEYS["ES256"]) | {"crv": ["P-256"]}},
    "algorithm that is a list": {"jwk": public_jwk(KEYS["ES256"]) | {"alg": ["ES256"]}},
    "critical extension": {"crit": ["exp"]},
    "key by address": {"jku": "https://elsewhere.example/jwks"},
}


async def bound(server: Served) -> str:
    headers = {**server.basic("acme-dpop"), "dpop": proof(f"{server.url}/oauth/token")}
    token: str = (await server.post("/oauth/token", GRANT, **headers)).json()["access_token"]
    return token


async def test_a_token_that_is_bound_is_worth_nothing_without_its_proof(server: Served) -> None:
    token, url = await bound(server), f"{server.issuer}/graphql"
    proofs = []
    for claims in WRONG_PROOFS.values():
        own = filled(claims, server)
        proofs.append(proof(own.pop("htu", url), token, **own))
    proofs += [proof(url, token, headers=headers) for headers in WRONG_PROOF_HEADERS.values()]
    proofs += [proof(url, token, algorithm="EdDSA"), token, "x", "x" * 5_000]
    for given in proofs:
        answer = await server.ask(token, authorization=f"DPoP {token}", dpop=given)
        assert answer.status_code == 401, given
        assert 'error="invalid_dpop_proof"' in answer.headers["www-authenticate"]
    assert (await server.ask(token, authorization=f"DPoP {token}")).status_code == 401
    assert (await server.ask(token, authorization=f"Bearer {token}")).status_code == 401
    good = proof(url + "?query=ignored#part", token)
    answer = await server.ask(token, authorization=f"Bearer {token}", dpop=good)
    assert answer.status_code == 401, "bound, sent as a bearer's"
    answer = await server.ask(token, authorization=f"DPoP {token}", dpop=good, host="elsewhere.example")
    assert answer.status_code == 200, "the host that a caller writes decides nothing"


async def test_a_bearers_token_is_not_taken_for_a_bound_one(server: Served) -> None:
    token = await server.access("acme-secret")
    given = proof(f"{server.issuer}/graphql", token)
    assert (await server.ask(token, authorization=f"DPoP {token}", dpop=given)).status_code == 401


async def test_a_proof_counts_once_in_every_replica(server: Served, replica: Replica) -> None:
    token, url = await bound(server), f"{server.issuer}/graphql"
    given = proof(url, token)
    async with replica(server.database.url, like=server) as second:
        assert (await server.ask(token, authorization=f"DPoP {token}", dpop=given)).status_code == 200
        for each in (second, server):
            answer = await each.ask(token, authorization=f"DPoP {token}", dpop=given)
            assert answer.status_code == 401
    for_tokens = proof(f"{server.url}/oauth/token")
    headers = {**server.basic("acme-dpop"), "dpop": for_tokens}
    assert (await server.post("/oauth/token", GRANT, **headers)).status_code == 200
    assert await asked(server, {}, **headers) == {"status": 400, "error": "invalid_dpop_proof"}


async def test_a_weak_key_binds_nothing(server: Served) -> None:
    weak = rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - it has to be refused
    claims = {"jti": "a", "htm": "POST", "htu": f"{server.issuer}/oauth/token", "iat": int(time.time())}
    with pytest.warns(UserWarning, match="key"):
        text = jwt.encode(
            claims, weak, algorithm="RS256", headers={"typ": "dpop+jwt", "jwk": public_jwk(weak)}
        )
    headers = {**server.basic("acme-dpop"), "dpop": text}
    assert await asked(server, {}, **headers) == {"status": 400, "error": "invalid_dpop_proof"}


@pytest.mark.clause("C8")
async def test_a_token_that_is_wider_than_its_agreement_by_now_is_not_called_so(
    test_server: TestServer, world_template: str, replica: Replica
) -> None:
    """Who inspects a token learns what it opens, not what it once did."""
    async with test_server.database_url(world_template) as url, replica(url) as running:
        await running.client("acme-narrowed")
        answer = await running.token("acme-narrowed")
        taken = answer.json()["scope"].split(" ")[0]
        async with running.database.transaction() as connection:
            await narrow_agreement(
                connection,
                running.product.matrix,
                agreement_id=world.AGREEMENTS["acme"].id,
                categories=[taken],
                now=datetime.now(UTC),
            )
        form = {"token": answer.json()["access_token"]}
        await asyncio.sleep(1.0)
        inspected = await running.post("/oauth/introspect", form, **running.basic("acme-narrowed"))
        assert inspected.json()["active"]
        assert inspected.json()["scope"].split(" ") == answer.json()["scope"].split(" ")[1:]
