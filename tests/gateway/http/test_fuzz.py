"""Whatever is sent: one well-formed answer, never a 500, and the marker nowhere in it nor in the log."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.http.graphql import GraphQLEndpoint
from gateway.telemetry import JsonLines
from tests.gateway.http.reference import TOKEN, endpoint

MARKER = "5551234567"
ENDPOINT = endpoint()
FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])

texts = st.one_of(st.just(MARKER), st.just(f"x{MARKER}"), st.just(f'"{MARKER}"'), st.text(max_size=30))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts, st.just(int(MARKER))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
FRAGMENTS = (
    "{",
    "}",
    "(",
    ")",
    ":",
    "[",
    "]",
    "!",
    "$",
    "@",
    "...",
    "query",
    "mutation",
    "subscription",
    "fragment",
    "on",
    "me",
    "id",
    "name",
    "hello",
    "members",
    "first",
    "where",
    "region",
    "ages",
    "node",
    "list",
    "Member",
    "Where",
    "Int",
    "String",
    "@include",
    "if",
    "__typename",
    "__schema",
    "types",
    "true",
    "null",
    "Q",
    "A",
    f'"{MARKER}"',
    MARKER,
    f"x{MARKER}",
    f"${MARKER}",
    f"$v{MARKER}",
    f"@d{MARKER}",
    f'"""{MARKER}',
    f'"{MARKER}',
    "#",
    f"{MARKER}.5",
    f"0{MARKER}",
    f"\\u{MARKER}",
    "=",
    "&",
    "|",
    "?",
)
documents = st.one_of(texts, st.lists(st.sampled_from(FRAGMENTS), max_size=25).map(" ".join))
WRONG_VALUES = (
    "{ members(first: %s) { totalCount } }",
    "{ members(where: {region: %s}) { totalCount } }",
    "{ members(where: {region: NORTH, ages: [1, %s]}) { totalCount } }",
    "{ members(where: %s) { totalCount } }",
    "{ hello(name: %s) }",
    "{ hello(name: 1, x: %s) }",
    "{ hello @include(if: %s) }",
    "query($v: Int = %s) { members(first: $v) { totalCount } }",
    "query($v: Where = %s) { members(where: $v) { totalCount } }",
)
LITERALS = (
    f'"{MARKER}"',
    MARKER,
    f"x{MARKER}",
    f"{{x{MARKER}: 1}}",
    f"[{MARKER}]",
    f"{MARKER}.5",
    f'"""{MARKER}"""',
)
WRONG_NAMES = (
    "{ %s }",
    "{ hello %s: me { id } %s: hello }",
    "{ me { ...%s } }",
    "fragment %s on Member { id } { hello }",
    "{ me { ... on %s { id } } }",
    "{ hello(%s: 1) }",
    "{ hello @%s }",
    "query($%s: Int) { hello }",
    "{ hello(name: $%s) }",
    "query Q($v: %s) { hello(name: $v) }",
    "query %s { hello } query %s { hello }",
    "query Q($v: Int, $v: Int) { members(first: $v) { %s } }",
    "{ members(where: {region: NORTH, %s: 1}) { totalCount } }",
    "{ me { friend { ...%s } } } fragment %s on Member { friend { ...%s } }",
    "subscription %s { %s }",
    "extend type %s { a: Int }",
)
NAMES = (f"x{MARKER}", f"_{MARKER}", f"x_{MARKER}_y")
wrong_names = st.builds(
    lambda document, name: document.replace("%s", name), st.sampled_from(WRONG_NAMES), st.sampled_from(NAMES)
)
wrong = st.builds(
    lambda document, value: document % value, st.sampled_from(WRONG_VALUES), st.sampled_from(LITERALS)
)


def ask(
    app: GraphQLEndpoint, method: str, headers: list[tuple[bytes, bytes]], query: bytes, body: bytes
) -> None:
    """Send one request; hold that the answer is one, well-formed, without the marker."""
    sent: list[Any] = []
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    messages = [{"type": "http.request", "body": body}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    logger = logging.getLogger("gateway")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        scope = {
            "type": "http",
            "method": method,
            "headers": headers,
            "query_string": query,
            "path": "/graphql",
        }
        asyncio.run(app(scope, receive, send))
    finally:
        logger.removeHandler(handler)
    start, content = sent
    assert start["status"] < 500
    answer = json.loads(content["body"])
    assert "data" in answer or answer["errors"]
    for error in answer.get("errors", ()):
        assert error["extensions"]["code"] != "INTERNAL"
        assert MARKER not in json.dumps(error | {"path": None})
    assert MARKER not in repr(start)
    assert MARKER not in stream.getvalue()


POST = [(b"content-type", b"application/json"), (b"accept", b"application/graphql-response+json")]


@FUZZ
@given(st.binary(max_size=200), st.binary(max_size=60))
@example(b'{"query":"{\\u0000}"}', b"query=%00")
def test_random_bytes(body: bytes, query: bytes) -> None:
    ask(ENDPOINT, "POST", POST, b"", body)
    ask(ENDPOINT, "GET", [], query, b"")


@FUZZ
@given(values)
def test_random_json(value: Any) -> None:
    ask(ENDPOINT, "POST", POST, b"", json.dumps(value).encode())


@FUZZ
@given(
    st.fixed_dictionaries(
        {"query": documents},
        optional={"variables": values, "operationName": values, "extensions": values, "documentId": values},
    )
)
def test_random_requests(request: dict[str, Any]) -> None:
    ask(ENDPOINT, "POST", POST, b"", json.dumps(request).encode())


@FUZZ
@given(wrong)
def test_wrong_literals(document: str) -> None:
    ask(ENDPOINT, "POST", POST, b"", json.dumps({"query": document}).encode())


@FUZZ
@given(wrong_names)
def test_wrong_names(document: str) -> None:
    ask(ENDPOINT, "POST", POST, b"", json.dumps({"query": document, "operationName": MARKER}).encode())
    ask(ENDPOINT, "POST", POST, b"", json.dumps({"query": document}).encode())


@FUZZ
@given(st.dictionaries(st.sampled_from(("n", "where", "x", MARKER)), values, max_size=3))
def test_wrong_variables(variables: dict[str, Any]) -> None:
    document = "query($n: Int!, $where: Where) { members(first: $n, where: $where) { totalCount } }"
    ask(ENDPOINT, "POST", POST, b"", json.dumps({"query": document, "variables": variables}).encode())


@FUZZ
@given(
    st.sampled_from(("GET", "POST", "PUT", MARKER)),
    st.lists(
        st.tuples(
            st.sampled_from(
                (
                    b"accept",
                    b"content-type",
                    b"authorization",
                    b"content-length",
                    b"content-encoding",
                    b"origin",
                )
            ),
            st.one_of(
                st.binary(max_size=30),
                st.sampled_from(
                    (MARKER.encode(), f"Bearer {MARKER}".encode(), f"Bearer {TOKEN}".encode(), b"*/*;q=1")
                ),
            ),
        ),
        max_size=5,
    ),
)
def test_random_headers(method: str, headers: list[tuple[bytes, bytes]]) -> None:
    ask(ENDPOINT, method, headers, b"query={hello}", b'{"query": "{ hello }"}')
