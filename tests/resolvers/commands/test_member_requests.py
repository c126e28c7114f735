"""Requests to one company (C8 d): what may be asked, what the company gets, and that it ends by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.upkeep import Upkeep
from resolvers.commands.member_requests import LONGEST, USUAL
from resolvers.commands.upkeep import end_requests
from tests import world
from tests.asking import Asking
from tests.feeds import others_have_ended

ADA = world.member("ada").principal
MAX = world.member("max").principal
WISH = world.CALLERS["wish"].principal
DAY = timedelta(days=1)

ENTRIES = """
  errors { path code message }
  me { choices(first: 1) { totalCount edges { node {
    direction basis purpose categories endsAt partner { name }
  } } } shares { edges { node { endsAt categories agreement { basis } } } } }
"""
SHARE = f"mutation ($input: ShareWithInput!) {{ shareWith(input: $input) {{ {ENTRIES} }} }}"
END = f"mutation ($input: EndSharingInput!) {{ endSharing(input: $input) {{ {ENTRIES} }} }}"
SEEN = "{ members { totalCount edges { node { id email username name } } } }"
ONE = "query ($id: ID!) { member(id: $id) { email } }"
FEED = """{ changes { edges { node { kind id categories member { email } } } } }"""


async def share(asking: Asking, principal: Any = ADA, /, **given: Any) -> Any:
    given = {"partner": "wish", "categories": ["user.contact.email"]} | given
    return (await asking.ask(principal, SHARE, {"input": given})).data["shareWith"]


async def end(asking: Asking, principal: Any = ADA, /, **given: Any) -> Any:
    return (await asking.ask(principal, END, {"input": {"partner": "wish"} | given})).data["endSharing"]


async def seen(asking: Asking) -> dict[str, Any]:
    """By pairwise id, what the company sees now; all ways to it agree."""
    page = (await asking.ask(WISH, SEEN)).data["members"]
    found = {edge["node"]["id"]: edge["node"] for edge in page["edges"]}
    assert page["totalCount"] == len(found)
    for name in ("ada", "max"):
        subject = str(world.subject("wish", name))
        alone = (await asking.ask(WISH, ONE, {"id": subject})).data["member"]
        assert (alone is not None) == (subject in found)
        preview = await asking.ask(
            world.member(name).principal, '{ previewAsPartner(partner: "wish") { id } }'
        )
        assert (preview.data["previewAsPartner"] is not None) == (subject in found)
    return found


def told(moment: datetime) -> str:
    """As answers write it."""
    return moment.isoformat().replace("+00:00", "Z")


def codes(answer: Any) -> list[Any]:
    return [(error["path"], error["code"]) for error in answer["errors"]]


def of_ada(found: dict[str, Any]) -> Any:
    return found.get(str(world.subject("wish", "ada")))


@pytest.mark.clause("C8")
async def test_a_company_gets_what_was_asked_and_not_a_moment_longer(asking_alone: Asking) -> None:
    asking, until = asking_alone, world.NOW + 3 * DAY
    assert of_ada(await seen(asking)) is None
    answer = await share(asking, until=until.isoformat())
    assert codes(answer) == []
    entry = answer["me"]["choices"]["edges"][0]["node"]
    assert (entry["direction"], entry["basis"], entry["endsAt"]) == (
        "IN",
        "MEMBER_REQUEST",
        told(until),
    )
    assert entry["partner"] == {"name": "wish"}
    asked = next(e["node"] for e in answer["me"]["shares"]["edges"] if e["node"]["endsAt"])
    assert asked["categories"] == ["user.contact.email"]
    assert of_ada(await seen(asking)) == {
        "id": str(world.subject("wish", "ada")), "email": "ada@example.org", "username": None, "name": None,
    }  # fmt: skip
    for moment, shown in ((until - timedelta(microseconds=1), True), (until, False), (until + DAY, False)):
        asking.now = moment
        assert (of_ada(await seen(asking)) is not None) == shown, "nobody worked it off: reads ask the clock"


@pytest.mark.clause("C8")
async def test_upkeep_tells_the_company_and_lets_it_delete(asking_alone: Asking) -> None:
    asking, until = asking_alone, world.NOW + DAY
    await share(asking, until=until.isoformat())
    asking.now = until + timedelta(seconds=1)
    upkeep = Upkeep(asking.database, lambda: asking.product.matrix, lambda: asking.now)
    await upkeep.round()
    await others_have_ended(asking.database)
    lines = (await asking.ask(WISH, FEED)).data["changes"]["edges"]
    mine = [line["node"] for line in lines if line["node"]["id"] == str(world.subject("wish", "ada"))]
    assert [line["kind"] for line in mine] == ["SHARED", "WITHDRAWN"]
    assert mine[-1]["categories"] == ["user.contact.email"]
    owed = (await asking.ask(ADA, "{ me { withdrawals { edges { node { categories } } } } }")).data["me"]
    assert {"node": {"categories": ["user.contact.email"]}} in owed["withdrawals"]["edges"]
    async with asking.database.transaction() as connection:
        again = await end_requests(connection, asking.product.matrix, asking.now)
    assert (again.withdrawn, again.changed) == (0, 0), "once"


@pytest.mark.clause("C8")
async def test_it_lasts_a_month_unless_the_member_says_otherwise_and_a_year_at_most(
    asking_alone: Asking,
) -> None:
    answer = await share(asking_alone)
    ends = answer["me"]["choices"]["edges"][0]["node"]["endsAt"]
    assert ends == told(world.NOW + USUAL)
    for until in (world.NOW, world.NOW - DAY, world.NOW + LONGEST + timedelta(seconds=1)):
        refused = await share(asking_alone, until=until.isoformat())
        assert codes(refused) == [(["until"], "BAD_DATE")]
    assert codes(await share(asking_alone, until=(world.NOW + LONGEST).isoformat())) == []


@pytest.mark.clause("C8")
@pytest.mark.parametrize(
    ("given", "finding"),
    [
        ({"partner": "nobody"}, (["partner"], "UNKNOWN_PARTNER")),
        ({"partner": "acme"}, (["partner"], "NOT_OFFERED")),
        ({"purpose": "PARTNER_OFFERS"}, (["purpose"], "NOT_OFFERED")),
        ({"categories": []}, (["categories"], "REQUIRED")),
        ({"categories": ["user.shoe_size"]}, (["categories"], "UNKNOWN_CATEGORY")),
        ({"categories": ["user.contact.phone_number"]}, (["categories"], "UNKNOWN_CATEGORY")),
        ({"categories": ["user.contact"]}, (["categories"], "NOT_OFFERED")),
        ({"categories": ["user.unique_id.pseudonymous"]}, (["categories"], "NOT_OFFERED")),
        ({"categories": ["user.demographic.profile"]}, (["categories"], "NOT_OFFERED")),
    ],
)
async def test_what_is_not_the_company_s_to_get_cannot_be_asked(
    asking_alone: Asking, given: dict[str, Any], finding: Any
) -> None:
    answer = await share(asking_alone, **given)
    assert codes(answer) == [finding]
    assert answer["me"]["choices"]["totalCount"] == 0


@pytest.mark.clause("C8", "C17")
async def test_who_is_under_18_or_of_unknown_age_cannot_ask(asking_alone: Asking) -> None:
    for name in ("cid", "dot"):
        answer = await share(asking_alone, world.member(name).principal)
        assert codes(answer) == [([], "PROTECTED")]
        assert answer["me"]["choices"]["totalCount"] == 0


@pytest.mark.clause("C8", "C11")
async def test_an_opt_in_by_choose_asks_no_company_for_anything(asking_alone: Asking) -> None:
    opt_in = 'mutation { choose(input: {direction: IN, partner: "wish"}) { errors { code } } }'
    await asking_alone.ask(ADA, opt_in)
    assert of_ada(await seen(asking_alone)) is None


@pytest.mark.clause("C8", "C11")
async def test_the_latest_request_takes_the_place_of_the_one_before(asking_alone: Asking) -> None:
    asking = asking_alone
    await share(asking, until=(world.NOW + 9 * DAY).isoformat(), categories=["user.contact.email"])
    asking.now += timedelta(seconds=1)
    await share(asking, until=(world.NOW + DAY).isoformat(), categories=["user.account.username"])
    assert of_ada(await seen(asking)) == {
        "id": str(world.subject("wish", "ada")), "email": None, "username": "ada", "name": None,
    }  # fmt: skip
    asking.now = world.NOW + DAY
    assert of_ada(await seen(asking)) is None, "the longer one does not come back"
    async with asking.database.transaction() as connection:
        await end_requests(connection, asking.product.matrix, asking.now)
    assert of_ada(await seen(asking)) is None


@pytest.mark.clause("C8")
async def test_a_request_that_is_made_longer_or_shorter_ends_at_its_new_date(asking_alone: Asking) -> None:
    asking = asking_alone
    for days in (1, 5, 2):
        asking.now += timedelta(seconds=1)
        await share(asking, until=(world.NOW + days * DAY).isoformat())
    for days, shown in ((1, True), (2, False)):
        asking.now = world.NOW + days * DAY
        assert (of_ada(await seen(asking)) is not None) == shown
    await others_have_ended(asking.database)
    lines = (await asking.ask(WISH, FEED)).data["changes"]["edges"]
    mine = [line["node"] for line in lines if line["node"]["id"] == str(world.subject("wish", "ada"))]
    assert [line["kind"] for line in mine] == ["SHARED"], "another date is no news about the member"


@pytest.mark.clause("C8")
async def test_the_member_ends_it_before_its_date_and_only_that(asking_alone: Asking) -> None:
    asking = asking_alone
    before = await asking.ask(world.CALLERS["acme"].principal, "{ members { edges { node { id name } } } }")
    await share(asking)
    asking.now += timedelta(seconds=1)
    answer = await end(asking)
    assert codes(answer) == []
    assert answer["me"]["choices"]["totalCount"] == 2
    assert of_ada(await seen(asking)) is None
    after = await asking.ask(world.CALLERS["acme"].principal, "{ members { edges { node { id name } } } }")
    assert after.body == before.body, "what others get on other bases is untouched"
    assert (await end(asking))["me"]["choices"]["totalCount"] == 2, "ended already: no entry"
    assert codes(await end(asking, partner="nobody")) == [(["partner"], "UNKNOWN_PARTNER")]


async def test_the_same_request_until_the_same_date_is_one_entry(asking_alone: Asking) -> None:
    until = (world.NOW + DAY).isoformat()
    for _ in range(2):
        answer = await share(asking_alone, until=until)
        assert answer["me"]["choices"]["totalCount"] == 1


@pytest.mark.clause("C8")
async def test_a_member_sees_the_request_with_its_end_among_the_partners(asking_alone: Asking) -> None:
    query = "{ partners { name agreements { basis endsAt leaves { category reason evidence } } } }"
    await share(asking_alone, until=(world.NOW + DAY).isoformat())

    async def shown() -> Any:
        partners = (await asking_alone.ask(ADA, query)).data["partners"]
        (wish,) = next(p for p in partners if p["name"] == "wish")["agreements"]
        return wish

    wish = await shown()
    assert wish["endsAt"] == told(world.NOW + DAY)
    (leaves,) = wish["leaves"]
    assert (leaves["category"], leaves["reason"]) == ("user.contact.email", "REQUESTED")
    assert "until 2026-11-24" in leaves["evidence"][0]
    asking_alone.now = world.NOW + DAY
    wish = await shown()
    assert (wish["endsAt"], wish["leaves"]) == (None, [])


async def test_the_world_s_asker_is_seen_until_the_date_asked_for(asking: Asking) -> None:
    assert await seen(asking) == {
        str(world.subject("wish", "max")): {
            "id": str(world.subject("wish", "max")),
            "email": "max@example.org",
            "username": "max",
            "name": None,
        }
    }
