"""Reads the facts of a request that commands may take into account, and writes the cookies that they set.

The address is the connection's, or what a trusted proxy says (`trusted_proxies`, applied by the server).
An origin is compared with those admitted, and never with the `Host` header, which the caller writes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from gateway.http.reading import Headers, Scope
from gateway.refusals import Code, refused
from resolvers.exchange import NO_COOKIES, Cookie, Exchange

MAX_COOKIES: Final = 8_192
"""Bytes of cookies that are looked at. Ours have under 500."""

MAX_USER_AGENT: Final = 300
MAX_IDEMPOTENCY_KEY: Final = 255
PREFIX: Final = "__Host-"


def read_exchange(scope: Scope, origins: Collection[str], headers: Headers | None = None) -> Exchange:
    """The facts of this request. `origins` are admitted.

    Raises:
        RequestRefused: a header is there twice, or `Idempotency-Key` is no key.
    """
    headers = headers or Headers(scope)
    client = scope.get("client")
    agent = headers.get(b"user-agent")
    origin = headers.get(b"origin")
    return Exchange(
        ip_address=client[0] if client else None,
        user_agent=None if agent is None else _printable(agent)[:MAX_USER_AGENT],
        cookies=_cookies(headers),
        origin_admitted=_is_admitted(origin, headers.get(b"sec-fetch-site"), origins),
        opts_out=headers.get(b"sec-gpc") == "1",
        idempotency_key=_idempotency_key(headers.get(b"idempotency-key")),
    )


def set_cookie_headers(exchange: Exchange) -> list[tuple[bytes, bytes]]:
    """A `Set-Cookie` header for each cookie that the commands set."""
    return [(b"set-cookie", _written(cookie).encode("ascii")) for cookie in exchange.to_set]


def origin_of(url: str) -> str:
    """The origin of a URL (RFC 6454), as browsers write it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _written(cookie: Cookie) -> str:
    http_only = "" if cookie.readable_by_scripts else "; HttpOnly"
    return (
        f"{PREFIX}{cookie.name}={cookie.value}; Path=/; Max-Age={cookie.max_age}; Secure{http_only};"
        " SameSite=Strict"
    )


def _cookies(headers: Headers) -> Mapping[str, str]:
    """Our own cookies by name, without their prefix. Browsers may send them in several headers (HTTP/2).

    Read as RFC 6265bis, 5.7.3 writes them: what others put into theirs does not keep ours from being found.
    """
    raw = headers.joined(b"cookie", "; ")
    if raw is None or len(raw) > MAX_COOKIES:
        return NO_COOKIES
    pairs = (pair.partition("=") for pair in raw.split(";"))
    named = ((name.strip(), value.strip()) for name, _, value in pairs)
    return MappingProxyType(
        {name.removeprefix(PREFIX): value for name, value in named if name.startswith(PREFIX)}
    )


def _is_admitted(origin: str | None, site: str | None, origins: Collection[str]) -> bool:
    """Whether a page of ours, of an admitted origin, or no page at all sent this.

    Browsers name the origin with every POST (Fetch standard); a client that is none names nothing.
    """
    if origin is None:
        return site in {None, "same-origin", "none"}
    return origin.lower() in origins


def _idempotency_key(value: str | None) -> str | None:
    if value is None:
        return None
    key = value.strip('"')
    if not 0 < len(key) <= MAX_IDEMPOTENCY_KEY or not key.isascii() or not key.isprintable():
        message = f"`Idempotency-Key`: 1 to {MAX_IDEMPOTENCY_KEY} printable characters, such as a random UUID"
        raise refused(Code.BAD_REQUEST, message)
    return key


def _printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(character for character in text if character.isascii() and character.isprintable())
