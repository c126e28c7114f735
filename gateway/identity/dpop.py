"""DPoP proofs (RFC 9449): that whoever sends a request holds the key that a token is bound to.

In: the header `DPoP`, and the request that it has to be for. Out: a `Proof`, whose key has signed exactly
this method, URL and token a moment ago. Server nonces are left out: `iat` has to be near, and each proof
counts once.

The caller still has to compare `thumbprint` with the token's `cnf.jkt`, and to use up `jti`
(`resolvers.client_credentials.use_once`): until `expires_at` the same proof would pass here again.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final
from urllib.parse import urlsplit

import jwt

from gateway.identity.jws import REFUSED_HEADERS, TokenRefusedError, read_claims, read_header
from gateway.identity.public_keys import strong_key, thumbprint
from gateway.identity.tokens import MAX_CLAIM_LENGTH

PROOF_AGE: Final = 60
"""Seconds. A proof is made for one request; so long may it be under way. The clocks' leeway comes on top."""

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that has been verified. `expires_at` in Unix seconds: after it, its age refuses it."""

    thumbprint: str
    jti: str
    expires_at: float


def verify_proof(proof: str, *, method: str, url: str, token: str | None, now: float, leeway: int) -> Proof:
    """What `proof` proves for a request of `method` to `url`, sent with `token`, if there is one yet.

    1. a JWT of type `dpop+jwt`, with a public key in its header and nothing else that decides on verifying;
    2. the key is strong, and the signature is its own;
    3. `htm` and `htu` are this request's: `url` is the configured one, never made of the `Host` header;
    4. `iat` is near, `jti` is there;
    5. `ath` is the digest of this very token.

    Raises:
        TokenRefusedError: any of these fails.
    """
    header = read_header(proof, {"dpop+jwt"}, REFUSED_HEADERS - {"jwk"})  # 1
    name = thumbprint(header.get("jwk"))
    key = None if name is None else strong_key(header["jwk"], header["alg"])
    if name is None or key is None:
        raise TokenRefusedError("proof without a usable key")
    read_claims(proof)
    try:  # 2
        claims: dict[str, Any] = jwt.decode(
            proof,
            key.public_key,
            algorithms=[key.algorithm],
            leeway=leeway,
            options={"require": ["jti", "htm", "htu", "iat"], "verify_aud": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise TokenRefusedError(f"proof: {type(error).__name__}") from None
    if claims["htm"] != method or _resource(claims["htu"]) != _resource(url):  # 3
        raise TokenRefusedError("proof is for another request")
    jti, issued_at = claims["jti"], claims["iat"]  # 4
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_CLAIM_LENGTH:
        raise TokenRefusedError("proof without a sensible id")
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
        raise TokenRefusedError("proof without a sensible time")
    if not now - PROOF_AGE - leeway <= issued_at <= now + leeway:
        raise TokenRefusedError("proof is of another time")
    if token is not None and not _names(claims.get("ath"), token):  # 5
        raise TokenRefusedError("proof is for another token")
    return Proof(name, jti, issued_at + PROOF_AGE + leeway)


def _names(digest: Any, token: str) -> bool:
    """Whether `ath` is the token's digest."""
    expected = urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=")
    return isinstance(digest, str) and digest.isascii() and compare_digest(digest.encode(), expected)


def _resource(url: Any) -> tuple[str, str, int | None, str] | None:
    """A URL without query and fragment (RFC 9449, 4.3), its scheme, host and port written in one way."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.username is not None or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or _PORTS.get(parts.scheme), parts.path
