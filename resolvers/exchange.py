"""What HTTP tells of a request besides its credential, and what it shall tell back besides the answer.

Nothing here decides who asks: a cookie, an address and an origin are facts to a command, and each command
says what it takes from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

NO_COOKIES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set. `max_age` in seconds; 0 removes it.

    It is sent as a `__Host-` cookie (RFC 6265bis, 4.1.3.2): Secure, for this host only, for every path.
    """

    name: str
    value: str = field(repr=False)
    max_age: int
    readable_by_scripts: bool = False


@dataclass(slots=True)
class Exchange:
    """One request and its answer, seen from HTTP.

    `ip_address` is the client's as far as trusted proxies tell. `origin_admitted` is false when a browser
    says that a page of an origin sent this which is neither ours nor in `cors_origins`: then no cookie may
    count (CSRF). `opts_out` is the Global Privacy Control (`Sec-GPC: 1`).
    """

    ip_address: str | None = None
    user_agent: str | None = None
    cookies: Mapping[str, str] = field(default_factory=lambda: NO_COOKIES, repr=False)
    origin_admitted: bool = True
    opts_out: bool = False
    idempotency_key: str | None = None
    to_set: list[Cookie] = field(default_factory=list)

    def set_cookie(self, cookie: Cookie) -> None:
        """Send this cookie with the answer; a later one of the same name counts."""
        self.to_set = [*(other for other in self.to_set if other.name != cookie.name), cookie]
