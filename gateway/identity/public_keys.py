"""Public keys that others sign with, as JWKs (RFC 7517): only strong ones, for one algorithm each.

In: a JWK of a partner, from an officer's file or from a DPoP proof. Out: a `TrustedKey`, or None.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from gateway.identity.tokens import TrustedKey, trusted_key

ALGORITHMS: Final = ("EdDSA", "ES256", "PS256", "RS256")
"""What partners may sign with: one of each family (RFC 8725, 3.2). RSA keys have 2,048 bits or more."""

_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
)
"""What a thumbprint is made of (RFC 7638, 3.2; RFC 8037, 2)."""

_CURVES: Final = (("EC", "P-256"), ("OKP", "Ed25519"), ("RSA", None))
"""No set: what a stranger wrote there may be of any type."""
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")


def thumbprint(jwk: Any) -> str | None:
    """The SHA-256 thumbprint of a public key (RFC 7638), or None if it is none of a kind that we take."""
    if not isinstance(jwk, dict):
        return None
    members = {name: jwk.get(name) for name in _MEMBERS.get(str(jwk.get("kty")), ())}
    texts = [value for name, value in members.items() if name not in {"kty", "crv"}]
    if not texts or not all(isinstance(value, str) and _BASE64URL.fullmatch(value) for value in texts):
        return None
    if (jwk["kty"], members.get("crv")) not in _CURVES:
        return None
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return urlsafe_b64encode(sha256(canonical.encode()).digest()).rstrip(b"=").decode()


def strong_key(jwk: Any, algorithm: str | None = None) -> TrustedKey | None:
    """The verifying key in a JWK, named by its `kid` or else by its thumbprint; None if it is not to be used.

    `algorithm` is the one that it is wanted for; without, the JWK's own, and RS256 for RSA.
    """
    name = thumbprint(jwk)
    if name is None:
        return None
    wanted = {} if algorithm is None else {"alg": algorithm}
    if "alg" in jwk and algorithm not in (None, jwk["alg"]):
        return None
    return trusted_key({"kid": name, **jwk, **wanted}, ALGORITHMS)
