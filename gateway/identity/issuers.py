"""The keys of external issuers, fetched from their JWKS documents (RFC 7517).

In: a `kid`. Out: the issuer's key of that name. A document is fetched when there is none or it is old, and
when an unknown `kid` appears, but that at most every `MIN_REFRESH` seconds, so that made-up names cannot
make us flood the issuer. No redirect is followed, and the size of the answer is bounded.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from gateway.identity.tokens import ASYMMETRIC, TrustedKey, trusted_key
from gateway.settings import TrustedIssuer, is_loopback
from schema.errors import SettingsError, UnavailableError

MIN_REFRESH: Final = 30.0
"""Seconds between two fetches for the sake of an unknown key. Issuers announce keys well before use."""

MAX_AGE: Final = 600.0
"""Seconds after which a document is fetched again: so long is a withdrawn key still believed."""

TIMEOUT: Final = 3.0
MAX_DOCUMENT_BYTES: Final = 262_144
MAX_KEYS: Final = 100


class ExternalIssuer:
    """One trusted issuer. Not for several threads. The caller closes `client` when the program ends."""

    def __init__(
        self,
        trusted: TrustedIssuer,
        client: httpx.AsyncClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the setting as it is.

        Raises:
            SettingsError: the document would travel unencrypted, or an algorithm is a shared secret.
        """
        self.trusted = trusted
        self._url = _checked_url(trusted)
        self._client = client
        self._clock = clock
        self._keys: Mapping[str, TrustedKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetching = asyncio.Lock()

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens."""
        return self.trusted.issuer

    @property
    def audience(self) -> str:
        """The `aud` by which it means us."""
        return self.trusted.audience

    async def key(self, kid: str) -> TrustedKey | None:
        """The issuer's only key of that name, or None.

        Raises:
            UnavailableError: there is no document young enough, and fetching one fails.
        """
        if not self._has(kid):
            async with self._fetching:
                if not self._has(kid) and self._may_try():
                    await self._refresh()
        if self._clock() - self._fetched_at > MAX_AGE:
            raise UnavailableError("the issuer of the token does not answer: try again")
        return self._keys.get(kid)

    def _has(self, kid: str) -> bool:
        return kid in self._keys and self._clock() - self._fetched_at <= MAX_AGE

    def _may_try(self) -> bool:
        return self._clock() - self._tried_at >= MIN_REFRESH

    async def _refresh(self) -> None:
        """Replace the keys; a failure leaves the young enough ones in use."""
        self._tried_at = self._clock()
        try:
            async with asyncio.timeout(TIMEOUT):
                document = await self._fetch()
            keys = _read_keys(document, self.trusted.algorithms)
        except (httpx.HTTPError, TimeoutError, ValueError, RecursionError):
            return
        self._keys, self._fetched_at = keys, self._tried_at

    async def _fetch(self) -> bytes:
        body = bytearray()
        request = self._client.stream("GET", self._url, follow_redirects=False, timeout=TIMEOUT)
        async with request as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_DOCUMENT_BYTES:
                    raise ValueError
        return bytes(body)


def _read_keys(document: bytes, algorithms: tuple[str, ...]) -> Mapping[str, TrustedKey]:
    """The verifying keys by name. Of a name that stands twice, none: which one was meant nobody can say."""
    data = json.loads(document)
    if not isinstance(data, dict) or not isinstance(data.get("keys"), list) or len(data["keys"]) > MAX_KEYS:
        raise ValueError
    names = Counter(str(jwk.get("kid")) for jwk in data["keys"] if isinstance(jwk, dict))
    keys = [trusted_key(jwk, algorithms) for jwk in data["keys"]]
    return {key.kid: key for key in keys if key is not None and names[key.kid] == 1}


def _checked_url(trusted: TrustedIssuer) -> str:
    if not set(trusted.algorithms) <= ASYMMETRIC:
        raise SettingsError(
            f"`GATEWAY_TRUSTED_ISSUERS`: the algorithms may be {', '.join(sorted(ASYMMETRIC))}; no other"
        )
    if trusted.jwks_url.scheme != "https" and not is_loopback(trusted.jwks_url.host or ""):
        raise SettingsError("`GATEWAY_TRUSTED_ISSUERS`: a `jwks_url` beyond this machine has to be https")
    return str(trusted.jwks_url)
