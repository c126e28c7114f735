"""Answers that must not tell by their time what was found: they all take at least as long as the slowest.

What this cannot hide is work that takes longer than the floor: so both ways do the same work as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def even_time(seconds: float) -> AsyncIterator[None]:
    """Leave not before `seconds` have passed since entering, whatever happened inside."""
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, until - clock()))
