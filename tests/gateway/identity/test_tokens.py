from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.identity.tokens import (
    OwnKeys,
    SubjectKind,
    TrustedKey,
    mint,
    own_issuer,
    own_keys,
    trusted_key,
    verify_token,
)
from gateway.keys import Keyring
from gateway.settings import Settings
from schema.errors import UnauthenticatedError

LEEWAY = 30
NOW = int(time.time())
STRANGER = Ed25519PrivateKey.generate()


@pytest.fixture
def own(settings: Settings, keys: Keyring) -> OwnKeys:
    return own_keys(settings, keys)


def forged(
    settings: Settings,
    keys: Keyring,
    *,
    claims: Mapping[str, Any] | None = None,
    headers: Mapping[str, Any] | None = None,
    key: Ed25519PrivateKey | None = None,
) -> str:
    """A token signed with our key but for what the test changes; what the test sets to None is left out."""
    good = {
        "iss": own_issuer(settings),
        "aud": own_issuer(settings),
        "iat": NOW,
        "exp": NOW + 900,
        "jti": "j",
        "sub": "s",
        "client_id": "c",
        "kind": "member",
    }
    head = {"typ": "at+jwt", "alg": "EdDSA", "kid": keys.signing_key.kid}
    return signed(part({**head, **(headers or {})}), part({**good, **(claims or {})}), keys, key)


def signed(head: str, body: str, keys: Keyring, key: Ed25519PrivateKey | None = None) -> str:
    """By hand, because PyJWT would refuse to make some of these."""
    signature = (key or keys.signing_key.private_key).sign(f"{head}.{body}".encode())
    return f"{head}.{body}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def part(data: Mapping[str, Any] | list[Any] | str) -> str:
    if isinstance(data, Mapping):
        data = {name: value for name, value in data.items() if value is not None}
    text = data if isinstance(data, str) else json.dumps(data)
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Fixed:
    """An issuer with keys of any kind."""

    issuer: str
    keys: dict[str, TrustedKey]

    @property
    def audience(self) -> str:
        return self.issuer

    async def key(self, kid: str) -> TrustedKey | None:
        return self.keys.get(kid)


async def test_a_token_of_ours_is_accepted_and_read(settings: Settings, keys: Keyring, own: OwnKeys) -> None:
    minted = mint(
        settings, keys, kind=SubjectKind.PARTNER, subject="acme", client_id="acme", scopes=["user.name"]
    )
    token = await verify_token(minted.token, [own], leeway=LEEWAY)
    assert (token.subject, token.client_id, token.token_id) == ("acme", "acme", minted.token_id)
    assert token.expires_at == minted.expires_at
    assert token.claims["scope"] == "user.name"


FORGED_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://elsewhere.example"},
    "no issuer": {"iss": None},
    "issuer that is a list": {"iss": ["http://127.0.0.1:8000"]},
    "another audience": {"aud": "https://elsewhere.example"},
    "no audience": {"aud": None},
    "expired": {"exp": NOW - LEEWAY - 5},
    "no expiry": {"exp": None},
    "expiry that is a word": {"exp": "never"},
    "endless expiry": {"exp": float("inf")},
    "expiry that is true": {"exp": True},
    "issued in the future": {"iat": NOW + 3600},
    "not issued": {"iat": None},
    "not valid yet": {"nbf": NOW + 3600},
    "no token id": {"jti": None},
    "token id that is empty": {"jti": ""},
    "token id that is a number": {"jti": 7},
    "token id without end": {"jti": "x" * 256},
    "no subject": {"sub": None},
    "subject that is a list": {"sub": ["s"]},
    "no client": {"client_id": None},
    "client that is an object": {"client_id": {"id": "c"}},
}


@pytest.mark.parametrize("claims", FORGED_CLAIMS.values(), ids=FORGED_CLAIMS)
async def test_wrong_claims_are_refused(
    settings: Settings, keys: Keyring, own: OwnKeys, claims: dict[str, Any]
) -> None:
    with pytest.raises(UnauthenticatedError):
        await verify_token(forged(settings, keys, claims=claims), [own], leeway=LEEWAY)


FORGED_HEADERS: dict[str, dict[str, Any]] = {
    "type of another kind of token": {"typ": "JWT"},
    "type of an id token": {"typ": "id+jwt"},
    "no type": {"typ": None},
    "unknown key": {"kid": "unknown"},
    "no key": {"kid": None},
    "critical extension": {"crit": ["exp"]},
    "key by address": {"jku": "https://elsewhere.example/jwks"},
    "certificate by address": {"x5u": "https://elsewhere.example/x5u"},
    "own key": {"jwk": {"kty": "OKP"}},
    "certificate": {"x5c": []},
    "nested": {"cty": "JWT"},
    "compressed": {"zip": "DEF"},
    "encrypted": {"enc": "A256GCM"},
}


@pytest.mark.parametrize("headers", FORGED_HEADERS.values(), ids=FORGED_HEADERS)
async def test_wrong_headers_are_refused(
    settings: Settings, keys: Keyring, own: OwnKeys, headers: dict[str, Any]
) -> None:
    with pytest.raises(UnauthenticatedError):
        await verify_token(forged(settings, keys, headers=headers), [own], leeway=LEEWAY)


async def test_a_strangers_signature_is_refused(settings: Settings, keys: Keyring, own: OwnKeys) -> None:
    with pytest.raises(UnauthenticatedError):
        await verify_token(forged(settings, keys, key=STRANGER), [own], leeway=LEEWAY)


async def test_no_signature_is_refused(settings: Settings, keys: Keyring, own: OwnKeys) -> None:
    body = forged(settings, keys).split(".")[1]
    for algorithm in ("none", "None", "EdDSA"):
        head = part({"typ": "at+jwt", "alg": algorithm, "kid": keys.signing_key.kid})
        for signature in ("", "AAAA"):
            with pytest.raises(UnauthenticatedError):
                await verify_token(f"{head}.{body}.{signature}", [own], leeway=LEEWAY)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_the_public_key_as_a_shared_secret_is_refused(
    settings: Settings, keys: Keyring, own: OwnKeys
) -> None:
    secret = keys.signing_key.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    claims = jwt.decode(forged(settings, keys), options={"verify_signature": False})
    headers = {"typ": "at+jwt", "kid": keys.signing_key.kid}
    token = jwt.encode(claims, secret, algorithm="HS256", headers=headers)
    with pytest.raises(UnauthenticatedError):
        await verify_token(token, [own], leeway=LEEWAY)


@pytest.mark.parametrize(
    "change",
    {
        "padding": lambda t: t + "=",
        "padded header": lambda t: t.replace(".", "=.", 1),
        "four parts": lambda t: f"{t}.AAAA",
        "two parts": lambda t: t.rpartition(".")[0],
        "white space": lambda t: f"{t}\n",
        "standard alphabet": lambda t: t[:-4] + "+/+/",
        "too large": lambda t: t + "A" * 4_096,
        "not ASCII": lambda t: t + "é",
        "nothing": lambda _: "",
        "dots": lambda _: "..",
        "last bits changed": lambda t: t[:-1] + chr(ord(t[-1]) + 1),
        "header that is a list": lambda t: part([]) + t[t.index(".") :],
        "header that is not JSON": lambda t: part("{") + t[t.index(".") :],
        "header without end": lambda t: part("[" * 2_000) + t[t.index(".") :],
        "header with a name twice": lambda t: part('{"typ":"at+jwt","typ":"at+jwt"}') + t[t.index(".") :],
    }.items(),
    ids=lambda item: item[0],
)
async def test_malformed_tokens_are_refused(
    settings: Settings, keys: Keyring, own: OwnKeys, change: tuple[str, Any]
) -> None:
    with pytest.raises(UnauthenticatedError):
        await verify_token(change[1](forged(settings, keys)), [own], leeway=LEEWAY)


async def test_a_body_with_a_claim_twice_is_refused(settings: Settings, keys: Keyring, own: OwnKeys) -> None:
    head, body, _ = forged(settings, keys).split(".")
    claims = jwt.decode(f"{head}.{body}.AA", options={"verify_signature": False})
    twice = part(json.dumps(claims)[:-1] + ', "sub": "another"}')
    with pytest.raises(UnauthenticatedError):
        await verify_token(signed(head, twice, keys), [own], leeway=LEEWAY)


async def test_a_key_of_one_issuer_does_not_verify_for_another(
    settings: Settings, keys: Keyring, own: OwnKeys
) -> None:
    other = Fixed(
        "https://other.example", {"test-key": TrustedKey("test-key", "EdDSA", STRANGER.public_key())}
    )
    token = forged(settings, keys, key=STRANGER, headers={"kid": "test-key"})
    with pytest.raises(UnauthenticatedError):
        await verify_token(token, [own, other], leeway=LEEWAY)


async def test_the_algorithm_is_the_keys_and_not_the_tokens(settings: Settings, keys: Keyring) -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1())
    source = Fixed(own_issuer(settings), {"k": TrustedKey("k", "EdDSA", elliptic.public_key())})
    claims = jwt.decode(forged(settings, keys), options={"verify_signature": False})
    token = jwt.encode(claims, elliptic, algorithm="ES256", headers={"typ": "at+jwt", "kid": "k"})
    with pytest.raises(UnauthenticatedError):
        await verify_token(token, [source], leeway=LEEWAY)


async def test_every_refusal_reads_the_same_and_repeats_nothing(
    settings: Settings, keys: Keyring, own: OwnKeys
) -> None:
    messages = set()
    for claims in FORGED_CLAIMS.values():
        with pytest.raises(UnauthenticatedError) as caught:
            await verify_token(forged(settings, keys, claims={"canary": "4711", **claims}), [own], leeway=0)
        messages.add(str(caught.value))
        assert "4711" not in f"{caught.value!r} {caught.value.__cause__!r}"
        assert "elsewhere" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert len(messages) == 1


def jwk_of(key: Any, algorithm: Any, **changes: Any) -> dict[str, Any]:
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": "k", **changes}


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({}, True),
        ({"use": "sig"}, True),
        ({"use": "enc"}, False),
        ({"key_ops": ["verify"]}, True),
        ({"key_ops": ["encrypt"]}, False),
        ({"key_ops": "verify"}, False),
        ({"kid": None}, False),
        ({"kid": ""}, False),
        ({"alg": "HS256"}, False),
        ({"alg": "ES384"}, False),
        ({"kty": "oct", "k": "c2VjcmV0"}, False),
        ({"d": "AAAA"}, False),
        ({"x": "!"}, False),
    ],
)
def test_only_verifying_keys_of_a_trusted_algorithm_are_keys(changes: dict[str, Any], accepted: bool) -> None:
    jwk = jwk_of(ec.generate_private_key(ec.SECP256R1()), ECAlgorithm, **changes)
    assert (trusted_key(jwk, ("ES256", "EdDSA")) is not None) is accepted


def test_a_short_rsa_key_is_no_key() -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point
    assert trusted_key(jwk_of(short, RSAAlgorithm, alg="RS256"), ("RS256",)) is None


def test_an_algorithm_that_the_issuer_may_not_use_is_no_key() -> None:
    jwk = jwk_of(STRANGER, OKPAlgorithm)
    assert trusted_key(jwk, ("EdDSA",)) is not None
    assert trusted_key(jwk, ("ES256",)) is None


@pytest.mark.parametrize("jwk", [None, [], "k", {}, {"kty": "EC"}, {"kty": "EC", "kid": "k"}])
def test_what_is_no_key_is_none(jwk: object) -> None:
    assert trusted_key(jwk, ("ES256",)) is None
