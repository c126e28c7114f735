"""Client assertions (RFC 7523, 2.2): a JWT by which a client proves that it holds its private key.

In: the text of an assertion, and the key that the client has registered under its `kid`. Out: an `Assertion`
that was made for this authorization server and for now.

The caller still has to use up `jti`: until `expires_at` the same assertion would pass here again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import shake_256
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from gateway.identity.jws import TokenRefusedError, read_claims, read_header
from gateway.identity.public_keys import ALGORITHMS
from gateway.identity.tokens import MAX_CLAIM_LENGTH, TrustedKey

LONGEST: Final = 300
"""Seconds from `iat`, or from now, to `exp`: an assertion is made for one request."""

TYPES: Final = frozenset({"", "jwt", "client-authentication+jwt"})
"""RFC 7523 asks for no type; tokens of ours and DPoP proofs have other ones, and are none of these."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What an assertion says before it is verified: whose it is, and which key to look for."""

    client_id: str
    kid: str
    algorithm: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A verified assertion. `expires_at` in Unix seconds."""

    client_id: str
    jti: str
    expires_at: float


def read_assertion(text: str) -> Claimed:
    """Whose assertion this says it is.

    1. the outside of a JWT, with a `kid` and an algorithm that clients may sign with;
    2. `iss` and `sub` are the same text (RFC 7523, 3).

    Raises:
        TokenRefusedError: it is not so.
    """
    header = read_header(text, TYPES)  # 1
    kid, algorithm = header.get("kid"), header["alg"]
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_CLAIM_LENGTH or "\0" in kid:
        raise TokenRefusedError("no key named")
    if algorithm not in ALGORITHMS:
        raise TokenRefusedError("algorithm is not admitted")
    claims = read_claims(text)  # 2
    client_id = claims.get("iss")
    if not isinstance(client_id, str) or claims.get("sub") != client_id:
        raise TokenRefusedError("issuer and subject differ")
    return Claimed(client_id, kid, algorithm, text)


class Decoys:
    """Keys of nobody, so that an assertion of an unknown client costs what one of a known client costs."""

    def __init__(self) -> None:
        # Nobody knows the factors of this number, and verifying asks for none.
        modulus = int.from_bytes(shake_256(b"a key of nobody").digest(256)) | 1 << 2_047 | 1
        rsa = RSAPublicNumbers(65_537, modulus).public_key()
        self._keys: Mapping[str, Any] = {
            "EdDSA": Ed25519PrivateKey.generate().public_key(),
            "ES256": generate_private_key(SECP256R1()).public_key(),
            "PS256": rsa,
            "RS256": rsa,
        }

    def key(self, algorithm: str) -> TrustedKey:
        """The decoy for this algorithm."""
        return TrustedKey("", algorithm, self._keys[algorithm])


def verify_assertion(
    claimed: Claimed, key: TrustedKey | None, decoys: Decoys, *, issuer: str, now: float, leeway: int
) -> Assertion:
    """The assertion, once it has been verified with the client's key of that name; None is for no such key.

    1. the signature, by that key and its own algorithm, and `exp`, `nbf`, `iat`;
    2. `aud` is the issuer identifier and nothing else: an assertion for another server, or for any URL that
       somebody could make a client believe in, is not for us (RFC 7523bis, 4);
    3. it lives for `LONGEST` at most, and has an id.

    Raises:
        TokenRefusedError: any of these fails, or there is no key, after the same work.
    """
    usable = key is not None and key.algorithm == claimed.algorithm
    tried = key if key is not None and usable else decoys.key(claimed.algorithm)
    try:  # 1
        claims: dict[str, Any] = jwt.decode(
            claimed.text,
            tried.public_key,
            algorithms=[tried.algorithm],
            issuer=claimed.client_id,
            leeway=leeway,
            options={"require": ["iss", "sub", "aud", "exp", "jti"], "verify_aud": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise TokenRefusedError(type(error).__name__ if usable else "no such key") from None
    if not usable:
        raise TokenRefusedError("no such key")
    if claims["aud"] not in (issuer, [issuer]):  # 2
        raise TokenRefusedError("audience is another")
    jti, ends, begins = claims["jti"], claims["exp"], claims.get("iat", now)  # 3
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_CLAIM_LENGTH:
        raise TokenRefusedError("no sensible id")
    times = (ends, begins)
    if any(isinstance(time, bool) or not isinstance(time, int | float) for time in times):
        raise TokenRefusedError("a time is not a number")
    if ends - begins > LONGEST or ends - now > LONGEST + leeway:
        raise TokenRefusedError("lives too long")
    return Assertion(claimed.client_id, jti, ends + leeway)
