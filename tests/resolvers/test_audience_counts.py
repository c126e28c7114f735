from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from itertools import chain

import pytest

from gateway.database import Database
from policies.audience import Question
from resolvers.audience_counts import count_audience
from resolvers.connection import Link
from schema.vocabulary import AudienceDimension as By
from tests.audiences import CROWD, NOW, RULES, VOCABULARY, insert_member, question
from tests.conftest import MakeDatabase


@pytest.fixture
async def link(database: Database) -> AsyncIterator[Link]:
    async with database.transaction() as connection:
        yield connection


async def counted(link: Link, asked: Question) -> dict[tuple[str, ...], int]:
    """The groups that somebody is in."""
    exact = await count_audience(link, asked, now=NOW)
    return {cell: count for cell, count in zip(asked.cells, exact.groups, strict=True) if count}


@pytest.mark.clause("C5", "C17")
async def test_counted_are_active_members_who_are_18_or_over(link: Link) -> None:
    await insert_member(link)
    await insert_member(link, birth_date=date(2008, 11, 23))  # 18 today, everywhere on Earth
    for left_out in (
        {"birth_date": date(2008, 11, 24)},
        {"birth_date": None},
        {"status": "PENDING"},
        {"status": "INVITED"},
        {"status": "CLOSED"},
    ):
        await insert_member(link, **left_out)
    assert await counted(link, question()) == {(): 2}
    assert await counted(link, question(By.AGE_BAND)) == {("AGE_18_24",): 1, ("AGE_45_54",): 1}


@pytest.mark.clause("C5")
async def test_an_opt_out_of_sharing_keeps_nobody_out_of_a_count(link: Link) -> None:
    member_id = await insert_member(link)
    await link.execute(
        "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source)"
        " VALUES (gen_random_uuid(), $1, $2, $2, 'SHARING', 'OUT', 'GPC')",
        member_id,
        NOW,
    )
    assert await counted(link, question()) == {(): 1}


async def test_a_member_is_in_the_narrowest_region_that_is_listed(link: Link) -> None:
    for region in ("US-CA", "US-TX", "US", "DE-BY", "FR", None, "DE"):
        await insert_member(link, region=region)
    assert await counted(link, question(By.REGION)) == {
        ("DE",): 2,
        ("US",): 2,
        ("US-CA",): 1,
        ("OTHER",): 2,
    }
    assert await counted(link, question(where={By.REGION: ["US", "OTHER"]})) == {(): 4}


async def test_months_of_registration_are_those_of_utc(link: Link) -> None:
    for joined in ("2024-11-30T23:59:59", "2024-12-01", "2026-11-22", "2026-10-31T23:59:59"):
        await insert_member(link, joined_at=datetime.fromisoformat(joined).replace(tzinfo=UTC))
    assert await counted(link, question(By.JOINED)) == {
        ("EARLIER",): 1,
        ("2024-12",): 1,
        ("2026-10",): 1,
        ("2026-11",): 1,
    }
    assert await counted(link, question(where={By.JOINED: ["EARLIER", "2026-11"]})) == {(): 2}


async def test_a_member_counts_in_a_bounded_number_of_interests_whatever_is_stored(link: Link) -> None:
    await insert_member(link, interests=["chess", "chess", "go", "opera", "yoga", "sailing"])
    await insert_member(link, interests=["sailing"])
    exact = await count_audience(link, question(By.INTEREST), now=NOW)
    assert sum(exact.groups) == RULES.interests_counted == 2
    assert max(exact.groups) == 1
    assert exact.members == 2
    among = question(By.INTEREST, where={By.INTEREST: ["yoga"]})
    assert await counted(link, among) == {("yoga",): 1}
    assert await counted(link, question(where={By.INTEREST: ["yoga", "sailing"][:1]})) == {(): 1}


async def test_which_of_many_interests_count_is_spread_evenly(link: Link) -> None:
    for _ in range(200):
        await insert_member(link, interests=["chess", "go", "opera", "yoga"])
    exact = await count_audience(link, question(By.INTEREST), now=NOW)
    assert sum(exact.groups) == 400
    assert all(40 <= count <= 160 for count in exact.groups)  # 100 each, give or take eight deviations


QUESTIONS = [
    question(),
    question(By.AGE_BAND),
    question(By.REGION, By.JOINED),
    question(By.INTEREST),
    question(By.AGE_BAND, By.INTEREST),
    question(By.INTEREST, where={By.INTEREST: ["go"], By.REGION: ["US", "DE"]}),
    question(By.REGION, where={By.AGE_BAND: ["AGE_18_24", "AGE_65_PLUS"], By.JOINED: ["EARLIER"]}),
    question(where={By.INTEREST: ["chess", "opera"]}),
]


@pytest.fixture(scope="module")
async def crowd(make_database: MakeDatabase) -> AsyncIterator[Database]:
    async with make_database() as database:
        async with database.transaction() as connection:
            await connection.execute(CROWD, 60)
        yield database


@pytest.mark.clause("C5")
@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: asked.text[:60])
async def test_nobody_changes_all_counts_by_more_than_the_sensitivity(
    crowd: Database, asked: Question
) -> None:
    """Neighbouring databases, by the statement itself: each with one member less."""
    async with crowd.app.acquire() as connection:

        async def numbers() -> list[int]:
            exact = await count_audience(connection, asked, now=NOW)
            return [*exact.groups, exact.members or 0]

        whole = await numbers()
        farthest = 0
        for row in await connection.fetch("SELECT id FROM member"):
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("DELETE FROM member WHERE id = $1", row["id"])
            without = await numbers()
            await transaction.rollback()
            farthest = max(farthest, sum(abs(a - b) for a, b in zip(whole, without, strict=True)))
    assert farthest == asked.sensitivity


async def test_every_group_of_the_vocabulary_is_counted_though_nobody_is_in_it(link: Link) -> None:
    for asked in QUESTIONS:
        exact = await count_audience(link, asked, now=NOW)
        assert exact.groups == (0,) * len(asked.cells)
    assert list(chain(*question(By.REGION).cells)) == list(VOCABULARY.regions)


async def test_an_exact_count_is_not_printed(link: Link) -> None:
    await insert_member(link)
    assert "1" not in repr(await count_audience(link, question(), now=NOW))
