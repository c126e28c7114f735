"""`/.well-known/gpc.json`: that this site honours the Global Privacy Control (W3C GPC, "Support Resource").

Comes in: nothing. Goes out: a constant.
"""

from __future__ import annotations

from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

LAST_UPDATE: Final = "2026-11-24"
"""The date since which `Sec-GPC: 1` counts here as it does now."""

_HEADERS: Final = {"cache-control": "public, max-age=86400", "x-content-type-options": "nosniff"}


def well_known_routes() -> list[Route]:
    """The one route."""

    async def gpc(_: Request) -> Response:
        content = orjson.dumps({"gpc": True, "lastUpdate": LAST_UPDATE})
        return Response(content, headers=_HEADERS, media_type="application/json")

    return [Route("/.well-known/gpc.json", gpc, methods=["GET"])]
