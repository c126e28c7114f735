"""`/healthz`: the process answers. `/readyz`: it can do its work now.

Comes in: named checks. Goes out: 200 or 503 and the names of what is not ready; never why, which is
in the log. Neither needs a credential, so neither says anything about data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.telemetry import failure

Check: TypeAlias = Callable[[], Awaitable[bool]]
"""Whether a part is ready: the database reachable, the authority fresh. An exception means no."""

CHECK_TIMEOUT: Final = 2.0
"""Seconds; a part that answers later is not ready."""

_HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def health_routes(checks: Mapping[str, Check]) -> list[Route]:
    """The two routes."""

    async def healthz(_: Request) -> Response:
        return _answer({"status": "ok"}, 200)

    async def readyz(_: Request) -> Response:
        ready = await asyncio.gather(*(_passes(name, check) for name, check in checks.items()))
        failing = [name for name, passed in zip(checks, ready, strict=True) if not passed]
        if failing:
            return _answer({"status": "unavailable", "failing": failing}, 503)
        return _answer({"status": "ok"}, 200)

    return [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]


async def _passes(name: str, check: Check) -> bool:
    """Whether a check passes in time."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            return await check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the part is not ready
        failure("check.failed", error, check=name)
        return False


def _answer(content: Mapping[str, object], status: int) -> Response:
    """A small JSON response."""
    return Response(orjson.dumps(content), status, headers=_HEADERS, media_type="application/json")
