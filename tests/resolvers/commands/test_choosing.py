"""Choices about sharing, the newsletter and new practices: what is stored, what is refused, what follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.newsletter import wants_newsletter
from resolvers.commands.choosing import MAX_A_DAY
from resolvers.commands.newsletters import WANTS_NEWSLETTER
from resolvers.commands.unsubscribing import unsubscribe
from resolvers.shares import decision_digest
from schema.categories import Basis, Purpose
from schema.ids import new_id
from schema.vocabulary import Direction
from tests import world
from tests.asking import Asking

ADA = world.member("ada").principal
GUS = world.member("gus").principal
MAX = world.member("max").principal

CHOOSE = """mutation ($input: ChooseInput!) { choose(input: $input) {
  errors { path code message }
  me { newsletter choices(first: 1) { totalCount edges { node {
    topic direction source requestedAt receivedAt purpose categories basis policy
    partner { name } notice { id title }
  } } } }
} }"""
SHARED = "{ me { shares { edges { node { categories agreement { id } } } } } }"


async def choose(asking: Asking, principal: Any = ADA, /, **given: Any) -> Any:
    return (await asking.ask(principal, CHOOSE, {"input": given})).data["choose"]


def codes(answer: Any) -> list[Any]:
    return [(error["path"], error["code"]) for error in answer["errors"]]


def newest(answer: Any) -> Any:
    return answer["me"]["choices"]["edges"][0]["node"]


async def shared(asking: Asking, principal: Any) -> dict[str, list[str]]:
    edges = (await asking.ask(principal, SHARED)).data["me"]["shares"]["edges"]
    return {edge["node"]["agreement"]["id"]: edge["node"]["categories"] for edge in edges}


async def announce(
    asking: Asking, published_at: datetime = world.JUNE, basis: Basis = Basis.STRATEGIC
) -> UUID:
    """A notice: region may serve partners' offers."""
    notice_id = new_id()
    async with asking.database.connection() as connection:
        await connection.execute(
            "INSERT INTO notice (id, title, body, basis, purpose, categories, published_at, effective_at)"
            " VALUES ($1, 'Regions', 'New', $4, $2, '{user.location.imprecise}', $3, $3)",
            notice_id,
            Purpose.PARTNER_OFFERS.value,
            published_at,
            basis.value,
        )
    return notice_id


@pytest.mark.clause("C9")
async def test_the_newsletter_is_wanted_after_opting_in_and_shares_nothing(asking_alone: Asking) -> None:
    before = await shared(asking_alone, ADA)
    assert not (await asking_alone.ask(ADA, "{ me { newsletter } }")).data["me"]["newsletter"]
    answer = await choose(asking_alone, direction="IN", topic="NEWSLETTER")
    assert codes(answer) == []
    assert answer["me"]["newsletter"]
    entry = newest(answer)
    assert (entry["topic"], entry["direction"], entry["source"]) == ("NEWSLETTER", "IN", "PROFILE_PAGE")
    assert entry["policy"] is None
    assert await shared(asking_alone, ADA) == before
    assert not (await choose(asking_alone, direction="OUT", topic="NEWSLETTER"))["me"]["newsletter"]
    assert await shared(asking_alone, ADA) == before


@pytest.mark.clause("C9", "C11")
async def test_an_opt_in_of_an_earlier_date_does_not_undo_the_unsubscribe_link(asking_alone: Asking) -> None:
    await choose(asking_alone, direction="IN", topic="NEWSLETTER", requestedAt="2026-11-01T00:00:00Z")
    async with asking_alone.database.transaction() as connection:
        await unsubscribe(connection, world.person("ada").id, world.NOW)
    for earlier in ("2026-11-22T00:00:00Z", world.NOW.isoformat()):
        answer = await choose(asking_alone, direction="IN", topic="NEWSLETTER", requestedAt=earlier)
        assert codes(answer) == []
        assert not answer["me"]["newsletter"], "at equal dates the refusal wins"


@pytest.mark.clause("C9")
@pytest.mark.parametrize(
    "selector",
    [
        {"partner": "acme"},
        {"purpose": "PARTNER_OFFERS"},
        {"categories": ["user.name"]},
        {"notice": str(new_id())},
    ],
)
async def test_the_newsletter_takes_no_selector(asking_alone: Asking, selector: dict[str, Any]) -> None:
    answer = await choose(asking_alone, direction="IN", topic="NEWSLETTER", **selector)
    assert codes(answer) == [([next(iter(selector))], "NOT_APPLICABLE")]
    assert answer["me"]["choices"]["totalCount"] == 0


@pytest.mark.clause("C16")
async def test_an_answer_to_a_notice_says_what_the_notice_says(asking_alone: Asking) -> None:
    notice = await announce(asking_alone)
    before = await shared(asking_alone, ADA)
    answer = await choose(asking_alone, direction="OUT", notice=str(notice))
    assert codes(answer) == []
    entry = newest(answer)
    assert entry["notice"] == {"id": str(notice), "title": "Regions"}
    assert (entry["purpose"], entry["categories"]) == ("PARTNER_OFFERS", ["user.location.imprecise"])
    assert entry["basis"] == "STRATEGIC"
    assert entry["partner"] is None
    after = await shared(asking_alone, ADA)
    for agreement, categories in before.items():
        gone = {"user.location.imprecise"} if agreement == str(world.AGREEMENTS["acme"].id) else set()
        assert set(categories) - set(after[agreement]) == gone


@pytest.mark.clause("C8", "C16")
async def test_an_answer_to_a_notice_opens_nothing_on_another_basis(asking_alone: Asking) -> None:
    await choose(asking_alone, direction="OUT", requestedAt="2026-11-01T00:00:00Z")
    assert await shared(asking_alone, ADA) == {}
    notice = await announce(asking_alone, basis=Basis.MARKETING)
    assert codes(await choose(asking_alone, direction="IN", notice=str(notice))) == []
    begins = str(world.AGREEMENTS["bolt-begins"].id)
    assert await shared(asking_alone, ADA) == {begins: ["user.location.imprecise"]}, (
        "the agreement with acme is of the same purpose, and STRATEGIC"
    )


@pytest.mark.clause("C16")
async def test_an_answer_to_a_notice_has_no_selector_of_its_own(asking_alone: Asking) -> None:
    notice = str(await announce(asking_alone))
    answer = await choose(
        asking_alone, direction="OUT", notice=notice, partner="acme", purpose="PARTNER_OFFERS", categories=[]
    )
    assert codes(answer) == [([name], "NOT_APPLICABLE") for name in ("partner", "purpose", "categories")]


@pytest.mark.clause("C16")
async def test_only_a_notice_that_is_published_can_be_answered(asking_alone: Asking) -> None:
    draft = await announce(asking_alone, world.NOW + timedelta(days=1))
    for notice in (str(draft), str(new_id()), "none", "+1 202 555 0143"):
        answer = await choose(asking_alone, direction="OUT", notice=notice)
        assert codes(answer) == [(["notice"], "UNKNOWN_NOTICE")]
        assert notice not in answer["errors"][0]["message"]


@pytest.mark.clause("R1")
@pytest.mark.parametrize("partner", ["nobody", "+12025550143", "a\0b", "", "ACME"])
async def test_a_partner_that_does_not_exist_is_refused_and_not_repeated(
    asking_alone: Asking, partner: str
) -> None:
    answer = await choose(asking_alone, direction="OUT", partner=partner)
    assert codes(answer) == [(["partner"], "UNKNOWN_PARTNER")]
    assert "2025550143" not in answer["errors"][0]["message"]


async def test_all_findings_are_told_at_once(asking_alone: Asking) -> None:
    answer = await choose(
        asking_alone,
        direction="IN",
        partner="nobody",
        categories=["user.contact.phone_number"],
        requestedAt="2027-01-01T00:00:00Z",
    )
    assert codes(answer) == [
        (["requestedAt"], "BAD_DATE"),
        (["partner"], "UNKNOWN_PARTNER"),
        (["categories"], "UNKNOWN_CATEGORY"),
    ]
    assert answer["me"]["choices"]["totalCount"] == 0


@pytest.mark.clause("C16")
async def test_the_policy_in_force_is_kept_with_a_choice_about_sharing(asking_alone: Asking) -> None:
    answer = await choose(asking_alone, direction="OUT", partner="acme")
    assert newest(answer)["policy"] == decision_digest(asking_alone.product.matrix)


@pytest.mark.clause("C11")
@pytest.mark.parametrize("order", list(permutations(range(4)))[::3])
async def test_the_same_dated_requests_come_to_the_same_in_any_order(
    asking_alone: Asking, order: Sequence[int]
) -> None:
    requests: list[dict[str, Any]] = [
        {"direction": "OUT", "requestedAt": "2026-11-01T00:00:00Z"},
        {"direction": "IN", "partner": "acme", "requestedAt": "2026-11-02T00:00:00Z"},
        {"direction": "OUT", "categories": ["user.contact.email"], "requestedAt": "2026-11-03T00:00:00Z"},
        {"direction": "IN", "partner": "acme", "requestedAt": "2026-11-03T00:00:00Z"},
    ]
    for place in order:
        assert codes(await choose(asking_alone, GUS, **requests[place])) == []
    given_away = await shared(asking_alone, GUS)
    assert list(given_away) == [str(world.AGREEMENTS["acme"].id)], (
        "bolt was refused in general, and nobody asked for wish"
    )
    assert "user.contact.email" not in given_away[str(world.AGREEMENTS["acme"].id)]
    assert "user.location.imprecise" in given_away[str(world.AGREEMENTS["acme"].id)]


_requests = st.lists(
    st.tuples(
        st.integers(0, 4).map(lambda day: world.NOW - timedelta(days=day)), st.sampled_from(list(Direction))
    ),
    max_size=6,
)


@pytest.mark.clause("C9", "C11")
@given(said=_requests, data=st.data())
def test_the_order_of_arrival_does_not_count_for_the_newsletter(
    said: list[tuple[datetime, Direction]], data: st.DataObject
) -> None:
    assert wants_newsletter(data.draw(st.permutations(said))) == wants_newsletter(said)
    if said:
        last = max(date for date, _ in said)
        assert wants_newsletter(said) == all(way is Direction.IN for date, way in said if date == last)


@pytest.mark.clause("C9", "C11")
@pytest.mark.parametrize(
    "said",
    [
        [],
        [(0, "IN")],
        [(0, "OUT")],
        [(2, "OUT"), (1, "IN")],
        [(1, "OUT"), (2, "IN")],
        [(1, "IN"), (1, "OUT")],
        [(1, "OUT"), (1, "IN")],
        [(3, "IN"), (1, "OUT"), (2, "OUT")],
    ],
)
async def test_what_is_shown_and_sent_is_what_the_rule_says(
    asking_alone: Asking, said: list[tuple[int, str]]
) -> None:
    days = [(world.NOW - timedelta(days=day), Direction(way)) for day, way in said]
    async with asking_alone.database.connection() as connection:
        await connection.execute("UPDATE member SET email_verified_at = $1", world.NOW)
        for date, way in days:
            await connection.execute(
                "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source)"
                " VALUES ($1, $2, $3, $4, 'NEWSLETTER', $5, 'PROFILE_PAGE')",
                new_id(), world.person("ada").id, date, world.NOW, way.value,
            )  # fmt: skip
        sent = await connection.fetchval(
            f"SELECT coalesce({WANTS_NEWSLETTER}, false) FROM member WHERE id = $1", world.person("ada").id
        )
    shown = (await asking_alone.ask(ADA, "{ me { newsletter } }")).data["me"]["newsletter"]
    assert shown == sent == wants_newsletter(days)


@pytest.mark.clause("C8")
async def test_a_general_opt_in_requests_nothing_of_a_particular_company(asking_alone: Asking) -> None:
    before = await shared(asking_alone, MAX)
    await choose(asking_alone, MAX, direction="OUT")
    await choose(asking_alone, MAX, direction="IN")
    wish = str(world.AGREEMENTS["wish"].id)
    assert wish in before
    assert wish not in await shared(asking_alone, MAX)


async def fill_the_day(asking: Asking, topic: str = "SHARING", direction: str = "IN") -> None:
    """As many entries as Ada may make in a day, dated long ago."""
    async with asking.database.connection() as connection:
        await connection.execute(
            "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source)"
            " SELECT gen_random_uuid(), $1, $2, $3, $4, $5, 'PROFILE_PAGE' FROM generate_series(1, $6)",
            world.person("ada").id, world.JUNE, world.NOW, topic, direction, MAX_A_DAY,
        )  # fmt: skip


@pytest.mark.clause("C11")
async def test_beyond_a_days_entries_only_a_refusal_that_changes_something_is_noted(
    asking_alone: Asking,
) -> None:
    await fill_the_day(asking_alone)
    for repeated in range(2):
        assert codes(await choose(asking_alone, direction="IN", partner="acme")) == [([], "TOO_MANY")]
        narrow = await choose(asking_alone, direction="OUT", partner="acme", categories=["user.name"])
        assert codes(narrow) == ([([], "TOO_MANY")] if repeated else [])
        general = await choose(asking_alone, direction="OUT")
        assert codes(general) == ([([], "TOO_MANY")] if repeated else [])
        assert general["me"]["choices"]["totalCount"] == MAX_A_DAY + 2
        assert await shared(asking_alone, ADA) == {}
    asking_alone.now = world.NOW + timedelta(days=1)
    assert codes(await choose(asking_alone, direction="IN")) == []


@pytest.mark.clause("C11", "C16")
async def test_a_refusal_of_what_nobody_gets_yet_is_no_less_noted(asking_alone: Asking) -> None:
    await fill_the_day(asking_alone)
    notice = str(await announce(asking_alone, basis=Basis.MEMBER_REQUEST))
    assert codes(await choose(asking_alone, direction="OUT", notice=notice)) == []
    assert codes(await choose(asking_alone, direction="OUT", notice=notice)) == [([], "TOO_MANY")]


@pytest.mark.clause("C9", "C11")
async def test_beyond_a_days_entries_the_newsletter_can_be_left_once(asking_alone: Asking) -> None:
    await fill_the_day(asking_alone, "NEWSLETTER")
    earlier = (world.JUNE - timedelta(days=1)).isoformat()
    stale = await choose(asking_alone, direction="OUT", topic="NEWSLETTER", requestedAt=earlier)
    assert codes(stale) == [([], "TOO_MANY")]
    answer = await choose(asking_alone, direction="OUT", topic="NEWSLETTER")
    assert (codes(answer), answer["me"]["newsletter"]) == ([], False)
    for direction in ("OUT", "IN"):
        again = await choose(asking_alone, direction=direction, topic="NEWSLETTER")
        assert codes(again) == [([], "TOO_MANY")]
        assert not again["me"]["newsletter"]
