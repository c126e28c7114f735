"""What stands in the notices after a publication, and what is taken back (C16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from gateway.policy_source import load_shipped_directory
from policies.directory import PolicyDirectory, read_directory
from resolvers.notices import PublishedNotice, published_notices
from resolvers.policy_publishing import Order, publish
from resolvers.policy_versions import Compiler, begin
from tests import world
from tests.asking import Asking

DAY = timedelta(days=1)
NOTICE_DAYS = 30
COMPILED = Compiler()
USERNAME, BIRTH_DATE = "user.account.username", "user.demographic.date_of_birth"


def sharing(*categories: str) -> PolicyDirectory:
    """The shipped policy, and these for partners' offers."""
    shipped = load_shipped_directory().files
    rules = "".join(
        f'@id("r{number}") @clause("C8") @text("x") permit (principal == Basis::"STRATEGIC",'
        ' action in [Action::"share", Action::"presume"], resource) when'
        ' { context.purpose == Purpose::"PARTNER_OFFERS" && !context.protected &&'
        f' resource in DataCategory::"{category}" }};\n'
        for number, category in enumerate(categories)
    )
    return read_directory({**shipped, "sharing.cedar": shipped["sharing.cedar"] + rules})


async def after(asking: Asking, *versions: tuple[datetime, PolicyDirectory]) -> Sequence[PublishedNotice]:
    """The notices that everybody reads after these publications."""
    async with asking.database.transaction() as connection:
        await begin(connection, load_shipped_directory(), world.NOW)
        for at, directory in versions:
            await publish(connection, COMPILED, Order(directory, "olga", NOTICE_DAYS), at)
        return await published_notices(connection, versions[-1][0])


@pytest.mark.clause("C16")
async def test_of_what_was_announced_the_part_that_was_taken_back_stands_there_no_more(
    asking_alone: Asking,
) -> None:
    """What is left keeps its day, and says since when it stands there."""
    later = world.NOW + 10 * DAY
    (notice,) = await after(
        asking_alone, (world.NOW, sharing(USERNAME, BIRTH_DATE)), (later, sharing(USERNAME))
    )
    assert notice.categories == [USERNAME]
    assert "birth date" not in notice.body
    assert (notice.published_at, notice.effective_at) == (world.NOW, world.NOW + NOTICE_DAYS * DAY)
    async with asking_alone.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT version, withdrawn_at, mailing_id = (SELECT id FROM notice_mailing) FROM notice"
            " ORDER BY id"
        )
        covered = "the link in the mail covers it, and whoever is mailed from now on is told what is left"
        assert [tuple(row) for row in rows] == [(2, later, True), (2, None, True)], covered
