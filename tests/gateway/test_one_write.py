"""Answers on a real socket: their head waits for nothing but the body that comes with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway import one_write
from gateway.application import Application
from gateway.one_write import JoinedTransport
from gateway.serving import listen, served

LARGE = b"0123456789abcdef" * (1 << 18)
App = Callable[[Any, Any, Any], Any]
Socket = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def answering(body: bytes) -> App:
    """Answers everything with `body`, and its path in a header."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        headers = [(b"content-length", str(len(body)).encode()), (b"x-path", scope["path"].encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


@asynccontextmanager
async def connected(app: App) -> AsyncIterator[Socket]:
    """A connection to a server of `app`."""
    paths = dict.fromkeys(("/", "/1", "/2", "/3"), app)
    async with served(Application(paths), listen("127.0.0.1", 0)) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        async with asyncio.timeout(20):
            yield reader, writer
        writer.close()


async def head_of(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def request(path: str = "/", method: str = "GET", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: gateway", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def test_the_head_of_a_stream_comes_though_nothing_follows() -> None:
    go_on = asyncio.Event()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"] == "/"
        assert (await receive())["type"] == "http.request"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await go_on.wait()
        for chunk in (b"one", b"HTTP/1.1 two", b"three"):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            go_on.clear()
            await go_on.wait()
        await send({"type": "http.response.body", "body": b""})

    async with connected(stream) as (reader, writer):
        writer.write(request())
        assert (await head_of(reader)).startswith(b"HTTP/1.1 200")
        for chunk in (b"3\r\none\r\n", b"c\r\nHTTP/1.1 two\r\n", b"5\r\nthree\r\n"):
            go_on.set()
            assert await reader.readexactly(len(chunk)) == chunk
        go_on.set()
        assert await reader.readexactly(5) == b"0\r\n\r\n"


async def test_head_is_answered_without_a_body_and_the_connection_goes_on() -> None:
    async with connected(answering(b"body")) as (reader, writer):
        for path in ("/1", "/2"):
            writer.write(request(path, "HEAD"))
            assert f"x-path: {path}".encode() in await head_of(reader)
        writer.write(request("/3"))
        assert b"x-path: /3" in await head_of(reader)
        assert await reader.readexactly(4) == b"body"


async def test_requests_that_come_together_are_answered_in_their_order() -> None:
    async with connected(answering(b"body")) as (reader, writer):
        writer.write(request("/1") + request("/2", "HEAD") + request("/3"))
        for path, body in (("/1", b"body"), ("/2", b""), ("/3", b"body")):
            assert f"x-path: {path}".encode() in await head_of(reader)
            assert await reader.readexactly(len(body)) == body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_answer_that_ends_the_connection_comes_whole(method: str) -> None:
    async with connected(answering(b"body")) as (reader, writer):
        writer.write(request("/", method, "connection: close"))
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in head
    assert body == (b"body" if method == "GET" else b"")


async def test_large_bodies_come_whole_also_to_who_takes_them_slowly() -> None:
    async with connected(answering(LARGE)) as (reader, writer):
        for _ in range(2):
            writer.write(request())
            await head_of(reader)
            await asyncio.sleep(0.05)
            assert await reader.readexactly(len(LARGE)) == LARGE


async def test_who_waits_before_sending_a_body_is_told_to_go_on() -> None:
    async with connected(answering(b"body")) as (reader, writer):
        writer.write(request("/", "POST", "content-length: 3", "expect: 100-continue"))
        assert await head_of(reader) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        assert (await head_of(reader)).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(4) == b"body"


async def test_an_answer_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []

    class Counted(JoinedTransport):
        """Notes how many parts each write has."""

        def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
            super().__init__(Counting(transport, writes), loop)

    monkeypatch.setattr(one_write, "JoinedTransport", Counted)
    async with connected(answering(b"body")) as (reader, writer):
        for _ in range(3):
            writer.write(request())
            await head_of(reader)
            await reader.readexactly(4)
    assert writes == [2, 2, 2]


class Counting:
    """A transport that notes what is written."""

    def __init__(self, transport: Any, writes: list[int]) -> None:
        self._transport = transport
        self._writes = writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._writes.append(1)
        self._transport.write(data)

    def writelines(self, parts: Any) -> None:
        self._writes.append(len(parts))
        self._transport.writelines(parts)


class Left:
    """A transport whose peer is gone: writing to it raises, as uvloop's does."""

    def is_closing(self) -> bool:
        return True

    def write(self, _: bytes) -> None:
        raise RuntimeError("the handler is closed")


async def test_the_head_for_a_peer_that_has_left_is_dropped() -> None:
    loop = asyncio.get_running_loop()
    failed: list[Any] = []
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: failed.append(context))
    try:
        JoinedTransport(Left(), loop).write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.sleep(0.01)
    finally:
        loop.set_exception_handler(before)
    assert failed == []
