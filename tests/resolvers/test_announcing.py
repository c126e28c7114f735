"""The mail about notices: every member once, whoever works on it, while there is anything to tell (C16)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

import resolvers.announcing
from policies.notice_texts import draft_transfer
from resolvers.announcing import Occasion, announce, mail_more, mail_notices, unfinished_mailings, withdraw
from resolvers.connection import Link
from resolvers.officers.transfers import cancel_transfer
from resolvers.outbox import MailFacts, read_mail
from schema.categories import DataCategory
from schema.tables.mail import LetterKind
from schema.vocabulary import Language
from tests import world
from tests.asking import Asking
from tests.resolvers.officers.test_transfers import act, approved, upkeep

SOON = world.NOW + timedelta(days=30)


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolvers.announcing, "MAILED", 2)


async def announced(asking: Asking, language: Language = Language.EN) -> UUID:
    """A notice with a mailing that nobody has moved on yet; the mailing."""
    async with asking.database.transaction() as connection:
        occasion = Occasion(world.NOW, SOON, language, LetterKind.BUSINESS_TRANSFER)
        await announce(connection, [draft_transfer("Bolt", [DataCategory.NAME], SOON)], occasion)
        (mailing_id,) = await unfinished_mailings(connection)
    return mailing_id


async def everybody(asking: Asking) -> list[UUID]:
    rows = await asking.database.app.fetch(
        "SELECT id FROM member WHERE status = 'ACTIVE' AND email IS NOT NULL ORDER BY id"
    )
    return [row["id"] for row in rows]


async def mailed(asking: Asking) -> list[UUID]:
    rows = await asking.database.app.fetch(
        "SELECT member_id FROM outgoing_mail WHERE mailing_id IS NOT NULL ORDER BY member_id"
    )
    return [row["member_id"] for row in rows]


async def some_more(asking: Asking, mailing_id: UUID) -> None:
    async with asking.database.transaction() as connection:
        await mail_more(connection, mailing_id, asking.now)


async def facts_of(asking: Asking, member_id: UUID) -> MailFacts:
    async with asking.database.transaction() as connection:
        mail_id = await connection.fetchval("SELECT id FROM outgoing_mail WHERE member_id = $1", member_id)
        facts = await read_mail(connection, mail_id, asking.now)
    assert facts is not None
    return facts


@pytest.mark.clause("C8", "C9", "C16", "C17")
async def test_a_transfer_is_mailed_to_every_member_whatever_age_or_choice(asking_alone: Asking) -> None:
    """Upkeep alone: as after an approval by the contract."""
    asking = asking_alone
    await approved(asking)
    while await asking.database.app.fetchval("SELECT finished_at FROM notice_mailing") is None:
        await upkeep(asking)
    assert await mailed(asking) == await everybody(asking)
    reached = {person.name.lower() for person in world.PEOPLE if person.id in await mailed(asking)}
    # Under 18 and of unknown age, who may come of age before or after; who opted out of everything.
    assert {"cid", "dot", "gus"} <= reached
    facts = await facts_of(asking, world.person("ada").id)
    assert facts.announcement is not None
    assert (facts.kind, facts.announcement.refusable) == (LetterKind.BUSINESS_TRANSFER, False)
    assert "Bolt takes over" in facts.announcement.notices[0].title


@pytest.mark.clause("C16")
async def test_several_processes_at_once_of_which_one_dies_mail_each_member_once(
    asking_alone: Asking,
) -> None:
    asking, left = asking_alone, iter([True, True, False])

    @asynccontextmanager
    async def dying() -> AsyncIterator[Link]:
        async with asking.database.transaction() as connection:
            yield connection
            if not next(left):
                raise ConnectionError  # all was written, and is not committed

    await announced(asking)
    done = await asyncio.gather(
        *(mail_notices(asking.database.transaction, lambda: asking.now) for _ in range(3)),
        mail_notices(dying, lambda: asking.now),
        return_exceptions=True,
    )
    assert await mailed(asking) == await everybody(asking)
    # Who comes when all has been done has done nothing.
    assert {one for one in done if isinstance(one, int)} - {0} == {len(await everybody(asking))}
    assert await mail_notices(asking.database.transaction, lambda: asking.now) == 0, "nothing is left to do"


@pytest.mark.clause("C8", "C16")
async def test_a_transfer_that_is_called_off_is_told_to_nobody_any_more(asking_alone: Asking) -> None:
    asking = asking_alone
    transfer_id = await approved(asking)  # one round of upkeep: the first two are in the outbox
    reached = await mailed(asking)
    assert len(reached) == 2
    assert not (await facts_of(asking, reached[0])).superseded
    await act(asking, "otto", cancel_transfer, transfer_id)
    assert (await facts_of(asking, reached[0])).superseded, "dropped when it is sent"
    await upkeep(asking)
    assert await mailed(asking) == reached
    assert await asking.database.app.fetchval("SELECT finished_at FROM notice_mailing") is not None


async def test_what_is_taken_back_in_part_is_told_in_the_rest(asking_alone: Asking) -> None:
    asking = asking_alone
    async with asking.database.transaction() as connection:
        drafts = [draft_transfer(name, [DataCategory.NAME], SOON) for name in ("Bolt", "Heir")]
        occasion = Occasion(world.NOW, SOON, Language.EN, LetterKind.BUSINESS_TRANSFER)
        first, _ = await announce(connection, drafts, occasion)
        await withdraw(connection, [first], asking.now)
    await mail_notices(asking.database.transaction, lambda: asking.now)
    facts = await facts_of(asking, world.person("ada").id)
    assert facts.announcement is not None
    assert [each.title for each in facts.announcement.notices] == ["Heir takes over the business"]


@pytest.mark.clause("C17")
async def test_who_comes_of_age_meanwhile_is_mailed_once(asking_alone: Asking) -> None:
    asking = asking_alone
    mailing_id = await announced(asking)
    await some_more(asking, mailing_id)
    async with asking.database.transaction() as connection:
        await connection.execute("UPDATE member SET birth_date = '1990-01-01'")
    await mail_notices(asking.database.transaction, lambda: asking.now)
    assert await mailed(asking) == await everybody(asking)


@pytest.mark.parametrize(
    "how", ["DELETE FROM member WHERE id = $1", "UPDATE member SET status = 'CLOSED' WHERE id = $1"]
)
async def test_who_leaves_while_the_members_are_gone_through_is_passed_over(
    asking_alone: Asking, how: str
) -> None:
    asking = asking_alone
    first, *others = await everybody(asking)
    mailing_id = await announced(asking)
    async with asking.database.transaction() as leaving:
        await leaving.execute("SELECT id FROM member WHERE id = $1 FOR UPDATE", first)
        going_on = asyncio.create_task(some_more(asking, mailing_id))
        await asyncio.sleep(0.2)
        assert not going_on.done()
        await leaving.execute(how, first)
    await going_on
    assert await mailed(asking) == others[:2], "as many as always: nobody is left out by it"


@pytest.mark.parametrize("language", Language)
async def test_the_mail_is_in_the_companys_language_and_kept_in_the_others(
    asking_alone: Asking, language: Language
) -> None:
    asking = asking_alone
    await announced(asking, language)
    await mail_notices(asking.database.transaction, lambda: asking.now)
    facts = await facts_of(asking, world.person("ada").id)
    assert facts.announcement is not None
    assert facts.announcement.language is language
    titles = {Language.EN: "Bolt takes over the business", Language.DE: "Bolt übernimmt unser Geschäft"}
    assert facts.announcement.notices[0].title == titles[language]
    visitor = world.CALLERS["visitor"].principal
    asked = (
        "{ own: notices { title } en: notices(language: EN) { title } de: notices(language: DE) { title } }"
    )
    told = (await asking.ask(visitor, asked)).data
    assert [told[name][0]["title"] for name in ("own", "en", "de")] == [titles[language], *titles.values()]
