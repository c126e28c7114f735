"""HTTP by hand: what is sent is exactly what is written here, and what comes back is kept to the byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from tests.canaries import WATCH

PATIENCE: Final = 90
"""Seconds for an answer on a busy machine."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came: the status line, the headers in their order, the body."""

    status_line: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def status(self) -> int:
        return int(self.status_line.split(b" ")[1])

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def codes(self) -> list[str]:
        """The codes of all errors."""
        return [error["extensions"]["code"] for error in self.json.get("errors", ())]

    def header(self, name: bytes) -> bytes | None:
        return dict(self.headers).get(name)


class Line:
    """One connection, kept alive."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def request(
        self, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> Answer:
        """Send a request with its length, and wait for the answer."""
        lines = [
            f"{method} {target} HTTP/1.1",
            "host: gateway.test",
            *(f"{name}: {value}" for name, value in headers),
        ]
        if body or method == "POST":
            lines.append(f"content-length: {len(body)}")
        return await self.raw("\r\n".join([*lines, "", ""]).encode() + body)

    async def ask(self, query: str, token: str | None = None, **parameters: Any) -> Answer:
        """A GraphQL request by POST."""
        body = json.dumps({"query": query, **parameters}).encode()
        headers = [("content-type", "application/json"), ("accept", "application/graphql-response+json")]
        if token is not None:
            headers.append(("authorization", f"Bearer {token}"))
        return await self.request("POST", "/graphql", headers, body)

    async def raw(self, data: bytes) -> Answer:
        """Send these very bytes, and wait for one answer."""
        self._writer.write(data)
        async with asyncio.timeout(PATIENCE):
            head = await self._reader.readuntil(b"\r\n\r\n")
            status_line, *lines = head[:-4].split(b"\r\n")
            headers = tuple(
                (name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)
            )
            length = dict(headers).get(b"content-length")
            body = (
                await self._reader.read() if length is None else await self._reader.readexactly(int(length))
            )
        WATCH.leave_headers("headers", headers)
        WATCH.leave("answer", body)
        return Answer(status_line, headers, body)

    async def rest(self) -> bytes:
        """What else comes until the server closes the connection."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read()


@asynccontextmanager
async def connected(base_url: str) -> AsyncIterator[Line]:
    """A connection to the server."""
    parts = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**24)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
