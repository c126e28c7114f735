"""What is asked most goes straight to its endpoint, and nobody can tell it by the answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from gateway.application import Application
from gateway.http.cors import cors
from gateway.http.elsewhere import answers
from tests.gateway.http.conftest import client
from tests.gateway.http.reference import endpoint

SHOP = "https://shop.example"
ASKED = {"query": "{ hello }"}
SENT = (("POST", b'{"query":"{ hello }"}'), ("POST", b"{"), ("PUT", b""), ("HEAD", b""))
ELSEWHERE = ["/nowhere", "/graphql/", "/graphql/x", "/GraphQL", "//graphql", "/graphql%2f"]
VARYING = {"x-request-id", "date"}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    graphql = endpoint()
    application = Application(
        {"/graphql": graphql},
        routes=[Route("/graphql", graphql)],
        middleware=cors([SHOP]),
        exception_handlers={HTTPException: answers("A shop")},
    )
    async with client(application) as opened:
        yield opened


def told(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name not in VARYING}
    return answer.status_code, answer.content, headers


async def test_a_page_of_an_admitted_origin_may_ask(http: httpx.AsyncClient) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    preflight = await http.options("/graphql", headers={"origin": SHOP, **asks})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == SHOP
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    answer = await http.post("/graphql", json=ASKED, headers={"Origin": SHOP})
    assert answer.json() == {"data": {"hello": "hello"}}
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["access-control-allow-credentials"] == "true"


async def test_a_page_of_another_origin_is_told_nothing(http: httpx.AsyncClient) -> None:
    other = {"origin": "https://other.example"}
    preflight = await http.options("/graphql", headers={**other, "access-control-request-method": "POST"})
    assert preflight.status_code == 400
    for answer in (preflight, await http.post("/graphql", json=ASKED, headers=other)):
        assert "access-control-allow-origin" not in answer.headers


async def test_who_is_no_page_is_answered_alike_both_ways(http: httpx.AsyncClient) -> None:
    graphql = endpoint()
    round_about = Application({}, routes=[Route("/graphql", graphql)])
    async with client(round_about) as other:
        for method, content in (
            ("POST", b'{"query":"{ hello }"}'),
            ("POST", b"{"),
            ("PUT", b""),
            ("HEAD", b""),
        ):
            headers = {"content-type": "application/json"}
            straight = await http.request(method, "/graphql", content=content, headers=headers)
            assert "access-control-allow-origin" not in straight.headers
            expected = await other.request(method, "/graphql", content=content, headers=headers)
            assert told(straight) == told(expected), (method, content)


@pytest.mark.parametrize(
    "path", ["/nowhere", "/graphql/", "/graphql/x", "/GraphQL", "//graphql", "/graphql%2f"]
)
@pytest.mark.parametrize("headers", [{}, {"origin": SHOP}])
async def test_no_other_path_leads_to_the_endpoint(
    http: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    http._transport.app.router.redirect_slashes = False  # type: ignore[attr-defined]
    answer = await http.post(path, json=ASKED, headers=headers)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_what_is_passed_by_does_nothing_but_answer_browsers() -> None:
    """A middleware that does more would be passed by as well: it would have to stand in the endpoint."""
    assert cors([]) == []
    (layer,) = cors([SHOP])
    assert layer.cls is CORSMiddleware  # type: ignore[comparison-overlap]
