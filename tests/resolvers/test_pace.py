from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest

from resolvers.pace import even_time

FLOOR = 0.05


@pytest.mark.parametrize("fails", [False, True])
async def test_whatever_happens_inside_takes_as_long_at_least(fails: bool) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    with pytest.raises(ValueError, match="inside") if fails else nullcontext():
        async with even_time(FLOOR):
            if fails:
                raise ValueError("inside")
    assert clock() - began >= FLOOR


async def test_what_takes_longer_is_not_made_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with even_time(0.0):
        monkeypatch.setattr(asyncio, "sleep", sleep)
    assert slept == [0.0]
