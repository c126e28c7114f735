"""The fold of the newsletter in SQL is the policy's."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.database import Database
from policies.newsletter import wants_newsletter
from resolvers.newsletter_fold import NEWSLETTER_WANTED
from schema.ids import new_id
from schema.vocabulary import Direction
from tests import world
from tests.resolvers.test_shares import quiet_world, rolled_back

__all__ = ["quiet_world"]

_requests = st.lists(
    st.tuples(
        st.integers(0, 4).map(lambda day: world.NOW - timedelta(days=day)),
        st.sampled_from(list(Direction)),
        st.sampled_from(["NEWSLETTER", "NEWSLETTER", "SHARING"]),
    ),
    max_size=6,
)


@pytest.mark.clause("C9", "C11")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ledger=_requests)
async def test_the_database_folds_as_the_policy_does(
    quiet_world: Database, ledger: list[tuple[datetime, Direction, str]]
) -> None:
    ada, ben = world.person("ada").id, world.person("ben").id
    async with rolled_back(quiet_world) as connection:
        for date, way, topic in ledger:
            await connection.execute(
                "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source)"
                " VALUES ($1, $2, $3, $4, $5, $6, 'PROFILE_PAGE')",
                new_id(), ada, date, world.NOW, topic, way.value,
            )  # fmt: skip
        found = await connection.fetch(
            f"SELECT id, {NEWSLETTER_WANTED} AS wanted FROM member WHERE id = ANY($1::uuid[])", [ada, ben]
        )
    said = [(date, way) for date, way, topic in ledger if topic == "NEWSLETTER"]
    assert {row["id"]: row["wanted"] for row in found} == {ada: wants_newsletter(said), ben: False}
