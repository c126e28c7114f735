"""Attacks on what is new: counts after an agreement, refusals by link, and cells as they open and close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from gateway.bulk import PATH
from gateway.database import Database
from gateway.identity.tokens import SubjectKind, mint
from policies.officers import Channel, Officer, Role
from resolvers.announcing import mail_notices
from resolvers.commands.client_credentials import replace_secret
from resolvers.commands.practices import MAX_A_DAY, refuse_practices
from resolvers.desk import Desk
from resolvers.officers.aggregates import end_aggregate_agreement
from schema.ids import new_id
from schema.vocabulary import AudienceDimension as By
from schema.vocabulary import ChoiceSource
from tests import world
from tests.audiences import insert_agreement
from tests.databases import TestServer
from tests.feeds import others_have_ended
from tests.gateway.oauth.conftest import Replica, Served, replica
from tests.gateway.test_publishing import CHOOSE, NOTICE, Scene, letter, scene, with_usernames
from tests.gateway.test_publishing_meanwhile import without

__all__ = ["replica", "scene"]

MINUTE = timedelta(minutes=1)

# -- Counts over HTTP, from the token to the answer


@pytest.fixture(scope="module")
async def server(test_server: TestServer, world_template: str, replica: Replica) -> AsyncIterator[Served]:
    async with (
        test_server.database_url(world_template) as url,
        replica(url, aggregate_regions=("US", "DE")) as running,
    ):
        yield running


async def client(server: Served, name: str, *dimensions: By, budget: int = 1_000) -> Any:
    """A client of an aggregate agreement of its own, with a secret; the agreement's id."""
    now = datetime.now(UTC)
    async with server.database.transaction() as connection:
        terms = await insert_agreement(connection, name, budget=budget, dimensions=dimensions or tuple(By))
        server.secrets[name] = await replace_secret(connection, client_id=name, overlap=timedelta(0), now=now)
    return terms.agreement_id


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json()["errors"]]


@pytest.mark.clause("C5")
async def test_a_token_that_lives_on_counts_nothing_once_its_agreement_has_ended(server: Served) -> None:
    agreement = await client(server, "adco")
    token = await server.access("adco")
    asked = "{ audience(groupBy: []) { paid bound } }"
    first = await server.ask(token, asked)
    assert first.json()["data"]["audience"]["paid"] == 0.1
    assert (await server.ask(token, asked)).json()["data"]["audience"]["paid"] == 0
    olga = Officer("olga", frozenset(Role), Channel.CONTRACT)
    async with server.database.transaction() as connection:
        desk = Desk(connection, olga, datetime.now(UTC), lambda: server.product.matrix)
        await end_aggregate_agreement(desk, agreement)
    for _ in range(100):  # a replica hears of it within `revocation_staleness`, not in the same instant
        if (await server.ask(token, asked)).status_code == HTTPStatus.UNAUTHORIZED:
            break
        await asyncio.sleep(0.05)
    for query in (asked, "{ audience(groupBy: [REGION]) { total } }", "{ aggregateAgreement { purpose } }",
                  "{ audienceDimensions { values } }"):  # fmt: skip
        assert (await server.ask(token, query)).status_code == 401
    assert (await server.token("adco")).json()["error"] == "unauthorized_client"


@pytest.mark.clause("C5", "C7")
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/partner/members.jsonl"), ("GET", "/partner/suppressions"), ("POST", "/partner/suppressions")],
)
async def test_a_token_for_counts_opens_no_route_about_members(
    server: Served, method: str, path: str
) -> None:
    name = f"narrow-{method}-{path.rpartition('/')[2].partition('.')[0]}".lower()
    await client(server, name)
    token = await server.access(name)
    answer = await server.http.request(method, path, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code in {401, 403, 404, 405}, answer.text
    for query in (
        "{ members { totalCount } }", "{ changes(first: 1) { edges { cursor } } }", "{ me { id } }",
        "{ partners { name } }", "{ __schema { mutationType { name } subscriptionType { name } } }",
    ):  # fmt: skip
        body = (await server.ask(token, query)).json()
        assert body.get("data") in (None, {"__schema": {"mutationType": None, "subscriptionType": None}})


@pytest.mark.clause("C5")
async def test_a_dimension_that_is_not_granted_does_not_come_in_by_variables(server: Served) -> None:
    await client(server, "ages", By.AGE_BAND)
    await client(server, "all")
    token = await server.access("ages")
    tokens = (token, await server.access("all", scope="user.demographic.age_range"))
    for one in tokens:
        for query, variables in (
            ("query($g: [AudienceDimension!]!) { audience(groupBy: $g) { total } }", {"g": ["REGION"]}),
            ("query($w: AudienceWhere) { audience(groupBy: [], where: $w) { total } }",
             {"w": {"region": ["DE"]}}),
        ):  # fmt: skip
            answer = await server.http.post(
                "/graphql",
                json={"query": query, "variables": variables},
                headers={"authorization": f"Bearer {one}", "accept": "application/graphql-response+json"},
            )
            assert answer.json().get("data") is None
            assert answer.json()["errors"]


@pytest.mark.clause("C5")
async def test_a_spent_budget_says_when_to_come_back_and_what_was_answered_is_answered_still(
    server: Served,
) -> None:
    await client(server, "poor", budget=100)
    token = await server.access("poor")
    asked = "{ audience(groupBy: [AGE_BAND]) { groups { count } paid budget { left resetsAt } } }"
    first = (await server.ask(token, asked)).json()["data"]["audience"]
    answer = await server.ask(token, f"{{ again: {asked[2:-2]} audience(groupBy: [JOINED]) {{ total }} }}")
    assert codes(answer) == ["PRIVACY_BUDGET_SPENT"]
    assert "try again in " in answer.json()["errors"][0]["message"]
    again = (await server.ask(token, asked)).json()["data"]["audience"]
    assert again["groups"] == first["groups"]
    assert (again["paid"], again["budget"]["left"]) == (0, 0)


# -- Refusals


@pytest.mark.clause("C11", "C16")
async def test_a_refusal_counts_however_often_other_links_were_followed_that_day(scene: Scene) -> None:
    """A scanner of mail follows the newsletter's link all day; then she refuses what is new."""
    done = await scene.publish(with_usernames())
    await asyncio.sleep(1)  # both have heard: who comes sooner is asked to come again
    ada = world.person("ada").id
    link = (await letter(scene, "ada")) if await _mailed(scene) else ""
    path = "/refuse/" + link.partition("/refuse/")[2].split()[0]
    async with scene.database.transaction() as connection:
        for _ in range(MAX_A_DAY):
            await connection.execute(
                "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source)"
                " VALUES ($1, $2, $3, $3, 'NEWSLETTER', 'OUT', $4)",
                new_id(), ada, scene.clock(), ChoiceSource.UNSUBSCRIBE_LINK.value,
            )  # fmt: skip
    assert (await scene.callers[0].http.post(path)).status_code == 200
    refused = await _refusals(scene.database, done.notices[0])
    assert refused == 1
    for step in (0, 1):  # whoever has this link fills no disk, and it counts again after an opt-in
        for _ in range(MAX_A_DAY + 2):
            async with scene.database.transaction() as connection:
                await refuse_practices(
                    connection, scene.gateways[0].policy, ada, done.number, scene.clock() + step * MINUTE * 2
                )
        assert await _refusals(scene.database, done.notices[0]) == MAX_A_DAY * (1 + step)
        if not step:
            await _opt_in(scene, ada, scene.clock() + MINUTE)


async def _opt_in(scene: Scene, member: UUID, when: datetime) -> None:
    async with scene.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source)"
            " VALUES ($1, $2, $3, $3, 'SHARING', 'IN', 'PROFILE_PAGE')",
            new_id(), member, when,
        )  # fmt: skip


async def _mailed(scene: Scene) -> int:
    return await mail_notices(scene.database.transaction, scene.clock)


async def _refusals(database: Database, notice: Any) -> int:
    async with database.transaction() as connection:
        found: int = await connection.fetchval("SELECT count(*) FROM choice WHERE notice_id = $1", notice)
        return found


# -- What a partner keeps of a cell, by the feed and by downloads

FEED = (
    "query($after: String) { changes(after: $after, first: 100) {"
    " edges { node { kind id categories member { id purchaseCategories } } } pageInfo { endCursor } } }"
)
END = "{ changes(first: 0) { pageInfo { endCursor } } }"
USERNAME, PURCHASES = "user.account.username", "user.behavior.purchase_history"


async def _http(scene: Scene, method: str, path: str, **request: Any) -> httpx.Response:
    minted = mint(
        scene.settings, scene.keys, kind=SubjectKind.PARTNER, subject="acme", client_id="acme",
        scopes=(*sorted(world.AGREEMENTS["acme"].categories), USERNAME),
    )  # fmt: skip
    headers = {"authorization": f"Bearer {minted.token}", "accept": "*/*"}
    return await scene.callers[0].http.request(method, path, headers=headers, **request)


async def _changes(scene: Scene, query: str = FEED, **variables: str) -> Any:
    await others_have_ended(scene.database)
    answer = await _http(scene, "POST", "/graphql", json={"query": query, "variables": variables})
    return answer.json()


async def _end(scene: Scene) -> str:
    end: str = (await _changes(scene, END))["data"]["changes"]["pageInfo"]["endCursor"]
    return end


async def _news(scene: Scene, **after: str) -> dict[str, Any]:
    """The latest change of each member."""
    edges = (await _changes(scene, **after))["data"]["changes"]["edges"]
    return {edge["node"]["id"]: edge["node"] for edge in edges}


async def _downloaded(scene: Scene, field: str) -> dict[str, Any] | None:
    """The field of each member, in a download; None where the contract has no such field."""
    answer = await _http(scene, "GET", PATH, params={"fields": f"id,{field}"})
    if answer.status_code == 400:
        return None
    lines = [orjson.loads(line) for line in answer.content.splitlines()]
    return {line["node"]["id"]: line["node"][field] for line in lines if "node" in line}


@pytest.mark.clause("C8", "C16")
async def test_a_category_that_opens_and_closes_begins_the_feed_anew_and_downloads_equal_pages(
    scene: Scene,
) -> None:
    ada, jon = (str(world.subject("acme", name)) for name in ("ada", "jon"))
    done = await scene.publish(with_usernames())
    await asyncio.sleep(1)
    refusal = {"direction": "OUT", "notice": str(done.notices[0])}
    answer = await scene.callers[0].ask("ada", CHOOSE, input=refusal)
    assert answer.json()["data"]["choose"]["errors"] == []
    before = await _end(scene)
    assert await _downloaded(scene, "username") is None

    await scene.move(NOTICE)
    shown = await scene.opened()
    assert (await _changes(scene, after=before))["errors"][0]["extensions"]["code"] == "BAD_CURSOR"
    news = {one: node for one, node in (await _news(scene)).items() if USERNAME in node["categories"]}
    assert ada not in news, "refused before it opened: nothing of hers changed"
    assert {(each["kind"], *each["categories"]) for each in news.values()} == {("CORRECTED", USERNAME)}
    kept = await _downloaded(scene, "username")
    assert kept is not None
    assert (kept[ada], kept[jon]) == (None, "jon")
    assert sorted(filter(None, kept.values())) == sorted(filter(None, shown.values()))
    assert {one for one, name in kept.items() if name} == set(news)

    since = await _end(scene)
    await scene.roll_back(1)
    assert await scene.names() == (None, None)
    assert await _downloaded(scene, "username") is None
    assert (await _changes(scene, after=since))["errors"][0]["extensions"]["code"] == "BAD_CURSOR"
    assert USERNAME not in str(await _news(scene))


@pytest.mark.clause("C8", "C16")
async def test_what_is_presumed_no_more_and_then_again_is_withdrawn_and_given_back_in_the_feed(
    scene: Scene,
) -> None:
    """The contract stays the same, and so does the cursor."""
    before, cursor = await _downloaded(scene, "purchaseCategories"), await _end(scene)
    assert before is not None
    await scene.publish(without(action='action == Action::"presume"'))
    await asyncio.sleep(1)
    closed, news = await _downloaded(scene, "purchaseCategories"), await _news(scene, after=cursor)
    assert closed is not None
    lost = {one for one in before if before[one] is not None and closed.get(one) is None}
    assert lost
    assert {one for one, node in news.items() if node["kind"] == "WITHDRAWN"} == set(news) == lost
    assert all(node["categories"] == [PURCHASES] for node in news.values())

    cursor = await _end(scene)
    await scene.roll_back(1)
    await scene.move(NOTICE - MINUTE)
    assert await _news(scene, after=cursor) == {}, "a roll-back opens nothing without its notice either"
    assert await _downloaded(scene, "purchaseCategories") == closed
    await scene.move(MINUTE)
    for _ in range(10):
        if await _downloaded(scene, "purchaseCategories") == before:
            break
        await asyncio.sleep(0.3)
    assert await _downloaded(scene, "purchaseCategories") == before
    news = await _news(scene, after=cursor)
    assert {one for one, node in news.items() if node["kind"] == "CORRECTED"} == set(news) == lost
    assert {one: node["member"]["purchaseCategories"] for one, node in news.items()} == {
        one: before[one] for one in lost
    }
