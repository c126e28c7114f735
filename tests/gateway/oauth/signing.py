"""What partners' programs make by themselves: keys, assertions, proofs, headers."""

from __future__ import annotations

import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_RSA: Final = rsa.generate_private_key(65_537, 2_048)
KEYS: Final[Mapping[str, Any]] = {
    "EdDSA": Ed25519PrivateKey.generate(),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "PS256": _RSA,
    "RS256": rsa.generate_private_key(65_537, 2_048),
}
"""A key for each algorithm; its `kid` is the algorithm's name in lower case."""


def public_jwk(key: Any) -> dict[str, Any]:
    """The public half of a private key, as PyJWT writes it."""
    algorithm: Any = OKPAlgorithm
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm = RSAAlgorithm
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = ECAlgorithm
    jwk: dict[str, Any] = json.loads(algorithm.to_jwk(key.public_key()))
    jwk.pop("key_ops", None)
    return jwk


def jwks(*algorithms: str) -> str:
    """A JWKS document with the keys for these algorithms."""
    keys = [public_jwk(KEYS[name]) | {"kid": name.lower(), "alg": name, "use": "sig"} for name in algorithms]
    return json.dumps({"keys": keys})


def basic(client: str, secret: str) -> dict[str, str]:
    """The header of `client_secret_basic`, as most programs write it: nothing encoded."""
    return {"authorization": "Basic " + b64encode(f"{client}:{secret}".encode()).decode()}


def sign(
    claims: Mapping[str, Any], algorithm: str = "EdDSA", headers: Mapping[str, Any] | None = None
) -> str:
    """A JWT signed with the key for the algorithm; a header of None is left out."""
    names = {"typ": "JWT", "kid": algorithm.lower(), **(headers or {})}
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        KEYS[algorithm],
        algorithm=algorithm,
        headers={name: value for name, value in names.items() if value is not None},
    )


def assertion(
    client: str,
    audience: Any,
    *,
    algorithm: str = "EdDSA",
    headers: Mapping[str, Any] | None = None,
    **claims: Any,
) -> dict[str, str]:
    """The parameters of `private_key_jwt`; a claim of None is left out."""
    now = int(time.time())
    good = {"iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + 60, "jti": uuid4().hex}
    signed = sign({**good, **claims}, algorithm, headers)
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


def proof(
    url: str,
    token: str | None = None,
    *,
    method: str = "POST",
    algorithm: str = "ES256",
    headers: Mapping[str, Any] | None = None,
    **claims: Any,
) -> str:
    """A DPoP proof for a request; a claim of None is left out."""
    good: dict[str, Any] = {"jti": uuid4().hex, "htm": method, "htu": url, "iat": int(time.time())}
    if token is not None:
        good["ath"] = urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode()
    names = {"typ": "dpop+jwt", "kid": None, "jwk": public_jwk(KEYS[algorithm]), **(headers or {})}
    return sign({**good, **claims}, algorithm, names)
