"""The event loop of what serves: uvloop where there is one (not on Windows), else asyncio's own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end, as `asyncio.run` does."""
    try:
        import uvloop  # noqa: PLC0415 - absent where it cannot be built
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)
