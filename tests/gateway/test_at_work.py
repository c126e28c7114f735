"""What a gateway does by itself goes on in every process that serves, the demonstration's too."""

from __future__ import annotations

import inspect
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from gateway.app import Gateway, at_work, open_gateway
from gateway.cli import demo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def test_letters_and_webhooks_go_out_while_it_works() -> None:
    running: list[str] = []

    @asynccontextmanager
    async def part(name: str) -> AsyncIterator[None]:
        running.append(name)
        yield
        running.remove(name)

    gateway = cast("Gateway", SimpleNamespace(sender=part("letters"), dispatcher=part("webhooks")))
    async with at_work(gateway):
        assert sorted(running) == ["letters", "webhooks"]
    assert running == []


def test_whoever_serves_is_at_work() -> None:
    for serves in (open_gateway, demo._demo):
        assert "at_work(gateway)" in inspect.getsource(serves)
