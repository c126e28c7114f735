"""The watch over a request: its deadline, its caller, and that it leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from gateway.http.watch import Watch, Watches

SOON = 0.02
LATE = 60.0


class Connection:
    """A caller who leaves when told to; `asked` counts how often anybody listened."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.asked = 0

    async def receive(self) -> MutableMapping[str, Any]:
        """The next message: that the caller has left."""
        self.asked += 1
        await self.left.wait()
        return {"type": "http.disconnect"}


async def answered_never(watch: Watch) -> None:
    """A request whose body is there, and whose answer never is."""
    with watch:
        watch.body_is_read()
        await asyncio.Event().wait()


async def test_what_takes_too_long_is_ended_at_its_deadline() -> None:
    connection = Connection()
    watch = Watches(SOON).over(connection.receive)
    with pytest.raises(TimeoutError):
        await answered_never(watch)
    assert not watch.caller_is_gone


async def test_a_body_that_does_not_come_is_ended_too_and_nobody_else_reads_the_connection() -> None:
    connection = Connection()
    with pytest.raises(TimeoutError), Watches(SOON).over(connection.receive):
        await asyncio.Event().wait()
    assert connection.asked == 0


async def test_what_nobody_waits_for_any_more_is_ended() -> None:
    connection = Connection()
    watch = Watches(LATE).over(connection.receive)
    connection.left.set()
    with pytest.raises(TimeoutError):
        await answered_never(watch)
    assert watch.caller_is_gone


async def test_a_body_that_comes_late_is_followed_by_listening_for_the_caller() -> None:
    connection = Connection()
    watch = Watches(0.5).over(connection.receive)
    connection.left.set()

    async def request() -> None:
        with watch:
            await asyncio.sleep(0.2)
            assert connection.asked == 0
            watch.body_is_read()
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await request()
    assert watch.caller_is_gone


async def test_what_is_short_costs_no_task_and_nobody_listens() -> None:
    connection = Connection()
    watches = Watches(LATE)
    before = asyncio.all_tasks()
    for _ in range(100):
        with watches.over(connection.receive) as watch:
            watch.body_is_read()
            await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert connection.asked == 0


async def test_who_cancels_a_request_is_not_told_that_its_time_was_up() -> None:
    entered = asyncio.Event()

    async def request() -> None:
        with Watches(LATE).over(Connection().receive):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(request())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_at_the_deadline_is_kept() -> None:
    async def request() -> None:
        with Watches(SOON).over(Connection().receive):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                current = asyncio.current_task()
                assert current is not None
                current.cancel()  # by somebody else, before the first one was seen
                raise

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(request())


async def test_an_error_inside_passes_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), Watches(LATE).over(Connection().receive):
        raise ZeroDivisionError


async def test_looking_ends_when_nothing_is_under_way() -> None:
    watches = Watches(SOON)
    with watches.over(Connection().receive):
        pass
    await asyncio.sleep(10 * SOON)
    assert watches._timer is None
    with pytest.raises(TimeoutError), watches.over(Connection().receive):
        await asyncio.Event().wait()
