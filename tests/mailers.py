"""A partner that mails, as the tests of suppressions see it: its key, its digests, its list."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from gateway.database import Database
from gateway.keys import Keyring
from policies.email_addresses import comparable_email
from resolvers.commands.refusing import AddressRequest, make_key, note_requests
from schema.ids import new_id
from schema.vocabulary import Direction
from tests import world
from tests.running import Callers

CHECK = "/partner/suppressions/check"
SCRUB = "/partner/suppressions/scrub"


async def give_key(
    database: Database, keys: Keyring, partner: str, *, rotate: bool = False, overlap: int = 30
) -> bytes:
    """As `gateway suppressions key` does, but that nothing is settled yet."""
    async with database.transaction() as connection:
        made = await make_key(
            connection, partner, rotate=rotate, overlap=timedelta(days=overlap), now=world.NOW
        )
    return keys.suppression_key(made.partner_id, made.generation)


class Mailer:
    """A partner's program. It knows its key and addresses that it has from anywhere."""

    def __init__(self, callers: Callers, client: str, key: bytes) -> None:
        self.callers = callers
        self.client = client
        self.key = key

    def digest(self, address: str) -> str:
        comparable = comparable_email(address)
        assert comparable is not None
        return hmac.new(self.key, comparable.encode(), "sha256").hexdigest()

    async def check(self, *addresses: str) -> httpx.Response:
        return await self.callers.http.post(
            CHECK,
            json={"digests": [self.digest(address) for address in addresses]},
            headers=self.callers.headers(self.client),
        )

    async def suppressed(self, *addresses: str) -> list[bool]:
        answer = await self.check(*addresses)
        assert answer.status_code == 200, answer.text
        return [result["suppressed"] for result in answer.json()["results"]]

    async def scrub(self, addresses: Iterable[str]) -> httpx.Response:
        body = "".join(f"{self.digest(address)}\n" for address in addresses)
        return await self.callers.http.post(
            SCRUB,
            content=body,
            headers={**self.callers.headers(self.client), "content-type": "text/plain"},
            timeout=60,
        )

    async def feed(self, after: str | None = None, first: int = 100) -> Any:
        answer = await self.callers.ask(
            self.client,
            "query($after: String, $first: Int) { suppressions(after: $after, first: $first)"
            " { changes { kind digest requestedAt } endCursor hasNextPage } }",
            after=after,
            first=first,
        )
        return answer.json()["data"]["suppressions"]


async def choose(
    database: Database,
    name: str,
    direction: str,
    on: datetime,
    *,
    topic: str = "SHARING",
    **selectors: Any,
) -> None:
    """A request of this member in the ledger, as any command writes it."""
    columns = {
        "id": new_id(),
        "member_id": world.person(name).id,
        "requested_at": on,
        "received_at": world.NOW,
        "topic": topic,
        "direction": direction,
        "source": "PROFILE_PAGE",
        **selectors,
    }
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    await database.app.execute(
        f"INSERT INTO choice ({', '.join(columns)}) VALUES ({places})", *columns.values()
    )


async def refuse(database: Database, address: str, on: datetime, direction: str = "OUT") -> None:
    """A line of an officer's list."""
    comparable = comparable_email(address)
    assert comparable is not None
    async with database.transaction() as connection:
        await note_requests(
            connection, [AddressRequest(comparable, on)], Direction(direction), "OFFICER", world.NOW
        )


async def records(database: Database) -> Sequence[Any]:
    """The disclosures of checks, scrubs and feeds, in order."""
    return await database.app.fetch(
        "SELECT operation_name, categories, members FROM disclosure WHERE id <> ALL($1::uuid[]) ORDER BY id",
        [world.row_id("disclosure", number) for number in range(1, 10)],
    )
