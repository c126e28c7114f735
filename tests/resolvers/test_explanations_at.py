"""What could be seen at a date: what is known of then decides, and not what is true today (C16)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway.policy_source import load_shipped_directory
from resolvers.deletions import overdue_words, restrict
from resolvers.explanations import explain_field
from resolvers.explanations_at import ExplainedAt, explain_at
from resolvers.officers.cases import approve_case, close_case, open_case
from resolvers.policy_versions import Compiler, begin
from schema.categories import DataCategory
from schema.vocabulary import Restriction
from tests import world
from tests.asking import Asking
from tests.attacks.test_cases import CASE, act

DAY = timedelta(days=1)


async def told(asking: Asking, partner: str, at: datetime) -> ExplainedAt:
    """Of Ada's name, under the first agreement of a partner."""
    async with asking.database.transaction() as connection:
        await begin(connection, load_shipped_directory(), world.NOW)
        answer, *_ = await explain_at(
            connection, Compiler(), partner=partner, member=CASE.members[0], category=DataCategory.NAME,
            scopes=None, at=at, now=asking.now,
        )  # fmt: skip
    return answer


@pytest.mark.clause("C8", "C16")
async def test_a_legal_case_is_told_as_it_stood_at_the_date(asking_alone: Asking) -> None:
    asking = asking_alone
    case_id = await act(asking, "olga", open_case, CASE)
    asking.now += DAY
    await act(asking, "otto", approve_case, case_id)
    asking.now += DAY
    await act(asking, "olga", close_case, case_id)
    asking.now += DAY
    moment = timedelta(microseconds=1)
    for at, shared in (
        (world.NOW, False),
        (world.NOW + DAY - moment, False),
        (world.NOW + DAY, True),
        (world.NOW + 2 * DAY - moment, True),
        (world.NOW + 2 * DAY, False),
        (asking.now, False),
    ):
        answer = await told(asking, CASE.authority, at)
        assert (answer.shared, answer.agrees) == (shared, True), "\n".join(answer.lines())


@pytest.mark.clause("C16")
async def test_a_partner_that_was_late_with_deletions_could_see_nothing(asking_alone: Asking) -> None:
    """Neither is it said to be given anything now, while it is late."""
    asking = asking_alone
    owed = {"due": world.NOW + DAY, "narrowed": world.NOW + 2 * DAY, "confirmed": world.NOW + 4 * DAY}
    async with asking.database.transaction() as connection:
        await connection.execute("UPDATE agreement SET narrow_after_days = 1, suspend_after_days = 9")
        await connection.execute(
            "INSERT INTO deletion (id, agreement_id, subject, mask, withdrawn_at, due_at)"
            " VALUES ($1, $1, $1, 1, $2, $3)",
            world.AGREEMENTS["acme"].id,
            world.NOW,
            owed["due"],
        )
    asking.now = world.NOW + 3 * DAY
    async with asking.database.transaction() as connection:
        await restrict(connection, asking.now)
        now, *_ = await explain_field(
            connection, asking.product.matrix, partner="acme", member=CASE.members[0],
            category=DataCategory.NAME, scopes=None, now=asking.now,
        )  # fmt: skip
    assert list(now.lines())[-1] == overdue_words(Restriction.NARROWED)
    asking.now = owed["confirmed"]
    async with asking.database.transaction() as connection:
        await connection.execute("UPDATE deletion SET confirmed_at = $1", owed["confirmed"])
    moment = timedelta(microseconds=1)
    for at, shared in (
        (owed["due"], True),
        (owed["narrowed"] - moment, True),
        (owed["narrowed"], False),
        (owed["confirmed"] - moment, False),
        (owed["confirmed"], True),
    ):
        answer = await told(asking, "acme", at)
        assert (answer.shared, answer.agrees) == (shared, True), "\n".join(answer.lines())
        assert any("overdue" in line for line in answer.lines()) is not shared
