from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import httpx
import pytest

from gateway.app import Gateway
from policies.matrix import Matrix, compile_matrix
from policies.rules import PolicySource
from policies.table import sharing_table
from schema.vocabulary import Language
from tests import world
from tests.gateway.web.test_pages import read
from tests.policies.commented import commented_rules
from tests.policies.conftest import source

__all__ = ["source"]

PAGES = ("/", "/policy", "/policy/matrix", "/policy/data")
EVERY = (*PAGES, "/policy.json")
BESIDE = {"/policy/": 404, "/policy/other": 404, "/policy.txt": 404}

GERMAN = {"accept-language": "de-AT, de;q=0.9, en;q=0.5"}


async def announce(gateway: Gateway, title: str, published: str, effective: str) -> None:
    async with gateway.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO notice (id, title, body, basis, purpose, categories, published_at, effective_at)"
            " VALUES (gen_random_uuid(), $1, 'First.' || chr(10) || chr(10) || 'Second.', 'MARKETING',"
            " 'marketing.communications.email', '{user.name}', $2, $3)",
            title,
            world.at(published),
            world.at(effective),
        )


@pytest.fixture
def stricter(source: PolicySource) -> Matrix:
    """The shipped policy, and that members in the EU opt in."""
    rule = commented_rules(source.rules)["opt-in-in-the-eu"]
    return compile_matrix(replace(source, rules=source.rules + rule))


@pytest.mark.clause("C16")
async def test_everybody_reads_the_policy_in_force_in_words(
    browser: httpx.AsyncClient, gateway: Gateway
) -> None:
    page = (await browser.get("/policy")).text
    assert "For offers that suit you and offers by e-mail: age band, e-mail address" in page
    assert "Only what you asked to have shared" in page
    assert "Telephone numbers and passwords are never shared" in page
    assert "Members under 18 are shared with nobody, except where the law requires it." in page
    assert gateway.product.matrix.digest in page
    home = (await browser.get("/")).text
    assert '<a href="/policy">In words</a>' in home
    assert "What will change" not in home


@pytest.mark.clause("C16")
async def test_another_policy_is_shown_as_soon_as_it_decides(
    browser: httpx.AsyncClient, gateway: Gateway, stricter: Matrix
) -> None:
    before = {path: await browser.get(path) for path in EVERY}
    assert "the European Union" not in before["/policy"].text
    gateway.policy.replace(stricter)
    after = {path: await browser.get(path) for path in EVERY}

    assert "If you live in the European Union: only if you agree to it." in after["/policy"].text
    assert "until opt-out (EU: on request)" in after["/policy/matrix"].text
    assert after["/policy.json"].json()["digest"] == stricter.digest
    for path in set(EVERY) - {"/policy/data"}:
        assert after[path].headers["etag"] != before[path].headers["etag"], path


@pytest.mark.clause("C16")
async def test_new_practices_are_announced_with_their_day_and_how_to_refuse_them(
    browser: httpx.AsyncClient, gateway: Gateway
) -> None:
    await announce(gateway, "We <work> with more companies", "2026-11-20", "2027-01-20")
    await announce(gateway, "Begun already", "2026-01-20", "2026-02-20")
    await announce(gateway, "Not announced yet", "2026-12-20", "2027-02-20")
    for path in ("/", "/policy"):
        page = (await browser.get(path)).text
        assert "<h3>We &lt;work&gt; with more companies</h3>\n<p>First.</p>\n<p>Second.</p>" in page
        assert (
            "What it is about: name. What for: offers by e-mail. Who receives it: marketing partners." in page
        )
        assert "Announced on 20 November 2026; in effect from 20 January 2027. To refuse it, go to" in page
        assert page.index("What will change") < page.index("We &lt;work&gt;") < page.index("Begun already")
        assert "Not announced yet" not in page
    german = (await browser.get("/", headers=GERMAN)).text
    assert "Angekündigt am 20. November 2026; wirksam ab dem 20. Januar 2027." in german
    (coming, begun) = (await browser.get("/policy.json")).json()["notices"]
    assert (coming["title"], begun["title"]) == ("We <work> with more companies", "Begun already")


ASKED: tuple[tuple[str, Mapping[str, str], Language], ...] = (
    ("/policy", {}, Language.EN),
    ("/policy", GERMAN, Language.DE),
    ("/policy", {"accept-language": "fr, *;q=0.1"}, Language.EN),
    ("/policy", {"accept-language": "en;q=0.4, de;q=0.5"}, Language.DE),
    ("/policy", {"accept-language": "de;q=0"}, Language.EN),
    ("/policy", {"accept-language": "de;q=x, ;;,=, en-;q=2"}, Language.EN),
    ("/policy?lang=en", GERMAN, Language.EN),
    ("/policy?lang=de", {}, Language.DE),
    ("/policy?lang=<b>", GERMAN, Language.DE),
    ("/policy.json?lang=de", {}, Language.DE),
)


async def test_the_language_of_the_reader_is_spoken(browser: httpx.AsyncClient) -> None:
    for path, headers, language in ASKED:
        answer = await browser.get(path, headers=headers)
        assert answer.status_code == 200
        assert (answer.headers["content-language"], answer.headers["vary"]) == (language, "accept-language")
        assert {Language.EN: "elephone number", Language.DE: "Telefonnummer"}[language] in answer.text
        assert "<b>" not in answer.text
        assert ("Strategische Partner erhalten" in answer.text) == (language is Language.DE), "the rules, too"
    addresses = [a["href"] for tag, a in read((await browser.get("/policy?lang=de")).text).seen if tag == "a"]
    assert addresses == [*(f"{path}?lang=de" for path in EVERY), "/policy?lang=en"], "it stays"


async def test_pages_run_nothing_load_nothing_and_lead_nowhere_else(browser: httpx.AsyncClient) -> None:
    for path in PAGES:
        answer = await browser.get(path)
        seen = read(answer.text).seen
        assert not {tag for tag, _ in seen} & {"script", "img", "link", "iframe", "form"}
        assert all((a["href"] or "").startswith("/") for tag, a in seen if tag == "a")
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert "set-cookie" not in answer.headers


async def test_pages_can_be_read_aloud(browser: httpx.AsyncClient) -> None:
    for path in PAGES:
        page = read((await browser.get(path, headers=GERMAN)).text)
        tags = [tag for tag, _ in page.seen]
        assert page.seen[0] == ("html", {"lang": "de"})
        assert tags.count("h1") == tags.count("main") == tags.count("title") == tags.count("nav") == 1
        levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
        assert all(below <= above + 1 for above, below in pairwise(levels))
        assert {a.get("scope") for tag, a in page.seen if tag == "th"} <= {"col", "row"}
        regions = [a for tag, a in page.seen if a.get("role") == "region"]
        assert len(regions) == tags.count("table") == tags.count("caption")
        assert all(region["aria-label"] and region["tabindex"] == "0" for region in regions)


async def test_whoever_has_a_page_already_is_told_that_it_still_holds(browser: httpx.AsyncClient) -> None:
    for path in EVERY:
        first = await browser.get(path)
        assert first.headers["cache-control"] == "public, no-cache"
        tag = first.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}'):
            again = await browser.get(path, headers={"if-none-match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
        assert (await browser.get(path, headers={"if-none-match": '"other"'})).content == first.content
        german = await browser.get(path, headers={"if-none-match": tag, **GERMAN})
        assert german.status_code == 200
        assert german.headers["etag"] != tag
        head = await browser.head(path)
        assert head.content == b""
        assert head.headers["content-length"] == str(len(first.content))


async def test_other_methods_and_other_paths_are_refused(browser: httpx.AsyncClient) -> None:
    for path in EVERY:
        answer = await browser.post(path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"
        assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"code": "METHOD_NOT_ALLOWED"}, "programs are told in JSON"
    for path, status in BESIDE.items():
        assert (await browser.get(path)).status_code == status


async def test_programs_read_the_same_as_people(browser: httpx.AsyncClient, gateway: Gateway) -> None:
    answer: dict[str, Any] = (await browser.get("/policy.json")).json()
    table = sharing_table(gateway.product.matrix)
    cells = {(c["basis"], c["purpose"], c["category"]): c["shared"] for c in answer["cells"]}
    assert cells == {
        (column.basis, column.purpose.name, row.category): cell.mark.name
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    }
    page = (await browser.get("/policy")).text
    for section in answer["text"]:
        assert section["title"] in page
    assert {rule["id"] for rule in answer["rules"]} == set(gateway.product.matrix.rules)
    assert answer["digest"] == gateway.product.matrix.digest


@pytest.mark.clause("R1")
async def test_nothing_depends_on_a_member_or_on_who_asks(
    browser: httpx.AsyncClient, gateway: Gateway
) -> None:
    before = [(await browser.get(path)).content for path in EVERY]
    async with gateway.database.transaction() as connection:
        await connection.execute("UPDATE member SET given_name = 'Nobody', region = 'DE', birth_date = NULL")
        await connection.execute("UPDATE phone SET label = 'Elsewhere'")
    bearer = {"authorization": "Bearer nonsense", "cookie": "__Host-refresh=x", "sec-gpc": "1"}
    after = [(await browser.get(path, headers=bearer)).content for path in EVERY]
    assert before == after
