"""How everybody but the gateway checks a token: protocol, step 2 of `benchmarks.contestants`.

PyJWT does it, as a team would let it. What was verified is remembered by the text of the header.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

LEEWAY: Final = 30
REMEMBERED: Final = 10_000


class RefusedError(Exception):
    """The token does not count."""


@dataclass(slots=True)
class Caller:
    """Who holds a token. `standing` is the agreement and mask of a partner, once they were looked up."""

    expires_at: float
    member: UUID | None
    client: str
    standing: tuple[UUID, int] | None = None


class Callers:
    """Who sent a header `Authorization`."""

    def __init__(self) -> None:
        key = load_pem_public_key(Path(os.environ["BENCH_PUBLIC_KEY"]).read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            raise TypeError("the key is no Ed25519 key")
        self._key = key
        self._issuer = os.environ["BENCH_ISSUER"]
        self._audience = os.environ["BENCH_AUDIENCE"]
        self._known: OrderedDict[bytes, Caller] = OrderedDict()

    def of(self, authorization: bytes) -> Caller:
        """The caller with this header.

        Raises:
            RefusedError: nobody has.
        """
        known = self._known.get(authorization)
        if known is None:
            known = self._known[authorization] = self._verified(authorization)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        if time.time() >= known.expires_at + LEEWAY:
            raise RefusedError
        return known

    def _verified(self, authorization: bytes) -> Caller:
        scheme, _, text = authorization.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            raise RefusedError
        try:
            if jwt.get_unverified_header(text).get("typ") != "at+jwt":
                raise RefusedError
            claims: dict[str, Any] = jwt.decode(
                text,
                self._key,
                algorithms=["EdDSA"],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY,
                options={"require": ["iss", "aud", "exp", "sub", "client_id"]},
            )
            member = UUID(claims["sub"]) if claims.get("kind") == "member" else None
        except (jwt.PyJWTError, ValueError) as error:
            raise RefusedError from error
        return Caller(float(claims["exp"]), member, claims["client_id"])
