"""Odd requests, byte by byte: what is refused, what ends the connection, what is neither kept nor logged."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from tests.attacks.twins import Twins
from tests.attacks.wire import Line, connected
from tests.gateway.http.conftest import Log, log

__all__ = ["log"]


@pytest.fixture
async def line(twins: Twins) -> AsyncIterator[Line]:
    async with connected(twins.left.base_url) as opened:
        yield opened


def token(twins: Twins, caller: str) -> str:
    found = twins.tokens[caller]
    assert found is not None
    return found


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ viewer { audience } }", "query": "{ me { id } }"}',
        b'{"query": "\\u0000{ viewer { audience } }"}',
        b'{"query": "{ viewer { audience } }", "variables": {"a": "\\ud800"}}',
        b'{"query": "{ viewer { audience } }", "variables": {"a": NaN}}',
        b'\xef\xbb\xbf{"query": "{ viewer { audience } }"}',
        b'{"query": "{ viewer { audience } }"}' + b"\x00",
        b'{"query": ' + b"[" * 40_000,
        b'{"query": "{ viewer { audience } }", "variables": ' + b'{"a":' * 15_000 + b"1" + b"}" * 15_001,
        b'[{"query": "{ viewer { audience } }"}]',
        b"\xff\xfe{\x00}\x00",
        b"",
        b"1" * 90_000,
    ],
    ids=range(12),
)  # fmt: skip
async def test_an_odd_body_is_refused(line: Line, body: bytes) -> None:
    answer = await line.request("POST", "/graphql", [("content-type", "application/json")], body)

    assert answer.status == 400
    assert answer.codes


@pytest.mark.parametrize(
    "headers",
    [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "content-length: 5\r\ncontent-length: 6",
        "content-length: +5",
        "transfer-encoding: chunked, chunked",
        "transfer-encoding: xchunked",
        "transfer-encoding:\x0bchunked",
        "content-type : application/json",
        "x: a\r\n b",
    ],
)
async def test_a_request_that_two_servers_could_part_differently_ends_the_connection(
    twins: Twins, headers: str
) -> None:
    smuggled = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"
    async with connected(twins.left.base_url) as line:
        answer = await line.raw(
            f"POST /graphql HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\n0\r\n\r\n{smuggled}".encode()
        )
        rest = await line.rest()

    assert answer.status == 400
    assert rest == b""


@pytest.mark.parametrize(
    "header", ["authorization: Bearer b", "content-type: text/plain", "content-encoding: gzip"]
)
async def test_a_header_that_is_there_twice_is_read_by_nobody(twins: Twins, line: Line, header: str) -> None:
    name, _, value = header.partition(": ")
    headers = [
        ("content-type", "application/json"),
        ("authorization", f"Bearer {token(twins, 'member first')}"),
    ]
    headers += [(name, value)] * (2 if name == "content-encoding" else 1)
    answer = await line.request("POST", "/graphql", headers, b'{"query": "{ me { id } }"}')

    assert answer.codes == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    "target", ["/graphql/", "/graphql/?query=kilroy", "//graphql", "/Graphql", "/graphql;a"]
)
async def test_no_other_path_is_redirected(line: Line, target: str) -> None:
    """A redirect would be built from the `Host` header and repeat what was asked."""
    answer = await line.request("GET", target, [("x-forwarded-host", "kilroy")])

    assert answer.status == 404
    assert answer.header(b"location") is None
    assert b"kilroy" not in answer.body


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("caller", ["visitor", "member first", "partner alder all", "cut"])
async def test_no_cache_keeps_an_answer(twins: Twins, line: Line, method: str, caller: str) -> None:
    credential = twins.tokens[caller]
    headers = [] if credential is None else [("authorization", f"Bearer {credential}")]
    if method == "GET":
        answer = await line.request("GET", "/graphql?query=%7Bviewer%7Baudience%7D%7D", headers)
    else:
        answer = await line.ask("{ viewer { audience } }", credential)

    assert answer.header(b"cache-control") == b"private, no-store"
    assert answer.header(b"vary") == b"Accept, Authorization, Cookie, Origin"
    assert answer.header(b"x-content-type-options") == b"nosniff"
    assert answer.header(b"server") is None
    assert answer.header(b"etag") is None


async def test_nothing_that_a_caller_sends_stands_in_the_log(twins: Twins, line: Line, log: Log) -> None:
    marks = ("kilroy", "4155550132")
    forged = '"}\\n{"time":"2025","level":"INFO","event":"kilroy"}'
    bearer = token(twins, "partner alder all")
    await line.ask("query kilroy { viewer { audience } }", bearer, operationName="kilroy")
    await line.ask(f'{{ member(id: "{forged}") {{ id }} }}', bearer)
    await line.ask("{ kilroy }", bearer)
    await line.ask(
        "query($kilroy: Int!) { members(first: $kilroy) { totalCount } }",
        bearer,
        variables={"kilroy": forged},
    )
    await line.request(
        "GET",
        "/graphql?query=kilroy%0a4155550132&kilroy=1",
        [("x-request-id", "kilroy"), ("user-agent", forged)],
    )
    await line.request(
        "POST", "/graphql?kilroy", [("content-type", "kilroy"), ("authorization", "Bearer kilroy")], b"kilroy"
    )
    written = log()

    assert len(written) >= 6
    assert not [entry for entry in written if any(mark in json.dumps(entry) for mark in marks)]
