"""The ASGI application: what is asked most goes straight to its endpoint, Starlette routes the rest.

Starlette's layers (errors, exceptions, routing) cost a small read a tenth of its processor time, and give an
endpoint nothing that answers every error itself and reads the scope itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send


class Application(Starlette):
    """`straight` maps paths to their endpoints, which are among the routes as well.

    A page of another origin goes through the middleware, which says what browsers ask (CORS).
    """

    def __init__(self, straight: Mapping[str, ASGIApp], **options: Any) -> None:
        super().__init__(**options)
        self._straight = dict(straight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or whatever else the server has to say."""
        if scope["type"] == "http":
            endpoint = self._straight.get(scope["path"])
            if endpoint is not None and not (
                self.user_middleware and any(name == b"origin" for name, _ in scope["headers"])
            ):
                await endpoint(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
