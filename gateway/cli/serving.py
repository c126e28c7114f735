"""`gateway serve`: the gateway on its database, until it is told to stop."""

from __future__ import annotations

import asyncio

from gateway.app import open_gateway
from gateway.keys import load_keyring
from gateway.serving import listen, serve
from gateway.settings import Settings, load_settings
from gateway.telemetry import configure_logging, event


def serve_command() -> None:
    """Serve. Settings come from `GATEWAY_*`; `gateway init` and `gateway migrate` come first."""
    settings = load_settings()
    configure_logging()
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    listening = listen(settings.host, settings.port)
    async with open_gateway(settings, load_keyring(settings)) as gateway:
        event("serving", port=listening.getsockname()[1])
        await serve(gateway.app, listening)
