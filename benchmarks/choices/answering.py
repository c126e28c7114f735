"""The application that every server serves: reads a body and a header, gives the same small answer.

    python -m benchmarks.choices.answering SERVER PORT

In: the name of a way to run uvicorn. Granian, which is a program of its own, is given `app`. It speaks ASGI,
and RSGI, the interface of Granian.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

import orjson
import uvicorn

from gateway.one_write import OneWriteProtocol

UVICORN: Final[Mapping[str, Mapping[str, Any]]] = {
    "one write": {"http": OneWriteProtocol, "loop": "uvloop"},
    "httptools": {"http": "httptools", "loop": "uvloop"},
    "h11": {"http": "h11", "loop": "uvloop"},
    "asyncio": {"http": OneWriteProtocol, "loop": "asyncio"},
}
"""By name, what uvicorn is told. The first is what `gateway serve` does."""

ANSWER: Final = orjson.dumps(
    {
        "data": {
            "me": {
                "number": "M00000001",
                "givenName": "Grace",
                "familyName": "Example",
                "email": "grace@example.org",
                "birthDate": "1980-01-01",
                "region": "GB",
                "interests": ["chess", "sailing"],
                "addresses": {
                    "edges": [{"node": {"line1": "1 High Street", "city": "Leeds", "country": "GB"}}] * 2
                },
            }
        }
    }
)
_KIND: Final = "application/json"
_HEAD: Final = (
    (b"content-type", _KIND.encode()),
    (b"content-length", str(len(ANSWER)).encode()),
    (b"cache-control", b"no-store"),
)
_RSGI_HEAD: Final = tuple((name.decode(), value.decode()) for name, value in _HEAD)


class Application:
    """The same by both interfaces. A request without a token or a document has no answer."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer by ASGI."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        token = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        status = _status(scope["method"], token.decode("latin-1"), body)
        await send({"type": "http.response.start", "status": status, "headers": _HEAD})
        await send({"type": "http.response.body", "body": ANSWER})

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer by RSGI."""
        body = await protocol()
        status = _status(scope.method, scope.headers.get("authorization") or "", body)
        protocol.response_bytes(status, _RSGI_HEAD, ANSWER)


def _status(method: str, token: str, body: bytes) -> int:
    """A look at all that came; GET asks whether the server is there."""
    if method == "GET":
        return 200
    return 200 if token.startswith("Bearer ") and "query" in orjson.loads(body) else 400


app = Application()


def main(server: str, port: int) -> None:
    """Serve until the process is ended."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        **UVICORN[server],
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
