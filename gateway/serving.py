"""Serves a Starlette application with uvicorn, and stops when it is told to.

uvicorn with uvloop and httptools; its own access log is off (ours names no value of a request), and it
announces neither itself nor a version.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette

from gateway.one_write import OneWriteProtocol
from gateway.telemetry import REQUESTS
from schema.errors import UnavailableError

GRACE: Final = 5
"""Seconds that requests under way are given when the gateway stops."""

COLLECT_AFTER: Final = 50_000
"""New objects, less those that are gone, after which the collector looks through the new ones: see
docs/performance.md."""

UNTAKEN: Final = 90
"""Seconds after which a connection is closed whose peer takes nothing of what was sent. Without it, one that
was cut off would stay as long as the peer likes, with what it has not taken."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        UnavailableError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns off Nagle's algorithm only for a socket that says it is TCP: otherwise the second of two
    # writes waits 40 ms for the peer's delayed acknowledgement (RFC 1122, 4.2.3.2).
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux; connections inherit it
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNTAKEN * 1_000)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UnavailableError(
            f"cannot listen on port {port}: is another gateway running? set `GATEWAY_PORT` to another port"
        ) from error
    listening.listen(socket.SOMAXCONN)
    listening.setblocking(False)
    return listening


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate chain and its key, as PEM files."""

    certificate: Path
    key: Path


def _server(app: Starlette, tls: Tls | None = None, proxies: Sequence[str] = ()) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=OneWriteProtocol,
            ssl_certfile=None if tls is None else tls.certificate,
            ssl_keyfile=None if tls is None else tls.key,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            lifespan="off",
            timeout_graceful_shutdown=GRACE,
        )
    )


def _end_streams(app: Starlette) -> None:
    """Streams would go on for as long as they may: they are told that there is an end."""
    closing = getattr(app.state, "closing", None)
    if closing is not None:
        closing()


async def serve(
    app: Starlette, listening: socket.socket, tls: Tls | None = None, proxies: Sequence[str] = ()
) -> None:
    """Serve until SIGINT or SIGTERM; a second one does not wait for requests under way.

    `proxies` are believed when they tell the address of a client.
    """
    server = _server(app, tls, proxies)

    def stop() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True
        _end_streams(app)

    # uvicorn would raise the signal again after it has stopped; here a stop that was asked for is no error.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    # What has been made so far stays for good: the collector need not look through it again and again, nor as
    # often as it would, since a large answer is made of tens of thousands of objects and leaves no cycles.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 100)
    try:
        async with REQUESTS:
            await server.serve(sockets=[listening])
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def served(app: Starlette, listening: socket.socket) -> AsyncIterator[str]:
    """Serve as long as the context is open; gives the base URL."""
    server = _server(app)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(server.serve(sockets=[listening]))
    host, port = listening.getsockname()[:2]
    try:
        while not server.started:
            if task.done():
                await task
                raise UnavailableError("the server did not start")
            await asyncio.sleep(0.01)
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        _end_streams(app)
        await task
