from __future__ import annotations

import asyncio
import socket
from contextlib import closing

import pytest

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


def test_a_port_in_use_is_named_with_what_to_do() -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(UnavailableError, match=f"port {port}.*GATEWAY_PORT"):
            listen("127.0.0.1", port)
