"""What could be seen at a date: what is known of then decides, and not what is true today (C16)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway.policy_source import load_shipped_directory
from resolvers.explanations_at import ExplainedAt, explain_at
from resolvers.officers.cases import approve_case, close_case, open_case
from resolvers.policy_versions import Compiler, begin
from schema.categories import DataCategory
from tests import world
from tests.asking import Asking
from tests.attacks.test_cases import CASE, act

DAY = timedelta(days=1)


async def told(asking: Asking, partner: str, at: datetime) -> ExplainedAt:
    """Of Ada's name, under the one agreement of a partner."""
    async with asking.database.transaction() as connection:
        await begin(connection, load_shipped_directory(), world.NOW)
        (answer,) = await explain_at(
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
