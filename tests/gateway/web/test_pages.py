from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import MutableMapping
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from gateway.web.edge import PageEndpoint
from gateway.web.pages import Page, problems, rendered, text
from resolvers.commands.unsubscribing import unsubscribe_token
from resolvers.means import Means
from tests import world
from tests.gateway.http.conftest import Log, log

__all__ = ["log"]

PATHS = ("/confirm/x", "/reset/x", "/unsubscribe/x")
VOID = {"meta", "input", "br"}


class Reader(HTMLParser):
    """Finds out whether elements are closed, and which there are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(body: str) -> Reader:
    reader = Reader()
    reader.feed(body)
    reader.close()
    assert not reader.open
    return reader


@pytest.fixture
def paths(means: Means) -> list[str]:
    token = unsubscribe_token(means.tokens, world.person("ada").id)
    return [*PATHS, f"/unsubscribe/{token}"]


async def test_pages_run_nothing_load_nothing_and_are_not_kept(
    browser: httpx.AsyncClient, paths: list[str]
) -> None:
    for path in paths:
        answer = await browser.get(path)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
        assert "set-cookie" not in answer.headers
        (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert answer.headers["content-security-policy"] == (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none';"
            " frame-ancestors 'none'"
        )
        tags = {tag for tag, _ in read(answer.text).seen}
        assert not tags & {"script", "img", "link", "iframe", "a"}


async def test_pages_can_be_read_aloud_and_filled_in(browser: httpx.AsyncClient, paths: list[str]) -> None:
    for path in paths:
        page = read((await browser.get(path)).text)
        tags = [tag for tag, _ in page.seen]
        assert page.seen[0] == ("html", {"lang": "en"})
        assert tags.count("h1") == tags.count("main") == tags.count("title") == 1
        labels = {attributes.get("for") for tag, attributes in page.seen if tag == "label"}
        assert labels == {attributes["id"] for tag, attributes in page.seen if tag == "input"}


def test_a_text_stays_a_text() -> None:
    shown = rendered(Page("<b>", text("</p><script>alert(1)</script>")), '"&').decode()
    assert "<script>" not in shown
    assert "<title>&lt;b&gt; – &quot;&amp;</title>" in shown
    assert "<i>" not in problems(["<i>"])


async def test_other_methods_are_refused(browser: httpx.AsyncClient, paths: list[str]) -> None:
    for path in paths:
        answer = await browser.request("DELETE", path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD, POST"


async def test_head_is_get_without_a_body(browser: httpx.AsyncClient, paths: list[str]) -> None:
    for path in paths:
        head, get = await browser.head(path), await browser.get(path)
        assert head.content == b""
        assert head.status_code == get.status_code
        assert head.headers["content-length"] == get.headers["content-length"]


async def test_the_log_holds_no_token(browser: httpx.AsyncClient, log: Log) -> None:
    for path in ("/confirm/SECRET", "/reset/SECRET", "/unsubscribe/SECRET"):
        await browser.get(path)
        await browser.post(path, data={"password": "SECRET"})

    lines = [line for line in log() if line["event"] == "request"]
    assert {line["path"] for line in lines} == {"/confirm", "/reset", "/unsubscribe"}
    assert len(lines) == 6
    assert "SECRET" not in str(log())


async def test_a_body_that_is_too_long_is_not_read_to_its_end(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/confirm/x", content=b"a" * 8_193)
    assert answer.status_code == 413


async def test_a_body_that_never_comes_is_answered() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def never() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def page(_: object) -> Page:
        raise AssertionError

    endpoint = PageEndpoint(site="Shop", path="/x", look=page, act=page, timeout=0.01)
    await endpoint({"method": "POST", "headers": []}, never, send)
    assert sent[0]["status"] == 503
