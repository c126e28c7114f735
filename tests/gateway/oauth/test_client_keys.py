from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from jwt.algorithms import OKPAlgorithm

from gateway.identity.public_keys import strong_key, thumbprint
from gateway.oauth.client_keys import read_jwks
from schema.errors import InputError
from tests.gateway.oauth.signing import KEYS, jwks, public_jwk

GOOD = public_jwk(KEYS["EdDSA"])


def test_a_document_of_public_keys_is_read() -> None:
    assert [key.kid for key in read_jwks(jwks(*KEYS))] == ["eddsa", "es256", "ps256", "rs256"]


def test_a_single_key_is_read_and_named_by_its_thumbprint() -> None:
    (key,) = read_jwks(json.dumps(GOOD))
    assert key.kid == thumbprint(GOOD)
    assert json.loads(key.jwk)["kid"] == key.kid


def test_a_thumbprint_is_that_of_rfc_7638() -> None:
    """The example of RFC 8037, A.3."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint(jwk) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


BAD: dict[str, Any] = {
    "nothing": "",
    "no JSON": "{",
    "a list": [],
    "no key": {"keys": []},
    "many keys": {"keys": [GOOD] * 11},
    "a private key": json.loads(OKPAlgorithm.to_jwk(KEYS["EdDSA"])),
    "a shared key": {"kty": "oct", "k": "AAAA", "kid": "k"},
    "for encryption": GOOD | {"use": "enc"},
    "for other operations": GOOD | {"key_ops": ["encrypt"]},
    "empty name": GOOD | {"kid": ""},
    "name that is a number": GOOD | {"kid": 1},
    "short RSA": public_jwk(rsa.generate_private_key(65_537, 1_024)),  # noqa: S505 - it has to be refused
    "another curve": public_jwk(ec.generate_private_key(ec.SECP384R1())),
    "Ed448": public_jwk(Ed448PrivateKey.generate()),
    "another algorithm": public_jwk(KEYS["RS256"]) | {"alg": "RS512"},
    "algorithm of another kind": GOOD | {"alg": "RS256"},
    "padded": GOOD | {"x": GOOD["x"] + "="},
    "two of one name": {"keys": [GOOD | {"kid": "k"}, public_jwk(KEYS["ES256"]) | {"kid": "k"}]},
    "one good, one bad": {"keys": [GOOD, {"kty": "EC"}]},
    "key that is a text": {"keys": ["x"]},
    "address of keys": {"jwks_uri": "https://partner.example/jwks"},
    "huge": {"keys": [GOOD | {"x": "A" * 200_000}]},
}


@pytest.mark.parametrize("document", BAD.values(), ids=BAD)
def test_any_other_document_is_refused_as_a_whole(document: Any) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(InputError, match="--jwks"):
        read_jwks(text)


def test_a_key_is_for_one_algorithm() -> None:
    rsa_key = public_jwk(KEYS["PS256"])
    assert [strong_key(rsa_key, name) is not None for name in ("PS256", "RS256", "ES256", "HS256")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert strong_key(rsa_key | {"alg": "PS256"}, "RS256") is None
