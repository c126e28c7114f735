from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import httpx
import pytest

from gateway.http.errors import ILL_FORMED
from gateway.operations import digest_of
from gateway.settings import DocumentPolicy
from tests.gateway.http.conftest import Log, client
from tests.gateway.http.reference import SECRET, TOKEN, Documents, ReferenceEngine, endpoint

MODERN = {"accept": "application/graphql-response+json"}
LEGACY = {"accept": "application/json"}
URL = "/graphql"


def code(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["extensions"]["code"])


def body(**members: Any) -> dict[str, Any]:
    return {"query": "{ hello }"} | members


POSTS: list[tuple[str, bytes | str, int, str | None]] = [
    ("a query", json.dumps(body()), 200, None),
    (
        "null for what is optional",
        json.dumps(body(variables=None, operationName=None, extensions=None)),
        200,
        None,
    ),
    ("further members are ignored", json.dumps(body(id="1")), 200, None),
    ("an empty operation name means none", json.dumps(body(operationName="")), 200, None),
    ("no body", b"", 400, "BAD_JSON"),
    ("not JSON", b'{ "query', 400, "BAD_JSON"),
    ("not UTF-8", b'{"query": "\xff"}', 400, "BAD_JSON"),
    ("a name twice", b'{"query": "{ hello }", "query": "{ me { id } }"}', 400, "BAD_JSON"),
    (
        "a name twice within variables",
        b'{"query": "{ hello }", "variables": {"a": 1, "a": 2}}',
        400,
        "BAD_JSON",
    ),
    ("NaN", b'{"query": "{ hello }", "variables": {"a": NaN}}', 400, "BAD_JSON"),
    ("a lone surrogate", b'{"query": "{ hello }", "variables": {"a": "\\ud800"}}', 400, "BAD_JSON"),
    ("NUL", b'{"query": "{ hello }", "variables": {"a": "\\u0000"}}', 400, "BAD_JSON"),
    ("an escaped backslash is no NUL", b'{"query": "{ hello }", "variables": {"a": "\\\\u0000"}}', 200, None),
    (
        "nested deeper than any parser likes",
        b'{"query": ' + b"[" * 4_000 + b"]" * 4_000 + b"}",
        400,
        "BAD_JSON",
    ),
    ("a huge number", b'{"query": "{ hello }", "variables": {"a": ' + b"9" * 5_000 + b"}}", 400, "BAD_JSON"),
    ("a batch", json.dumps([body()]), 400, "BATCHING_UNSUPPORTED"),
    ("a string", b'"{ hello }"', 400, "BAD_REQUEST"),
    ("null", b"null", 400, "BAD_REQUEST"),
    ("no document", json.dumps({"qeury": "{ hello }"}), 400, "BAD_REQUEST"),
    ("a document that is no string", json.dumps(body(query=1)), 400, "BAD_REQUEST"),
    ("variables that are a string", json.dumps(body(variables="{}")), 400, "BAD_REQUEST"),
    ("variables that are a list", json.dumps(body(variables=[])), 400, "BAD_REQUEST"),
    ("extensions that are false", json.dumps(body(extensions=False)), 400, "BAD_REQUEST"),
    ("an operation name that is a number", json.dumps(body(operationName=0)), 400, "BAD_REQUEST"),
    ("document and id at once", json.dumps(body(documentId="a")), 400, "BAD_REQUEST"),
    ("a strange persistedQuery", json.dumps(body(extensions={"persistedQuery": 1})), 400, "BAD_REQUEST"),
    ("syntax", json.dumps(body(query="{")), 400, "GRAPHQL_PARSE_FAILED"),
    ("an unknown field", json.dumps(body(query="{ nothing }")), 400, "GRAPHQL_VALIDATION_FAILED"),
    ("an unknown operation", json.dumps(body(operationName="Other")), 400, "OPERATION_NOT_FOUND"),
    (
        "two operations, no name",
        json.dumps(body(query="query A {hello} query B {hello}")),
        400,
        "OPERATION_NAME_REQUIRED",
    ),
    (
        "a bad variable",
        json.dumps(body(query="query($n: String) { hello(name: $n) }", variables={"n": 1})),
        400,
        "BAD_VARIABLES",
    ),
    ("a mutation", json.dumps(body(query='mutation { rename(name: "x") { id } }')), 200, None),
    ("too costly", json.dumps(body(query="{ list(first: 900000) { id } }")), 400, "TOO_COSTLY"),
]


@pytest.mark.parametrize(
    ("content", "status", "expected"), [row[1:] for row in POSTS], ids=[row[0] for row in POSTS]
)
async def test_post(http: httpx.AsyncClient, content: bytes | str, status: int, expected: str | None) -> None:
    headers = {"content-type": "application/json"}
    modern = await http.post(URL, content=content, headers=headers | MODERN)
    legacy = await http.post(URL, content=content, headers=headers | LEGACY)
    assert modern.status_code == status
    assert modern.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    assert legacy.status_code == (400 if expected in ILL_FORMED else 200)
    assert legacy.headers["content-type"] == "application/json; charset=utf-8"
    if expected is None:
        assert "errors" not in modern.json()
        assert modern.json() == legacy.json()
    else:
        assert code(modern) == code(legacy) == expected
        assert "data" not in modern.json()


GETS: list[tuple[str, dict[str, str] | str, int, str | None]] = [
    ("a query", {"query": "{ hello }"}, 200, None),
    (
        "empty means absent",
        {"query": "{ hello }", "operationName": "", "variables": "", "extensions": ""},
        200,
        None,
    ),
    ("variables", {"query": "query($n: String) { hello(name: $n) }", "variables": '{"n": "x"}'}, 200, None),
    ("further members are ignored", {"query": "{ hello }", "utm": "1"}, 200, None),
    ("a mutation", {"query": "mutation { __typename }"}, 405, "MUTATION_OVER_GET"),
    (
        "a mutation by name",
        {"query": "query A {hello} mutation B {__typename}", "operationName": "B"},
        405,
        "MUTATION_OVER_GET",
    ),
    (
        "a query beside a mutation",
        {"query": "query A {hello} mutation B {__typename}", "operationName": "A"},
        200,
        None,
    ),
    ("no document", {}, 400, "BAD_REQUEST"),
    ("an empty document", {"query": ""}, 400, "GRAPHQL_PARSE_FAILED"),
    ("variables that are no object", {"query": "{ hello }", "variables": "[]"}, 400, "BAD_REQUEST"),
    ("variables that are no JSON", {"query": "{ hello }", "variables": "{"}, 400, "BAD_JSON"),
    ("a parameter twice", "query=%7Bhello%7D&query=%7Bme%7D", 400, "BAD_REQUEST"),
    ("not UTF-8", "query=%ff", 400, "BAD_REQUEST"),
    ("too many parameters", "&".join(["a=1"] * 60), 400, "BAD_REQUEST"),
    ("too long", {"query": "{ hello }" + " " * 10_000}, 414, "URI_TOO_LONG"),
]


@pytest.mark.parametrize(
    ("params", "status", "expected"), [row[1:] for row in GETS], ids=[row[0] for row in GETS]
)
async def test_get(
    http: httpx.AsyncClient, params: dict[str, str] | str, status: int, expected: str | None
) -> None:
    if isinstance(params, str):
        response = await http.get(f"{URL}?{params}", headers=MODERN)
    else:
        response = await http.get(URL, params=params, headers=MODERN)
    assert response.status_code == status
    assert expected is None or code(response) == expected
    if status == 405:
        assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_refused_with_those_that_are_not(
    http: httpx.AsyncClient, method: str
) -> None:
    response = await http.request(method, URL)
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON ; charset="UTF-8"', 200),
        ("application/json; charset=latin-1", 415),
        ("application/graphql", 415),
        ("text/plain", 415),
        ("text/plain; application/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=a", 415),
        ("", 415),
        (None, 415),
    ],
)
async def test_only_json_in_utf8_is_read(
    http: httpx.AsyncClient, content_type: str | None, status: int
) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    response = await http.post(URL, content=json.dumps(body()), headers=headers)
    assert response.status_code == status


async def test_a_compressed_body_is_refused(http: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    response = await http.post(URL, content=gzip.compress(json.dumps(body()).encode()), headers=headers)
    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_over_the_limit_is_refused_with_and_without_its_length(http: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 1_000

    headers = {"content-type": "application/json"}
    announced = await http.post(URL, content=b" " * 20_000, headers=headers)
    chunked = await http.post(URL, content=chunks(), headers=headers)
    assert announced.status_code == chunked.status_code == 413
    assert code(announced) == code(chunked) == "BODY_TOO_LARGE"
    assert "max_body_bytes" in chunked.json()["errors"][0]["message"]


async def test_none_of_our_media_types_is_406(http: httpx.AsyncClient) -> None:
    response = await http.post(URL, json=body(), headers={"accept": "text/html"})
    assert (response.status_code, code(response)) == (406, "NOT_ACCEPTABLE")


async def test_a_bad_credential_is_401_for_both_media_types(http: httpx.AsyncClient) -> None:
    for accept in (MODERN, LEGACY):
        response = await http.post(URL, json=body(), headers=accept | {"authorization": "Bearer other"})
        assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == 'Bearer realm="graphql", error="invalid_token"'


async def test_two_credentials_are_refused(http: httpx.AsyncClient) -> None:
    headers = [("authorization", f"Bearer {TOKEN}"), ("authorization", "Bearer other")]
    response = await http.post(URL, json=body(), headers=headers)
    assert code(response) == "BAD_REQUEST"


async def test_no_answer_may_be_kept_or_sniffed(http: httpx.AsyncClient) -> None:
    for response in (await http.post(URL, json=body()), await http.put(URL)):
        assert response.headers["cache-control"] == "private, no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["vary"] == "Accept, Authorization, Cookie, Origin"


async def test_errors_of_fields_have_paths_and_leave_the_rest(http: httpx.AsyncClient, log: Log) -> None:
    response = await http.post(
        URL, json=body(query="{ hello a: refused broken surely: hello }"), headers=MODERN
    )
    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "hello", "a": None, "broken": None, "surely": "hello"}
    refused, broken = response.json()["errors"]
    assert refused["extensions"] == {"code": "BAD_CURSOR"}
    assert (refused["path"], refused["locations"]) == (["a"], [{"line": 1, "column": 9}])
    request_id = response.headers["x-request-id"]
    assert broken["extensions"] == {"code": "INTERNAL", "requestId": request_id}
    failed, access = log()
    assert (failed["event"], failed["error"], failed["request_id"]) == (
        "field.failed",
        "builtins.RuntimeError",
        request_id,
    )
    assert access["request_id"] == request_id
    assert SECRET not in response.text + json.dumps(log())


async def test_a_null_where_none_may_be_is_internal(http: httpx.AsyncClient) -> None:
    response = await http.post(URL, json=body(query="{ surely }"), headers=MODERN)
    assert response.status_code == 200
    assert response.json()["data"] is None
    assert code(response) == "INTERNAL"


async def test_an_engine_that_fails_is_internal_and_says_nothing(log: Log) -> None:
    class Broken(ReferenceEngine):
        async def execute(self, *_: Any) -> Any:
            raise ValueError(SECRET)

    async with client(endpoint(Broken())) as http:
        response = await http.post(URL, json=body(), headers=MODERN)
    assert (response.status_code, code(response)) == (500, "INTERNAL")
    assert SECRET not in response.text + json.dumps(log())


async def test_a_request_that_takes_too_long_is_ended() -> None:
    engine = ReferenceEngine()
    async with client(endpoint(engine, request_timeout=0.1)) as http:
        response = await http.post(URL, json=body(query="{ slow }"), headers=MODERN)
    assert (response.status_code, code(response)) == (503, "TIMEOUT")
    assert engine.root.cancelled.is_set()


async def test_a_body_that_does_not_arrive_is_given_up() -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(30)
        return {}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "method": "POST",
        "path": "/graphql",
        "headers": [(b"content-type", b"application/json")],
        "query_string": b"",
    }
    await endpoint(request_timeout=0.1)(scope, receive, send)
    assert sent[0]["status"] == 408


async def test_a_caller_who_leaves_ends_the_work(log: Log) -> None:
    engine = ReferenceEngine()
    messages = [{"type": "http.request", "body": json.dumps(body(query="{ slow }")).encode()}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "method": "POST",
        "path": "/graphql",
        "headers": [(b"content-type", b"application/json")],
        "query_string": b"",
    }
    async with asyncio.timeout(3):
        await endpoint(engine)(scope, receive, send)
    assert engine.root.cancelled.is_set()
    assert sent == []
    assert log()[-1]["status"] == 499


async def test_the_access_line_names_things_and_holds_no_value(http: httpx.AsyncClient, log: Log) -> None:
    headers = MODERN | {"authorization": f"Bearer {TOKEN}", "user-agent": "marker-4711"}
    query = "query Marker4711 { hello }"
    await http.post(URL + "?marker-4711", json=body(query=query), headers=headers)
    line = log()[-1]
    assert line.keys() == {
        "time",
        "level",
        "event",
        "method",
        "path",
        "status",
        "milliseconds",
        "audience",
        "operation",
        "code",
        "request_id",
    }
    assert (line["method"], line["path"], line["status"], line["audience"]) == (
        "POST",
        "/graphql",
        200,
        "PARTNER",
    )
    assert digest_of(query).startswith(line["operation"])
    assert "4711" not in json.dumps(
        {k: v for k, v in line.items() if k not in {"time", "milliseconds", "request_id", "operation"}}
    )


@pytest.mark.parametrize(
    "query",
    [
        'query { hello(name: "+14155550132") }',
        'query { hello(name: """+14155550132""") }',
        "query { hello(name: 14155550132) }",
        "query { a0000000000000: hello }",
    ],
)
async def test_a_document_in_which_a_secret_may_stand_is_not_named_in_the_log(
    http: httpx.AsyncClient, log: Log, query: str
) -> None:
    """It may be a telephone number or a password, and whoever reads a digest can try them all."""
    await http.post(URL, json=body(query=query), headers=MODERN)
    assert log()[-1]["operation"] is None


class TestPersistedDocuments:
    DOCUMENT = "query Greeting { hello }"
    DIGEST = digest_of(DOCUMENT)

    @pytest.fixture
    def documents(self) -> Documents:
        documents = Documents()
        for identifier in ("greeting", f"sha256:{self.DIGEST}"):
            documents.known["shop", identifier] = self.DOCUMENT
        return documents

    APOLLO: ClassVar = {"persistedQuery": {"version": 1, "sha256Hash": DIGEST}}
    UNKNOWN: ClassVar = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    ROWS: ClassVar[list[tuple[DocumentPolicy, dict[str, Any], str | None]]] = [
        (DocumentPolicy.ANY, {"documentId": "greeting"}, None),
        (DocumentPolicy.ANY, {"documentId": f"sha256:{DIGEST}"}, None),
        (DocumentPolicy.ANY, {"documentId": "other"}, "PERSISTED_DOCUMENT_NOT_FOUND"),
        (DocumentPolicy.ANY, {"documentId": "../../etc"}, "PERSISTED_DOCUMENT_NOT_FOUND"),
        (DocumentPolicy.ANY, {"documentId": ""}, "PERSISTED_DOCUMENT_NOT_FOUND"),
        (DocumentPolicy.ANY, {"extensions": APOLLO}, None),
        (DocumentPolicy.ANY, {"extensions": UNKNOWN}, "PERSISTED_QUERY_NOT_FOUND"),
        (DocumentPolicy.ANY, {"query": "{ hello }", "extensions": APOLLO}, "PERSISTED_DOCUMENT_MISMATCH"),
        (DocumentPolicy.ANY, {"query": DOCUMENT, "extensions": APOLLO}, None),
        (DocumentPolicy.REGISTERED, {"documentId": "greeting"}, None),
        (DocumentPolicy.REGISTERED, {"query": DOCUMENT}, None),
        (DocumentPolicy.REGISTERED, {"query": DOCUMENT + " "}, "DOCUMENT_NOT_REGISTERED"),
        (DocumentPolicy.REGISTERED, {"query": "{ __schema { types { name } } }"}, "DOCUMENT_NOT_REGISTERED"),
    ]

    @pytest.mark.parametrize(("policy", "request_body", "expected"), ROWS)
    async def test_by_post(
        self, documents: Documents, policy: DocumentPolicy, request_body: dict[str, Any], expected: str | None
    ) -> None:
        headers = MODERN | {"authorization": f"Bearer {TOKEN}"}
        async with client(endpoint(documents=documents, policy=policy)) as http:
            response = await http.post(URL, json=request_body, headers=headers)
        if expected is None:
            assert response.json() == {"data": {"hello": "hello"}}
        else:
            assert (response.status_code, code(response)) == (400, expected)

    async def test_by_get(self, documents: Documents) -> None:
        async with client(endpoint(documents=documents)) as http:
            headers = {"authorization": f"Bearer {TOKEN}"}
            response = await http.get(URL, params={"documentId": "greeting"}, headers=headers)
        assert response.json() == {"data": {"hello": "hello"}}

    async def test_those_of_another_client_do_not_exist(self, documents: Documents) -> None:
        async with client(endpoint(documents=documents)) as http:
            response = await http.post(URL, json={"documentId": "greeting"})
        assert code(response) == "PERSISTED_DOCUMENT_NOT_FOUND"

    async def test_sending_a_document_registers_nothing(self) -> None:
        documents = Documents()
        async with client(endpoint(documents=documents)) as http:
            hashed = {"persistedQuery": {"version": 1, "sha256Hash": self.DIGEST}}
            await http.post(URL, json={"query": self.DOCUMENT, "extensions": hashed})
            response = await http.post(URL, json={"extensions": hashed})
        assert code(response) == "PERSISTED_QUERY_NOT_FOUND"
        assert documents.known == {}
