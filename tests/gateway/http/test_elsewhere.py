"""Where there is nothing, programs get our errors and browsers a page; neither hears its path again."""

from __future__ import annotations

import pytest

from tests.running import Callers

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere-4155550132", 404, "NOT_FOUND"),
        ("POST", "/nowhere", 404, "NOT_FOUND"),
        ("GET", "/graphql/", 404, "NOT_FOUND"),
        ("POST", "/healthz", 405, "METHOD_NOT_ALLOWED"),
    ],
)
async def test_an_address_with_nothing_answers_as_every_other(
    callers: Callers, method: str, path: str, status: int, code: str
) -> None:
    answer = await callers.http.request(method, path)
    assert answer.status_code == status
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == code
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = await callers.http.request(method, path, headers=BROWSER)
    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    assert "content-security-policy" in page.headers
    assert "<h1>" in page.text
    for said in (answer, page):
        assert "nowhere" not in said.text
        assert ("allow" in said.headers) == (status == 405)


@pytest.mark.parametrize("header", ["Basic YTpi", "Token 4155550132", "Bearer"])
async def test_another_way_to_sign_in_is_told_which_one_is_taken(callers: Callers, header: str) -> None:
    asked = {"query": "{ __typename }"}
    answer = await callers.http.post("/graphql", json=asked, headers={"authorization": header})
    assert answer.status_code == 401
    assert "`Authorization` is `Bearer` and a token" in answer.json()["errors"][0]["message"]
    assert "4155550132" not in answer.text
