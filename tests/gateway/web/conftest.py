from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.app import Gateway
from gateway.settings import Settings


@pytest.fixture
async def browser(gateway: Gateway, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client that names the gateway's own origin, as a browser does with a form of its pages."""
    origin = str(settings.public_url).rstrip("/")
    transport = httpx.ASGITransport(app=gateway.app)
    async with httpx.AsyncClient(transport=transport, base_url=origin, headers={"origin": origin}) as opened:
        yield opened
