"""Clients that sign in: what a front-end does with cookies, and what a program does with payloads.

The cookies are kept by hand: they are for HTTPS only, and the gateway of the tests speaks HTTP on loopback.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

import httpx

from gateway.app import Gateway
from gateway.database import Database
from resolvers.commands.member_secrets import write_password_hash
from resolvers.means import Means
from tests import world

PASSWORD = "violet harbour seven kettles"
"""Of every member to whom `give_password` gave one."""

SIGN_IN = """mutation ($input: SignInInput!) {
  signIn(input: $input) { errors { path code message } accessToken expiresAt sessionId refreshToken }
}"""
REFRESH = """mutation ($input: RefreshSessionInput) {
  refreshSession(input: $input) { errors { code } accessToken expiresAt sessionId refreshToken }
}"""


async def give_password(database: Database, means: Means, name: str, password: str = PASSWORD) -> str:
    """The hash that stands for the password of this member of the world from now on."""
    password_hash = await means.passwords.hash(password)
    await give_hash(database, name, password_hash)
    return password_hash


async def give_hash(database: Database, name: str, password_hash: str) -> None:
    async with database.transaction() as connection:
        await write_password_hash(connection, world.person(name).id, password_hash, world.NOW)


class Browser:
    """A client of one gateway, without a socket. It sends its cookies and its access token if it has any."""

    def __init__(self, gateway: Gateway, address: str = "192.0.2.1") -> None:
        transport = httpx.ASGITransport(gateway.app, client=(address, 1234))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")
        self.cookie: str | None = None
        self.token: str | None = None
        self.headers: dict[str, str] = {
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
        }
        self.set_cookies: list[str] = []

    async def post(self, document: str, variables: Mapping[str, Any] | None = None) -> httpx.Response:
        headers = {"accept": "application/graphql-response+json", **self.headers}
        if self.cookie is not None:
            headers["cookie"] = f"__Host-refresh={self.cookie}"
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        body = {"query": document, "variables": dict(variables or {})}
        response = await self.http.post("/graphql", json=body, headers=headers)
        self.set_cookies = response.headers.get_list("set-cookie")
        for text in self.set_cookies:
            morsel = SimpleCookie(text)["__Host-refresh"]
            self.cookie = morsel.value or None
        return response

    async def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The data of an answer without errors of its own."""
        answer = (await self.post(document, variables)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def sign_in(self, name: str, password: str = PASSWORD, delivery: str = "COOKIE") -> Any:
        """The payload. The access token is kept if there is one, in place of any that there was."""
        self.token = None
        email = world.person(name).email if "@" not in name else name
        given = {"input": {"email": email, "password": password, "delivery": delivery}}
        payload = (await self.ask(SIGN_IN, given))["signIn"]
        if payload["accessToken"] is not None:
            self.token = payload["accessToken"]
        return payload

    async def refresh(self, token: str | None = None) -> Any:
        """The payload. As front-ends do, without the access token, which may have ended."""
        self.token = None
        payload = (await self.ask(REFRESH, {"input": None if token is None else {"refreshToken": token}}))[
            "refreshSession"
        ]
        self.token = payload["accessToken"]
        return payload

    async def run(self, command: str) -> list[str]:
        """The codes of a command without variables, such as `signOut`, that has `errors { code }` only."""
        data = await self.ask(f"mutation {{ {command} {{ errors {{ code }} }} }}")
        (payload,) = data.values()
        return [error["code"] for error in payload["errors"]]

    async def status(self) -> int:
        """200 while the access token is good, and 401 when it is not."""
        return (await self.post("{ me { email } }")).status_code


def codes(payload: Any) -> list[str]:
    return [error["code"] for error in payload["errors"]]
