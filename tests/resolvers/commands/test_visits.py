"""Page views: recorded with the visitor's choice alone, and no more of them than where and when (C3, C4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from resolvers.commands.visits import IDLE, MAX_PAGES, MAX_SECONDS, MAX_VISITS_A_DAY
from resolvers.exchange import Exchange
from schema.ids import new_id
from tests import world
from tests.asking import Asking
from tests.canaries import Detector
from tests.running import Callers

BEN = world.member("ben").principal
IDA = world.member("ida").principal
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
CALLED = "Firefox 143, Linux"
RECORD = """mutation ($input: RecordPageViewInput!) { recordPageView(input: $input) {
  errors { path code message }
  me { visits { totalCount edges { node {
    id startedAt ipAddress domain browser referringPage exitPage
    pageViews { totalCount edges { node { path viewedAt seconds } } }
  } } } }
} }"""
COOKIES = "mutation ($input: ChooseCookiesInput!) { chooseCookies(input: $input) { errors { path code } } }"


def exchange(cookies: Mapping[str, str] | None = None, **other: Any) -> Exchange:
    facts: dict[str, Any] = {"ip_address": "198.51.100.7", "user_agent": BROWSER, **other}
    return Exchange(cookies={"tracking": "yes"} if cookies is None else cookies, **facts)


async def record(
    asking: Asking, used: Exchange, path: str = "/page", principal: Any = BEN, **given: Any
) -> Any:
    variables = {"input": {"path": path, **given}}
    return (await asking.ask(principal, RECORD, variables, exchange=used)).data["recordPageView"]


def codes(answer: Any) -> list[Any]:
    return [(error["path"], error["code"]) for error in answer["errors"]]


def visits(answer: Any) -> list[Any]:
    return [edge["node"] for edge in answer["me"]["visits"]["edges"]]


def pages(visit: Any) -> list[str]:
    return [edge["node"]["path"] for edge in visit["pageViews"]["edges"]]


def cookie(used: Exchange, name: str) -> Any:
    (found,) = [each for each in used.to_set if each.name == name]
    return found


@pytest.mark.clause("C3")
async def test_a_page_view_is_recorded_with_what_the_request_tells(asking_alone: Asking) -> None:
    used = exchange()
    answer = await record(
        asking_alone, used, "/shop/books?q=secret#top", referrer="https://a.example/x?y=z#w", seconds=12
    )
    assert codes(answer) == []
    (visit,) = visits(answer)
    opened = "2026-11-23T11:59:48Z"
    told = {
        "ipAddress": "198.51.100.7", "browser": CALLED, "domain": None, "startedAt": opened,
        "referringPage": "https://a.example/x", "exitPage": "/shop/books",
    }  # fmt: skip
    assert {name: visit[name] for name in told} == told
    assert [edge["node"] for edge in visit["pageViews"]["edges"]] == [
        {"path": "/shop/books", "viewedAt": opened, "seconds": 12}
    ]
    kept = cookie(used, "visit")
    assert (kept.value, kept.max_age, kept.readable_by_scripts) == (visit["id"], IDLE.seconds, False)


@pytest.mark.clause("C4")
@pytest.mark.parametrize(
    "used",
    [
        exchange({}),
        exchange({"tracking": "no"}),
        exchange(opts_out=True),
        exchange(origin_admitted=False),
        exchange({"visit": str(new_id())}),
    ],
)
async def test_without_the_choice_nothing_is_recorded(asking_alone: Asking, used: Exchange) -> None:
    answer = await record(asking_alone, used)
    assert codes(answer) == [([], "COOKIES_DECLINED")]
    assert "__Host-tracking" in answer["errors"][0]["message"]
    assert "chooseCookies" in answer["errors"][0]["message"]
    assert visits(answer) == []
    assert used.to_set == []


@pytest.mark.clause("C3")
async def test_pages_of_one_visit_stand_together_until_nobody_goes_on(asking_alone: Asking) -> None:
    used = exchange()
    await record(asking_alone, used, "/one")
    going_on = exchange({"tracking": "yes", "visit": cookie(used, "visit").value})
    asking_alone.now = world.NOW + IDLE
    (visit,) = visits(await record(asking_alone, going_on, "/two", referrer="https://a.example/"))
    assert (pages(visit), visit["exitPage"], visit["referringPage"]) == (["/one", "/two"], "/two", None)
    asking_alone.now += IDLE + timedelta(seconds=1)
    second, first = visits(await record(asking_alone, going_on, "/three"))
    assert (pages(first), pages(second)) == (["/one", "/two"], ["/three"])
    assert first["exitPage"] == "/two"


@pytest.mark.clause("C3")
async def test_the_last_page_is_the_one_opened_last_whatever_arrives_last(asking_alone: Asking) -> None:
    used = exchange()
    await record(asking_alone, used, "/late", seconds=1)
    going_on = exchange({"tracking": "yes", "visit": cookie(used, "visit").value})
    (visit,) = visits(await record(asking_alone, going_on, "/early", seconds=60))
    assert (pages(visit), visit["exitPage"]) == (["/early", "/late"], "/late")


async def test_the_visit_of_somebody_else_does_not_go_on(asking_alone: Asking) -> None:
    used = exchange()
    (bens,) = visits(await record(asking_alone, used))
    stolen = exchange({"tracking": "yes", "visit": bens["id"]})
    (idas,) = visits(await record(asking_alone, stolen, "/ida", principal=IDA))
    assert idas["id"] != bens["id"]
    assert pages(visits(await record(asking_alone, stolen, "/ben"))[0]) == ["/page", "/ben"]


@pytest.mark.parametrize("named", ["", "none", "0" * 36, "01a20b7b-f233-7cf2-a900-976e944d378e"])
async def test_a_cookie_that_names_no_visit_begins_one(asking_alone: Asking, named: str) -> None:
    answer = await record(asking_alone, exchange({"tracking": "yes", "visit": named}))
    assert codes(answer) == []
    assert len(visits(answer)) == 1


@pytest.mark.clause("R1")
@pytest.mark.parametrize(
    ("given", "where", "code"),
    [
        ({"path": "/call/+12025550143"}, "path", "PHONE_NUMBER_IN_TEXT"),
        ({"path": "/call/%2B1202%35550143"}, "path", "PHONE_NUMBER_IN_TEXT"),
        ({"path": "/call/1202%2535550143"}, "path", "PHONE_NUMBER_IN_TEXT"),
        ({"path": "page"}, "path", "BAD_FORMAT"),
        ({"path": "https://example.org/"}, "path", "BAD_FORMAT"),
        ({"path": "/a%0ab"}, "path", "CONTROL_CHARACTER"),
        ({"path": "/" + "x" * 500}, "path", "TOO_LONG"),
        ({"path": "/", "seconds": -1}, "seconds", "BAD_FORMAT"),
        ({"path": "/", "referrer": "javascript:alert(1)"}, "referrer", "BAD_FORMAT"),
        ({"path": "/", "referrer": "https://[::1/"}, "referrer", "BAD_FORMAT"),
        ({"path": "/", "referrer": "https://a.example:99999/"}, "referrer", "BAD_FORMAT"),
    ],
)
async def test_what_is_not_fit_to_be_kept_is_refused(
    asking_alone: Asking, given: dict[str, Any], where: str, code: str
) -> None:
    answer = await record(asking_alone, exchange(), **given)
    assert codes(answer) == [([where], code)]
    assert visits(answer) == []


@pytest.mark.clause("R1")
@pytest.mark.parametrize(
    ("referrer", "kept"),
    [
        ("https://user:pw@A.example:8443/x", "https://a.example:8443/x"),
        ("https://a.example/t/+12025550143", "https://a.example/"),
        ("https://a.example/t/%2B12025550143", "https://a.example/"),
        ("https://12025550143.example/t", None),
        ("https://a.example/" + "x" * 600, "https://a.example/"),
        ("", None),
    ],
)
async def test_of_a_referrer_no_more_is_kept_than_may_be(
    asking_alone: Asking, referrer: str, kept: str | None
) -> None:
    answer = await record(asking_alone, exchange(), referrer=referrer)
    assert codes(answer) == []
    assert visits(answer)[0]["referringPage"] == kept


@pytest.mark.clause("R1", "C3")
async def test_a_browser_that_spells_a_number_is_not_named(asking_alone: Asking) -> None:
    detector = Detector()
    detector.add_number("+12025550143")
    answer = await record(asking_alone, exchange(user_agent="call +1 202 555 0143"))
    assert visits(answer)[0]["browser"] == "another browser"
    assert detector.search(str(answer)) == []


async def test_seconds_are_bounded(asking_alone: Asking) -> None:
    answer = await record(asking_alone, exchange(), seconds=2**31 - 1)
    assert visits(answer)[0]["pageViews"]["edges"][0]["node"]["seconds"] == MAX_SECONDS


async def test_visits_and_pages_are_bounded(asking_alone: Asking) -> None:
    ben = world.person("ben").id
    async with asking_alone.database.connection() as connection:
        await connection.execute(
            "INSERT INTO visit (id, member_id, started_at, ip_address)"
            " SELECT gen_random_uuid(), $1, $2, '::1' FROM generate_series(2, $3)",
            ben, world.NOW, MAX_VISITS_A_DAY,
        )  # fmt: skip
    used = exchange()
    assert codes(await record(asking_alone, used)) == []
    assert codes(await record(asking_alone, exchange())) == [([], "TOO_MANY")]
    visit = cookie(used, "visit").value
    async with asking_alone.database.connection() as connection:
        await connection.execute(
            "INSERT INTO page_view (id, visit_id, path, viewed_at, seconds)"
            " SELECT gen_random_uuid(), $1, '/', $2, 0 FROM generate_series(2, $3)",
            visit, world.NOW, MAX_PAGES,
        )  # fmt: skip
    full = exchange({"tracking": "yes", "visit": visit})
    assert codes(await record(asking_alone, full)) == [([], "TOO_MANY")]


@pytest.mark.clause("C4")
async def test_the_choice_is_kept_in_a_cookie_that_the_front_end_can_read(asking_alone: Asking) -> None:
    for who in ("visitor", "ben"):
        for tracking, word in ((True, "yes"), (False, "no")):
            used = exchange({})
            reply = await asking_alone.ask(
                world.CALLERS[who].principal, COOKIES, {"input": {"tracking": tracking}}, exchange=used
            )
            assert reply.data["chooseCookies"]["errors"] == []
            kept = cookie(used, "tracking")
            assert (kept.value, kept.max_age, kept.readable_by_scripts) == (word, 180 * 86_400, True)
    assert cookie(used, "visit").max_age == 0, "a visit that goes on is over"


@pytest.mark.clause("C4")
async def test_a_browser_that_declines_is_not_overruled(asking_alone: Asking) -> None:
    used = exchange({}, opts_out=True)
    variables = {"input": {"tracking": True}}
    reply = await asking_alone.ask(BEN, COOKIES, variables, exchange=used)
    assert codes(reply.data["chooseCookies"]) == [(["tracking"], "COOKIES_DECLINED")]
    assert used.to_set == []


async def test_a_page_of_another_origin_chooses_for_nobody(asking_alone: Asking) -> None:
    used = exchange({}, origin_admitted=False)
    reply = await asking_alone.ask(BEN, COOKIES, {"input": {"tracking": True}}, exchange=used)
    assert reply.codes == ["FORBIDDEN"]
    assert used.to_set == []


@pytest.mark.clause("C3", "C4")
async def test_a_browser_makes_its_way_over_http(callers: Callers) -> None:
    chosen = await callers.ask("visitor", COOKIES, input={"tracking": True})
    (written,) = chosen.headers.get_list("set-cookie")
    assert written.startswith("__Host-tracking=yes; Path=/; Max-Age=15552000; Secure; SameSite=Strict")
    headers = {**callers.headers("ben"), "cookie": "__Host-tracking=yes", "user-agent": BROWSER}
    body = {"query": RECORD, "variables": {"input": {"path": "/"}}}
    recorded = await callers.http.post("/graphql", json=body, headers=headers)
    answer = recorded.json()["data"]["recordPageView"]
    assert codes(answer) == []
    (visit,) = visits(answer)
    assert (visit["ipAddress"], visit["browser"]) == ("127.0.0.1", CALLED)
    (written,) = recorded.headers.get_list("set-cookie")
    assert written.startswith(f"__Host-visit={visit['id']}; ")
    assert "HttpOnly" in written
    declined = await callers.http.post("/graphql", json=body, headers={**headers, "sec-gpc": "1"})
    assert codes(declined.json()["data"]["recordPageView"]) == [([], "COOKIES_DECLINED")]


@pytest.mark.clause("C4")
async def test_the_site_says_that_it_honours_the_signal(callers: Callers) -> None:
    answer = await callers.http.get("/.well-known/gpc.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["gpc"] is True
    assert len(answer.json()["lastUpdate"]) == len("2026-11-24")
