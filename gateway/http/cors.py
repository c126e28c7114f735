"""Which web pages may call from a browser (Fetch standard, CORS protocol): by setting, and none by default.

Access tokens travel in the `Authorization` header, which a page must set itself. The one cookie that counts,
the refresh token's, goes only to pages of the same site (`SameSite=Strict`), and a command that takes it
looks at the origin again (`gateway.http.exchange`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

PREFLIGHT_LIFETIME: Final = 600
"""Seconds for which a browser may remember the answer to a preflight."""


def cors(origins: Sequence[str]) -> list[Middleware]:
    """The middleware that admits these origins; without any, none, so that browsers admit no page."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "idempotency-key", "last-event-id"],
            expose_headers=["x-request-id", "www-authenticate", "retry-after"],
            allow_credentials=True,
            max_age=PREFLIGHT_LIFETIME,
        )
    ]
