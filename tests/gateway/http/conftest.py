from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from gateway.telemetry import JsonLines
from tests.gateway.http.reference import endpoint

Log = Callable[[], list[dict[str, Any]]]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the edge, without a server in between."""
    async with client(endpoint()) as opened:
        yield opened


def client(app: Any) -> httpx.AsyncClient:
    """A client of an ASGI application."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway.test")


@pytest.fixture
def log() -> Iterator[Log]:
    """What was logged since the test began, line by line, as it would be written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("gateway")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)
    logger.setLevel(level)
