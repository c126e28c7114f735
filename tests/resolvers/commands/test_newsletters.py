"""An issue of the newsletter that two officers send at one moment goes out once."""

from __future__ import annotations

import asyncio

import pytest

from gateway.database import Database
from resolvers.commands.newsletters import post_newsletter
from schema.errors import InputError
from tests import world


@pytest.mark.clause("C9")
async def test_an_issue_that_is_being_sent_is_not_sent_again(own_world: Database) -> None:
    async def send() -> int:
        async with own_world.transaction() as connection:
            return await post_newsletter(connection, "Spring", "A text.", world.NOW)

    async with own_world.transaction() as connection:
        await post_newsletter(connection, "Spring", "A text.", world.NOW)
        second = asyncio.create_task(send())
        await asyncio.sleep(0.2)
    with pytest.raises(InputError, match="--again"):
        await second
    assert await own_world.app.fetchval("SELECT count(*) FROM newsletter") == 1
