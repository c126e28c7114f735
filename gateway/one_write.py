"""One system call for an answer: its head is sent together with the first part of its body.

uvicorn writes the head of an answer and its body one after the other, and uvloop passes each on to the kernel
at once. A system call costs as much as putting a small answer together, and the peer wakes up twice.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD: Final = b"HTTP/1."


class JoinedTransport:
    """A transport that keeps the head of an answer until something follows, or the loop turns."""

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head: bytes | None = None

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send, or keep what is the head of an answer."""
        head, self._head = self._head, None
        if head is not None:
            self._transport.writelines((head, data))
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self._send_head)  # a stream may have nothing else to say for minutes
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Send what has been kept, and close."""
        self._send_head()
        self._transport.close()

    def _send_head(self) -> None:
        head, self._head = self._head, None
        if head is not None and not self._transport.is_closing():  # the peer may have left meanwhile
            self._transport.write(head)


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol on a `JoinedTransport`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a new connection."""
        super().connection_made(JoinedTransport(transport, self.loop))  # type: ignore[arg-type]
