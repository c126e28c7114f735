from __future__ import annotations

import asyncio
import socket
from contextlib import closing, suppress

import pytest

from gateway import serving
from gateway.serving import listen
from schema.errors import UnavailableError


async def test_small_answers_are_not_held_back() -> None:
    """An answer is written in two parts: with Nagle's algorithm the second waits for an acknowledgement."""
    delayed: list[int] = []

    def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        delayed.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listening = listen("127.0.0.1", 0)
    async with await asyncio.start_server(connected, sock=listening):
        reader, writer = await asyncio.open_connection(*listening.getsockname()[:2])
        await reader.read()
        writer.close()

    assert delayed == [1]


async def test_a_peer_that_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "UNTAKEN", 1)
    lost = asyncio.Event()

    async def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 10_000_000)
        with suppress(OSError):
            await writer.drain()
        writer.close()
        lost.set()

    listening = listen("127.0.0.1", 0)
    peer = socket.socket()
    with closing(peer):
        peer.setblocking(False)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        async with await asyncio.start_server(connected, sock=listening), asyncio.timeout(10):
            await asyncio.get_running_loop().sock_connect(peer, listening.getsockname()[:2])
            await lost.wait()


def test_a_port_in_use_is_named_with_what_to_do() -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(UnavailableError, match=f"port {port}.*GATEWAY_PORT"):
            listen("127.0.0.1", port)
