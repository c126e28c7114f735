"""A complete registration to depart from, and what a test does with it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final
from uuid import UUID

import asyncpg

from policies.principal import Principal, Visitor
from resolvers.exchange import Exchange
from resolvers.tokens import SealedTokens, TokenUse
from schema.tables import Table, VaultTable
from tests import world
from tests.asking import Asking, Reply

REGISTER: Final = (
    "mutation($input: RegisterInput!) { register(input: $input) { errors { path code message } } }"
)
FOLLOW: Final = (
    "mutation($input: FollowLinkInput!) { followLink(input: $input) { errors { path code message } } }"
)
NUMBER: Final = "+12125550147"
PASSWORD: Final = "seven lanterns drift over quiet orchards"
COMPLETE: Final[Mapping[str, Any]] = {
    "email": "zoe@example.org",
    "password": PASSWORD,
    "givenName": "Zoe",
    "familyName": "Zimmer",
    "username": "zoe",
    "birthDate": "1990-04-05",
    "address": {
        "line1": "1 Main Street",
        "city": "Springfield",
        "state": "IL",
        "postalCode": "62701",
        "country": "US",
    },
    "phones": [{"number": NUMBER, "label": "mobile"}],
    "billing": {
        "brand": "Visa",
        "lastFour": "4242",
        "expiryMonth": 12,
        "expiryYear": 2030,
        "processorToken": "tok_register_zoe",
    },
    "interests": ["go", "chess"],
    "newsletter": True,
}


def complete(**changes: Any) -> dict[str, Any]:
    """A complete registration but for `changes`; one that is None is left out."""
    return {
        name: value for name, value in {**deepcopy(dict(COMPLETE)), **changes}.items() if value is not None
    }


class Registering:
    """Registers, follows links that were mailed, and reads what is stored as the database's owner does."""

    def __init__(self, asking: Asking, tokens: SealedTokens) -> None:
        self.asking = asking
        self._tokens = tokens

    async def reply(
        self, document: str, given: Mapping[str, Any], principal: Principal | None = None, **exchange: Any
    ) -> Reply:
        return await self.asking.ask(
            principal or Visitor(), document, {"input": dict(given)}, exchange=Exchange(**exchange)
        )

    async def register(self, **changes: Any) -> list[tuple[list[str], str]]:
        """What is refused, by path and code."""
        return found(await self.reply(REGISTER, complete(**changes)))

    async def follow(self, kind: str, recipient: str, **exchange: Any) -> list[tuple[list[str], str]]:
        """Follow the newest link of this kind that was mailed to `recipient`."""
        return await self.follow_token(await self.token(kind, recipient), **exchange)

    async def follow_token(
        self, token: str, *, password: str | None = PASSWORD, **exchange: Any
    ) -> list[tuple[list[str], str]]:
        return found(await self.reply(FOLLOW, {"token": token, "password": password}, **exchange))

    async def token(self, kind: str, recipient: str) -> str:
        rows = await self.rows(
            "SELECT link_id FROM outgoing_mail WHERE kind = $1 AND recipient = $2 ORDER BY ctid",
            kind,
            recipient,
        )
        return self._tokens.seal(TokenUse.LINK, rows[-1]["link_id"].bytes)

    async def purposes(self, member_id: UUID) -> list[str]:
        """For what the member is shared today."""
        rows = await self.rows(
            "SELECT DISTINCT a.purpose FROM share s JOIN agreement a ON a.id = s.agreement_id"
            " WHERE s.member_id = $1 AND a.valid_from <= $2 ORDER BY 1",
            member_id,
            world.NOW,
        )
        return [row["purpose"] for row in rows]

    async def letters(self) -> list[tuple[str, str]]:
        """The outbox: kind and recipient."""
        rows = await self.rows("SELECT kind, recipient FROM outgoing_mail ORDER BY ctid")
        return [(row["kind"], row["recipient"]) for row in rows]

    async def member(self, email: str) -> Mapping[str, Any]:
        """The one member with that address."""
        (row,) = await self.rows("SELECT * FROM member WHERE lower(email) = lower($1)", email)
        return row

    async def rows(self, sql: str, *values: Any) -> list[Mapping[str, Any]]:
        owner = await asyncpg.connect(self.asking.database.url)
        try:
            return [dict(row) for row in await owner.fetch(sql, *values)]
        finally:
            await owner.close()

    async def counts(self) -> dict[str, int]:
        """The rows of every table, but those of the throttle."""
        tables = [t.fullname for base in (Table, VaultTable) for t in base.metadata.tables.values()]
        counted = (
            f"SELECT '{name}' AS name, count(*) AS n FROM {name}"
            for name in sorted(tables)
            if name != "attempt"
        )
        return {row["name"]: row["n"] for row in await self.rows(" UNION ALL ".join(counted))}

    async def secrets_of(self, member_id: UUID) -> tuple[int, int, int]:
        """How many numbers, hashes and tokens the vault has of a member."""
        (row,) = await self.rows(
            "SELECT (SELECT count(*) FROM vault.sealed_phone WHERE member_id = $1) AS phones,"
            " (SELECT count(*) FROM vault.credential WHERE member_id = $1) AS hashes,"
            " (SELECT count(*) FROM vault.billing_token WHERE member_id = $1) AS tokens",
            member_id,
        )
        return row["phones"], row["hashes"], row["tokens"]


def found(reply: Reply) -> list[tuple[list[str], str]]:
    (payload,) = reply.data.values()
    return [(error["path"], error["code"]) for error in payload["errors"]]
