"""Access tokens: a strict reading of RFC 9068 over PyJWT, and the minting of our own.

In: the text of a token, and the keys that one issuer may sign with. Out: a `VerifiedToken`, or one error
that is the same for every reason. PyJWT checks the signature and the times; what it leaves open is closed
here. No key is ever taken from the token itself.

The caller still has to ask whether the token, its client or its member has been revoked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.identity.jws import TokenRefusedError, read_claims, read_header
from gateway.keys import Keyring
from gateway.settings import Settings
from resolvers.revocations import LONGEST_TOKEN
from schema.errors import UnauthenticatedError

MAX_CLAIM_LENGTH: Final = 255
"""OpenID Connect's bound for `sub`; the ids end up in the disclosure log."""

MIN_RSA_BITS: Final = 2_048
"""NIST SP 800-131A."""

TOKEN_TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})
REQUIRED_CLAIMS: Final = ("iss", "aud", "exp", "iat", "jti", "sub", "client_id")
ASYMMETRIC: Final = frozenset({"EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256"})
"""What an issuer may be trusted with. A shared secret could be forged by whoever verifies."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key that one issuer may sign with, by one algorithm. Made by `trusted_key` and `own_keys`."""

    kid: str
    algorithm: str
    public_key: Any


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token whose signature, type, issuer, audience and times have been checked. Times in Unix seconds."""

    issuer: str
    subject: str
    client_id: str
    token_id: str
    issued_at: float
    expires_at: float
    claims: Mapping[str, Any]

    @property
    def session_id(self) -> str:
        """The sign-in that the token belongs to; empty where it names none."""
        sid = self.claims.get("sid")
        return sid if isinstance(sid, str) else ""


class KeySource(Protocol):
    """Where the keys of one issuer come from."""

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens."""

    @property
    def audience(self) -> str:
        """The `aud` by which it means us."""

    async def key(self, kid: str) -> TrustedKey | None:
        """The one key of that name, or None."""


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """Our own issuer: keys from the keyring, EdDSA only."""

    issuer: str
    keyring: Keyring

    @property
    def audience(self) -> str:
        """We issue tokens for ourselves only."""
        return self.issuer

    async def key(self, kid: str) -> TrustedKey | None:
        """The key of that name, if it verifies now, or None."""
        public_key = self.keyring.verification_keys.get(kid)
        return None if public_key is None else TrustedKey(kid, "EdDSA", public_key)


def own_issuer(settings: Settings) -> str:
    """The `iss` and `aud` of our own tokens: the public URL without its final slash."""
    return str(settings.public_url).rstrip("/")


def own_keys(settings: Settings, keyring: Keyring) -> OwnKeys:
    """Our own issuer with every key that verifies, at any moment."""
    return OwnKeys(own_issuer(settings), keyring)


def refuse(
    reason: str, told: str = "the token is not valid or not valid any more: get a new one"
) -> UnauthenticatedError:
    """The one error for every refused credential; `reason` is its cause and goes to the log only.

    `told` is another only where no credential was looked at.
    """
    error = UnauthenticatedError(told)
    error.__cause__ = TokenRefusedError(reason)
    return error


async def verify_token(token: str, sources: Sequence[KeySource], *, leeway: int) -> VerifiedToken:
    """What `token` says, once it has been verified. `leeway` in seconds, on `exp`, `nbf` and `iat`.

    1. size and shape: three parts of unpadded base64url, nothing else;
    2. header: one object without repeated names, of type `at+jwt`, without any of `REFUSED_HEADERS`;
    3. issuer: exactly one that we trust has the name in `iss` (not believed before 5);
    4. key: the issuer's only key of that `kid`, and `alg` is that key's own algorithm;
    5. signature, `iss`, `aud`, `exp`, `nbf`, `iat`, by PyJWT with that one key and algorithm;
    6. the ids in it are texts of a sensible length, and it lives no longer than `LONGEST_TOKEN`.

    Raises:
        UnauthenticatedError: any of these fails; always with the same message.
        UnavailableError: the issuer's keys cannot be fetched.
    """
    try:
        header = read_header(token, TOKEN_TYPES)  # 1, 2
        source = _source_of(read_claims(token), sources)  # 3
    except TokenRefusedError as error:
        raise refuse(str(error)) from error
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise refuse("no key named")
    key = await source.key(kid)  # 4
    if key is None:
        raise refuse("no such key")
    if header["alg"] != key.algorithm or key.algorithm not in ASYMMETRIC:
        raise refuse("algorithm is not the key's")
    claims = _verify(token, key, source, leeway)  # 5
    return _checked(claims)  # 6


def trusted_key(jwk: Any, algorithms: Sequence[str]) -> TrustedKey | None:
    """The verifying key in a JWK (RFC 7517), or None where it is for something else or too weak.

    PyJWT takes keys marked for encryption, symmetric keys and short ones: none of them comes through here.
    """
    if not isinstance(jwk, dict) or not _is_for_verifying(jwk):
        return None
    try:
        parsed = jwt.PyJWK(jwk)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if parsed.algorithm_name not in ASYMMETRIC or parsed.algorithm_name not in algorithms:
        return None
    if isinstance(parsed.key, RSAPublicKey) and parsed.key.key_size < MIN_RSA_BITS:
        return None
    return TrustedKey(jwk["kid"], parsed.algorithm_name, parsed.key)


def _is_for_verifying(jwk: dict[str, Any]) -> bool:
    kid, operations = jwk.get("kid"), jwk.get("key_ops", ["verify"])
    return (
        jwk.get("kty") in {"OKP", "EC", "RSA"}
        and "d" not in jwk
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and isinstance(kid, str)
        and 0 < len(kid) <= MAX_CLAIM_LENGTH
    )


class SubjectKind(StrEnum):
    """Whom a token of ours speaks for: a member or an officer, by id, or a partner's client, by client id.

    An officer's token is for another audience besides, so that it does not even verify where members ask.
    """

    MEMBER = "member"
    PARTNER = "partner"
    OFFICER = "officer"


@dataclass(frozen=True, slots=True)
class MintedToken:
    """A new token, with what is needed to revoke it."""

    token: str
    token_id: str
    expires_at: float


def mint(
    settings: Settings,
    keyring: Keyring,
    *,
    kind: SubjectKind,
    subject: str,
    client_id: str,
    lifetime: int | None = None,
    scopes: Sequence[str] = (),
    session_id: str | None = None,
    thumbprint: str | None = None,
    audience: str | None = None,
    now: float | None = None,
) -> MintedToken:
    """An access token of our own (RFC 9068). `lifetime` in seconds; unset: `GATEWAY_TOKEN_LIFETIME`.

    `session_id` becomes the claim `sid` (OpenID Connect Front-Channel Logout): the token ends with it.
    `thumbprint` becomes `cnf.jkt` (RFC 9449, 6.1): the token counts with proofs of that key only.
    `audience` is where it counts; unset: where members and partners ask.

    The caller has made sure that the subject may have one.
    """
    # A fraction in `iat`, so that a token issued right after a revocation is not taken for an older one.
    issued_at = time.time() if now is None else now
    expires_at = int(issued_at) + (settings.token_lifetime if lifetime is None else lifetime)
    token_id = uuid4().hex
    claims = {
        "iss": own_issuer(settings),
        "aud": own_issuer(settings) if audience is None else audience,
        "iat": issued_at,
        "exp": expires_at,
        "jti": token_id,
        "sub": subject,
        "client_id": client_id,
        "kind": kind,
        **({"scope": " ".join(scopes)} if scopes else {}),
        **({"sid": session_id} if session_id is not None else {}),
        **({"cnf": {"jkt": thumbprint}} if thumbprint is not None else {}),
    }
    key = keyring.signing_key
    headers = {"typ": "at+jwt", "kid": key.kid}
    token = jwt.encode(claims, key.private_key, algorithm="EdDSA", headers=headers)
    return MintedToken(token, token_id, expires_at)


def _source_of(claims: Mapping[str, Any], sources: Sequence[KeySource]) -> KeySource:
    found = [source for source in sources if source.issuer == claims.get("iss")]
    if len(found) != 1:
        raise TokenRefusedError("issuer is not trusted")
    return found[0]


def _verify(token: str, key: TrustedKey, source: KeySource, leeway: int) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public_key,
            algorithms=[key.algorithm],
            issuer=source.issuer,
            audience=source.audience,
            leeway=leeway,
            options={"require": list(REQUIRED_CLAIMS)},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        # The text of PyJWT's errors may quote a claim; their class says enough.
        raise refuse(type(error).__name__) from TokenRefusedError(type(error).__name__)
    return claims


def _checked(claims: dict[str, Any]) -> VerifiedToken:
    ids = [claims[name] for name in ("sub", "client_id", "jti")]
    if not all(isinstance(value, str) and 0 < len(value) <= MAX_CLAIM_LENGTH for value in ids):
        raise refuse("an id is not a text of sensible length")
    times = [claims["iat"], claims["exp"]]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in times):
        raise refuse("a time is not a number")
    if times[1] - times[0] > LONGEST_TOKEN.total_seconds():
        raise refuse("lives too long")
    subject, client_id, token_id = ids
    return VerifiedToken(claims["iss"], subject, client_id, token_id, times[0], times[1], claims)
