"""The contestant `limit`: the least that a server in Python can do for the same answers.

An ASGI callable under uvicorn (uvloop, httptools). Documents are found by their text in a dict; statements
are written by hand and prepared once on each connection; connections are taken from a stack and never reset;
rows become dicts, and orjson writes them. There is no GraphQL: another document is answered with 400. No
disclosure is recorded, no quota counted, nothing revoked, nothing logged.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
import uvicorn
import uvloop

from benchmarks.texts import CORRECTION, PAGE, PROFILE, PROFILE_COLUMNS, rotation
from benchmarks.tokens import Caller, Callers, RefusedError

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

NOBODY: Final = UUID(int=0)
_STATEMENTS: Final = Path(__file__).parent / "statements"
_SESSION: Final = {"plan_cache_mode": "force_generic_plan", "jit": "off", "timezone": "UTC"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A connection with its statements."""

    connection: asyncpg.Connection[asyncpg.Record]
    profile: Any
    page: Any
    correction: Any
    standing: Any

    @classmethod
    async def connect(cls) -> Prepared:
        """A new one."""
        connection = await asyncpg.connect(os.environ["BENCH_DATABASE_URL"], server_settings=_SESSION)
        written = [(_STATEMENTS / f"{name}.sql").read_text() for name in ("profile", "page", "correction")]
        written.append("SELECT agreement_id, mask FROM bench.standing WHERE client_id = $1")
        return cls(connection, *[await connection.prepare(text) for text in written])


class Limit:
    """The ASGI application."""

    def __init__(self, connections: Sequence[Prepared]) -> None:
        self._free: asyncio.LifoQueue[Prepared] = asyncio.LifoQueue()
        for connection in connections:
            self._free.put_nowait(connection)
        self._callers = Callers()
        self._answers: dict[str, Callable[[Caller, Mapping[str, Any]], Awaitable[bytes]]] = {
            PROFILE: self._profile,
            PAGE: self._page,
            CORRECTION: self._correction,
        }
        for text, fields in rotation():
            self._answers[text] = self._part_of_profile(fields)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"] != "/graphql":
            await _send(send, 200, b"{}")
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        try:
            caller = self._callers.of(_authorization(scope))
            request = orjson.loads(body)
            answer = self._answers.get(request["query"])
            if answer is None:
                await _send(send, 400, b"{}")
                return
            await _send(send, 200, await answer(caller, request.get("variables") or {}))
        except RefusedError:
            await _send(send, 401, b"{}")

    async def _profile(self, caller: Caller, _: Mapping[str, Any]) -> bytes:
        if caller.member is None:
            raise RefusedError
        connection = await self._free.get()
        try:
            rows = await connection.profile.fetch(caller.member)
        finally:
            self._free.put_nowait(connection)
        return orjson.dumps({"data": {"me": _me(rows)}})

    def _part_of_profile(
        self, fields: Sequence[str]
    ) -> Callable[[Caller, Mapping[str, Any]], Awaitable[bytes]]:
        columns = [(field, PROFILE_COLUMNS[field]) for field in fields if field != "addresses"]
        addresses = "addresses" in fields

        async def answer(caller: Caller, _: Mapping[str, Any]) -> bytes:
            if caller.member is None:
                raise RefusedError
            connection = await self._free.get()
            try:
                rows = await connection.profile.fetch(caller.member)
            finally:
                self._free.put_nowait(connection)
            row = rows[0]
            me: dict[str, Any] = {field: row[column] for field, column in columns}
            if addresses:
                me["addresses"] = _addresses(rows)
            return orjson.dumps({"data": {"me": me}})

        return answer

    async def _page(self, caller: Caller, variables: Mapping[str, Any]) -> bytes:
        if caller.member is not None:
            raise RefusedError
        first = variables["first"]
        after = variables.get("after")
        connection = await self._free.get()
        try:
            if caller.standing is None:
                standing = await connection.standing.fetchrow(caller.client)
                caller.standing = standing["agreement_id"], standing["mask"]
            rows = await connection.page.fetch(
                *caller.standing, NOBODY if after is None else UUID(after), first + 1
            )
        finally:
            self._free.put_nowait(connection)
        more = len(rows) > first
        if more:
            rows.pop()
        edges = [
            {
                "node": {
                    "id": subject,
                    "name": name,
                    "email": email,
                    "region": region,
                    "ageBand": age_band,
                    "interests": interests,
                    "address": {"city": city, "country": country} if has_address else None,
                }
            }
            for subject, name, email, region, age_band, interests, has_address, city, country in rows
        ]
        info = {"hasNextPage": more, "endCursor": rows[-1][0] if rows else None}
        return orjson.dumps({"data": {"members": {"edges": edges, "pageInfo": info}}})

    async def _correction(self, caller: Caller, variables: Mapping[str, Any]) -> bytes:
        if caller.member is None:
            raise RefusedError
        connection = await self._free.get()
        try:
            await connection.correction.fetch(caller.member, variables["input"]["interests"])
            rows = await connection.profile.fetch(caller.member)
        finally:
            self._free.put_nowait(connection)
        return orjson.dumps({"data": {"correctProfile": {"errors": [], "me": _me(rows)}}})


def _me(rows: Sequence[asyncpg.Record]) -> dict[str, Any]:
    number, given_name, family_name, email, birth_date, region, interests, *_ = rows[0]
    return {
        "number": number,
        "givenName": given_name,
        "familyName": family_name,
        "email": email,
        "birthDate": birth_date,
        "region": region,
        "interests": interests,
        "addresses": _addresses(rows),
    }


def _addresses(rows: Sequence[asyncpg.Record]) -> dict[str, Any]:
    return {
        "edges": [
            {"node": {"line1": row[7], "city": row[8], "country": row[9]}}
            for row in rows
            if row[7] is not None
        ]
    }


def _authorization(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return bytes(value)
    raise RefusedError


async def _send(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def main() -> None:
    """Serve until told to stop."""
    size = int(os.environ["BENCH_CONNECTIONS"])
    app = Limit([await Prepared.connect() for _ in range(size)])
    config = uvicorn.Config(
        app,
        port=int(os.environ["BENCH_PORT"]),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.run(main())
