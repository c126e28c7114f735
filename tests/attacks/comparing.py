"""One request sent to two gateways, and what of the answers has to be the same."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from graphql import GraphQLSchema, build_client_schema, get_introspection_query

from tests.attacks.generator import Wire
from tests.attacks.wire import Answer, Line

VARYING: Final = frozenset({b"date", b"x-request-id"})
"""The headers that differ between any two answers. Their shape is compared instead."""

CLOCKED: Final = re.compile(rb"(;[rt]=)[0-9]+")
"""Of quotas: what is left, as far as a replica knows at that moment, and the seconds of a window."""


async def send(line: Line, wire: Wire, token: str | None) -> Answer:
    headers = [*wire.headers] + ([("authorization", f"Bearer {token}")] if token is not None else [])
    target = f"/graphql?{wire.query_string}" if wire.query_string else "/graphql"
    return await line.request(wire.method, target, headers, wire.body)


def shape(answer: Answer) -> tuple[Any, ...]:
    """Everything of an answer that can be seen."""
    headers = [
        (
            name,
            len(value) if name in VARYING else CLOCKED.sub(rb"\1", value) if name == b"ratelimit" else value,
        )
        for name, value in answer.headers
    ]
    return answer.status_line, headers, answer.body


def outcome(answer: Any) -> str:
    """In a word: done, changed, or the code of the first error."""
    if "errors" in answer:
        return str(answer["errors"][0]["extensions"]["code"])
    payloads = [value for value in answer["data"].values() if isinstance(value, dict) and value.get("errors")]
    return str(payloads[0]["errors"][0].get("code")) if payloads else "with data"


async def contract_of(line: Line, token: str | None) -> GraphQLSchema | None:
    """The contract by introspection; None for whom there is none."""
    body = json.dumps({"query": get_introspection_query(descriptions=False)}).encode()
    answer = await send(line, Wire("POST", "", (("content-type", "application/json"),), body), token)
    data = answer.json.get("data")
    return None if data is None else build_client_schema(data)
