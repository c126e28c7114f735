"""Officers at their entrance: enrolled and signed in over HTTP, with an authenticator of the test's own."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from gateway.app import Product, compose
from gateway.database import Database
from gateway.identity.officers import PATH
from gateway.keys import Keyring
from gateway.serving import listen, served
from gateway.settings import Settings
from policies.officers import Channel, Officer, Role
from resolvers.desk import Desk
from resolvers.officers.accounts import create_officer
from resolvers.tokens import SealedTokens

PASSWORD = "seven grey herons over wet roofs"
SIGN_IN = (
    "mutation($i: OfficerSignInInput!) { signIn(input: $i)"
    " { errors { code message } accessToken refreshToken } }"
)
BEGIN = (
    "mutation($i: BeginEnrolmentInput!) { beginEnrolment(input: $i) { errors { code } name authenticator } }"
)
ENROL = "mutation($i: EnrolInput!) { enrol(input: $i) { errors { path code } recoveryCodes } }"
OLGA = Officer("olga", frozenset(Role), Channel.COMMAND_LINE)


@dataclass
class Clock:
    """The time, which a test can move on."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Staff:
    """An officer with password, authenticator and tokens."""

    name: str
    secret: bytes = b""
    access: str = ""
    refresh: str = ""
    recovery: list[str] = field(default_factory=list)

    def code(self, now: datetime) -> str:
        return TOTP(self.secret, 6, SHA1(), 30).generate(int(now.timestamp())).decode()  # noqa: S303 - RFC 6238


class Desks:
    """One replica's entrance, and the database behind it."""

    def __init__(self, url: str, database: Database, keys: Keyring, product: Product, clock: Clock) -> None:
        self.url = url
        self.database = database
        self.keys = keys
        self.product = product
        self.clock = clock
        self.http = httpx.AsyncClient(base_url=url, timeout=30)

    async def post(self, query: str, token: str = "", path: str = PATH, **variables: Any) -> httpx.Response:
        headers = {"accept": "application/graphql-response+json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        return await self.http.post(path, json={"query": query, "variables": variables}, headers=headers)

    async def ask(self, query: str, token: str = "", **variables: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.post(query, token, **variables)).json()
        return answer

    async def invite(self, name: str, *roles: Role) -> str:
        async with self.database.transaction() as connection:
            desk = Desk(connection, OLGA, self.clock(), lambda: self.product.matrix)
            tokens = SealedTokens(self.keys.token_key)
            return await create_officer(desk, tokens, name=name, display_name=name.title(), roles=roles)

    async def enrol(self, name: str, enrolment: str) -> Staff:
        staff = Staff(name)
        begun = (await self.ask(BEGIN, i={"enrolment": enrolment}))["data"]["beginEnrolment"]
        assert begun["errors"] == []
        assert begun["name"] == name
        staff.secret = base64.b32decode(parse_qs(urlsplit(begun["authenticator"]).query)["secret"][0])
        given = {"enrolment": enrolment, "password": PASSWORD, "code": staff.code(self.clock())}
        done = (await self.ask(ENROL, i=given))["data"]["enrol"]
        assert done["errors"] == []
        staff.recovery = done["recoveryCodes"]
        return staff

    async def sign_in(self, staff: Staff, code: str | None = None, password: str = PASSWORD) -> list[str]:
        """The codes of what refused it; tokens are kept. The next code is taken, the clock moved on to it."""
        if code is None:
            self.clock.ahead += timedelta(seconds=30)
            code = staff.code(self.clock())
        given = {"name": staff.name, "password": password, "code": code}
        done = (await self.ask(SIGN_IN, i=given))["data"]["signIn"]
        staff.access, staff.refresh = done["accessToken"] or "", done["refreshToken"] or ""
        return [error["code"] for error in done["errors"]]

    async def officer(self, name: str, *roles: Role) -> Staff:
        staff = await self.enrol(name, await self.invite(name, *roles))
        assert await self.sign_in(staff) == []
        return staff

    async def lines(self, after: int = 0) -> list[tuple[int, str, str, str, str | None]]:
        async with self.database.transaction() as connection:
            rows = await connection.fetch(
                "SELECT seq, officer, act, about, reason FROM officer_action WHERE seq > $1 ORDER BY seq",
                after,
            )
        return [(row["seq"], row["officer"], row["act"], row["about"], row["reason"]) for row in rows]

    async def last(self) -> int:
        lines = await self.lines()
        return lines[-1][0] if lines else 0


@asynccontextmanager
async def entrance(
    settings: Settings, keys: Keyring, database: Database, product: Product, clock: Clock
) -> AsyncIterator[Desks]:
    """A gateway that serves the officer's contract, with hashes that are quick to make."""
    quick = settings.model_copy(
        update={
            "officer_contract": True,
            "answer_floor": 0.0,
            "password_memory": 7_168,
            "password_passes": 5,
            "address_attempts": 10_000,
        }
    )
    async with (
        compose(quick, keys, database, product, clock) as gateway,
        served(gateway.app, listen("127.0.0.1", 0)) as url,
    ):
        desks = Desks(url, database, keys, product, clock)
        async with desks.http:
            yield desks
