"""`gateway serve`: the gateway on its database, until it is told to stop."""

from __future__ import annotations

from gateway.app import open_gateway
from gateway.event_loop import run
from gateway.keys import load_keyring
from gateway.serving import Tls, listen, serve
from gateway.settings import Settings, load_settings, require_tls
from gateway.telemetry import configure_logging, event


def serve_command() -> None:
    """Serve. Settings come from `GATEWAY_*`; `gateway init` and `gateway migrate` come first."""
    settings = load_settings()
    require_tls(settings)
    configure_logging()
    run(_serve(settings))


async def _serve(settings: Settings) -> None:
    listening = listen(settings.host, settings.port)
    async with open_gateway(settings, load_keyring(settings)) as gateway:
        event("serving", port=listening.getsockname()[1])
        await serve(gateway.app, listening, _tls(settings), settings.trusted_proxies)


def _tls(settings: Settings) -> Tls | None:
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return Tls(settings.tls_certificate, settings.tls_key)
