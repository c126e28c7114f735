"""Asking about the audience: what it costs, whose budget pays, and that an answer stays what it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from gateway.database import Database
from policies.matrix import Matrix
from policies.officers import Channel, Officer, Role
from policies.privacy_budget import Thousandths, period_of
from resolvers.commands.audience import ask_audience, recipient
from resolvers.desk import Desk
from resolvers.officers.aggregates import ask_internally, list_answers, read_budgets
from resolvers.privacy_ledger import EVERYONE, read_budget
from schema.errors import ForbiddenError, PrivacyBudgetError, UnauthenticatedError
from schema.vocabulary import AudienceDimension as By
from tests.audiences import CROWD, NEXT_MONTH, NOW, RULES, Asking, insert_agreement, question
from tests.conftest import MakeDatabase

OLGA = Officer("olga", frozenset({Role.PRIVACY_OFFICER}), Channel.CONTRACT)


@pytest.fixture(scope="module")
async def crowd(make_database: MakeDatabase) -> AsyncIterator[Database]:
    """Six thousand members, whom nobody changes; each test has recipients of its own and a new ledger."""
    async with make_database() as database:
        async with database.transaction() as connection:
            await connection.execute(CROWD, 6_000)
        yield database


@pytest.fixture
async def asking(crowd: Database) -> AsyncIterator[Asking]:
    yield Asking(crowd)
    owner = await asyncpg.connect(crowd.url)
    await owner.execute(
        "TRUNCATE aggregate_ledger, aggregate_answer, aggregate_release, officer_action, partner CASCADE"
    )
    await owner.close()


def nobody_decides() -> Matrix:
    """Counts need no policy."""
    raise AssertionError


async def spent(asking: Asking, account: str) -> int:
    async with asking.database.app.acquire() as connection:
        return (await read_budget(connection, period_of(asking.now), account, Thousandths(0))).spent


@pytest.mark.clause("C5", "C7")
async def test_a_question_is_answered_once_and_the_same_ever_after(asking: Asking) -> None:
    async with asking.database.transaction() as connection:
        adco = await insert_agreement(connection, "adco")
    first = await asking.ask(adco, question(By.AGE_BAND))
    assert (first.paid, first.budget.left) == (100, 900)
    assert all(count is not None and abs(count - 1_000) < 400 for count in first.audience.groups)
    for _ in range(3):
        again = await asking.ask(adco, question(By.AGE_BAND))
        assert again.audience == first.audience
        assert (again.paid, again.budget.left, again.as_of) == (0, 900, NOW)


async def test_the_next_month_begins_with_a_whole_budget_and_new_noise(asking: Asking) -> None:
    async with asking.database.transaction() as connection:
        adco = await insert_agreement(connection, "adco", budget=100)
    first = await asking.ask(adco, question(By.JOINED))
    with pytest.raises(PrivacyBudgetError) as refused:
        await asking.ask(adco, question(By.REGION))
    assert refused.value.retry_after == 7 * 86_400 + 43_200  # from noon of the 23rd to the 1st
    later = asking.later(NEXT_MONTH)
    second = await later.ask(adco, question(By.JOINED))
    assert (second.paid, second.budget.left) == (100, 0)
    assert second.audience != first.audience


@pytest.mark.clause("C5")
async def test_what_is_refused_costs_nothing_and_says_what_is_left(asking: Asking) -> None:
    async with asking.database.transaction() as connection:
        adco = await insert_agreement(connection, "adco", budget=250)
    await asking.ask(adco, question(By.REGION, epsilon=200))
    with pytest.raises(PrivacyBudgetError, match=r"has 0\.05 left"):
        await asking.ask(adco, question(By.AGE_BAND, epsilon=60))
    assert await spent(asking, str(adco.agreement_id)) == await spent(asking, EVERYONE) == 200
    answered = await asking.ask(adco, question(By.AGE_BAND, epsilon=50))
    assert answered.budget.left == 0


@pytest.mark.clause("C5")
async def test_many_at_once_never_spend_more_than_there_is(asking: Asking) -> None:
    async with asking.database.transaction() as connection:
        adco = await insert_agreement(connection, "adco", budget=300)
    questions = [question(By.AGE_BAND, epsilon=100, where={By.JOINED: [month]}) for month in
                 ("EARLIER", "2025-01", "2025-02", "2025-03", "2025-04", "2025-05")]  # fmt: skip
    outcomes = await asyncio.gather(*(asking.ask(adco, one) for one in questions), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, PrivacyBudgetError)]
    assert len(refused) == 3
    assert len(outcomes) - len(refused) == 3
    assert await spent(asking, str(adco.agreement_id)) == await spent(asking, EVERYONE) == 300


async def test_the_same_question_at_once_is_drawn_and_paid_once(asking: Asking) -> None:
    async with asking.database.transaction() as connection:
        adco = await insert_agreement(connection, "adco")
        bold = await insert_agreement(connection, "bold")
    answers = await asyncio.gather(
        *(asking.ask(who, question(By.REGION)) for who in (adco, bold, adco, bold, adco))
    )
    assert len({answer.audience for answer in answers}) == 1
    assert sorted(answer.paid for answer in answers) == [0, 0, 0, 100, 100]
    assert await spent(asking, EVERYONE) == 100
    assert await spent(asking, str(bold.agreement_id)) == 100


@pytest.mark.clause("C5")
async def test_all_recipients_together_are_told_no_more_than_everyone_may_be(asking: Asking) -> None:
    tight = replace(asking, rules=replace(RULES, everyone_budget=Thousandths(250)))
    async with asking.database.transaction() as connection:
        adco = await insert_agreement(connection, "adco")
        bold = await insert_agreement(connection, "bold")
    await tight.ask(adco, question(By.AGE_BAND))
    await tight.ask(bold, question(By.REGION))
    with pytest.raises(PrivacyBudgetError, match=r"all recipients together has 0\.05 left"):
        await tight.ask(bold, question(By.JOINED))
    assert await spent(tight, str(bold.agreement_id)) == 100
    assert (await tight.ask(bold, question(By.AGE_BAND))).paid == 100  # what adco was told is no news


async def test_what_is_not_committed_was_neither_paid_nor_told(asking: Asking) -> None:
    async with asking.database.transaction() as connection:
        adco = await insert_agreement(connection, "adco")
    async with asking.database.app.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        asker = await recipient(connection, adco, now=NOW)
        await ask_audience(connection, question(By.REGION), asker, RULES, now=NOW)
        await transaction.rollback()
    assert await spent(asking, EVERYONE) == 0
    assert (await asking.ask(adco, question(By.REGION))).paid == 100


async def test_nobody_asks_under_an_agreement_that_ended(asking: Asking) -> None:
    async with asking.database.transaction() as connection:
        adco = await insert_agreement(connection, "adco")
        await connection.execute("UPDATE aggregate_agreement SET status = 'ENDED'")
    with pytest.raises(UnauthenticatedError):
        await asking.ask(adco, question())
    assert await spent(asking, EVERYONE) == 0


@pytest.mark.clause("C5")
async def test_the_company_s_own_officers_have_a_budget_and_leave_a_line(asking: Asking) -> None:
    async with asking.database.transaction() as connection:
        desk = Desk(connection, OLGA, NOW, nobody_decides)
        answered = await ask_internally(desk, question(By.AGE_BAND, epsilon=400), RULES)
        assert (answered.paid, answered.budget.left) == (400, 100)
    async with asking.database.transaction() as connection:
        desk = Desk(connection, OLGA, NOW, nobody_decides)
        budgets = await read_budgets(desk, RULES)
        assert (budgets.everyone.spent, budgets.internal.spent) == (400, 400)
        (line,) = await list_answers(desk)
        assert (line.asker, line.account, line.epsilon) == ("olga", "INTERNAL", 400)
        acts = await connection.fetch("SELECT act, about FROM officer_action ORDER BY seq")
    assert acts[0]["act"] == "audience.read"
    assert question(By.AGE_BAND, epsilon=400).digest.hex()[:16] in acts[0]["about"]
    with pytest.raises(PrivacyBudgetError):
        async with asking.database.transaction() as connection:
            await ask_internally(Desk(connection, OLGA, NOW, nobody_decides), question(epsilon=200), RULES)


async def test_support_does_not_ask_about_the_audience(asking: Asking) -> None:
    support = Officer("sam", frozenset({Role.SUPPORT}), Channel.CONTRACT)
    with pytest.raises(ForbiddenError):
        async with asking.database.transaction() as connection:
            await ask_internally(Desk(connection, support, NOW, nobody_decides), question(), RULES)


async def test_the_ledger_and_the_answers_cannot_be_taken_back(asking: Asking) -> None:
    async with asking.database.transaction() as connection:
        adco = await insert_agreement(connection, "adco")
    await asking.ask(adco, question())
    for statement in (
        "DELETE FROM aggregate_ledger",
        "UPDATE aggregate_release SET groups = '{1}'",
        "DELETE FROM aggregate_release",
        "DELETE FROM aggregate_answer",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asking.database.app.execute(statement)
