"""What tests of the feed have in common: members who do things, and a partner who keeps a copy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from gateway.database import Database
from policies.matrix import Matrix
from policies.principal import Principal
from resolvers.connection import Link
from resolvers.share_rows import tell_of_erasure
from resolvers.shares import refresh_shares
from schema.categories import DataCategory, mask_of
from schema.ids import new_id
from tests import world
from tests.asking import Asking

FEED: Final = (
    "query Feed($after: String, $first: Int) { changes(after: $after, first: $first) {"
    " edges { node { kind id categories member { id %s } } } pageInfo { hasNextPage endCursor } } }"
)
PAGE: Final = (
    "query Page($after: String) { members(first: 3, after: $after) {"
    " edges { node { id %s } } pageInfo { hasNextPage endCursor } } }"
)
END: Final = "query End { changes(first: 0) { pageInfo { endCursor } } }"


async def choose(
    connection: Link,
    matrix: Matrix,
    name: str,
    direction: str = "OUT",
    *,
    categories: Sequence[str] | None = None,
    when: datetime = world.NOW,
    partner: str | None = None,
) -> None:
    """A choice of a member about sharing, and what follows from it, in this transaction."""
    person = world.person(name)
    await connection.execute(
        "INSERT INTO choice (id, member_id, topic, direction, categories, requested_at, received_at, source,"
        " partner_id) VALUES ($1, $2, 'SHARING', $3, $4, $5, $6, 'PROFILE_PAGE', $7)",
        new_id(),
        person.id,
        direction,
        None if categories is None else list(categories),
        when,
        world.NOW,
        None if partner is None else world.partner_id(partner),
    )
    await refresh_shares(connection, matrix, now=world.NOW, members=[person.id])


async def rename(connection: Link, matrix: Matrix, name: str, given: str) -> None:
    """A correction of a first name, and what follows from it, in this transaction."""
    person = world.person(name)
    await connection.execute("UPDATE member SET given_name = $2 WHERE id = $1", person.id, given)
    told = mask_of((DataCategory.NAME, DataCategory.FIRST_NAME))
    await refresh_shares(connection, matrix, now=world.NOW, members=[person.id], changed=told)


async def leave(connection: Link, matrix: Matrix, name: str) -> None:
    """The member closes the account: all is withdrawn."""
    person = world.person(name)
    await connection.execute("UPDATE member SET status = 'CLOSED' WHERE id = $1", person.id)
    await refresh_shares(connection, matrix, now=world.NOW, members=[person.id])


async def erase(connection: Link, name: str) -> None:
    """The member's rows go, and her partners are told."""
    person = world.person(name)
    await tell_of_erasure(connection, [person.id], world.NOW)
    await connection.execute("DELETE FROM member WHERE id = $1", person.id)


async def others_have_ended(database: Database) -> None:
    """Wait for the transactions that run now in other databases of the server: they hold every feed back."""
    owner = await asyncpg.connect(database.url)
    try:
        newest = await owner.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        async with asyncio.timeout(60):
            while await owner.fetchval(  # noqa: ASYNC110 - nobody tells when a transaction ends
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname <> current_database()"
                " AND backend_xid::text::bigint < $1)",
                newest,
            ):
                await asyncio.sleep(0.02)
    finally:
        await owner.close()


@dataclass
class Copy:
    """A partner's copy, kept as docs/feed.md says: cursor, pages, changes."""

    asking: Asking
    principal: Principal
    fields: str = "name email"
    first: int = 2
    cursor: str | None = None
    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    seen: list[Mapping[str, Any]] = field(default_factory=list)

    async def take_cursor(self) -> None:
        await others_have_ended(self.asking.database)
        reply = await self.asking.ask(self.principal, END)
        self.cursor = reply.data["changes"]["pageInfo"]["endCursor"]

    async def page_through(self) -> None:
        self.rows = await self.fresh()

    async def fresh(self) -> dict[str, Mapping[str, Any]]:
        """What paging through all members gives now."""
        rows: dict[str, Mapping[str, Any]] = {}
        after = None
        while True:
            page = (await self.asking.ask(self.principal, PAGE % self.fields, {"after": after})).data[
                "members"
            ]
            rows |= {edge["node"]["id"]: edge["node"] for edge in page["edges"]}
            if not page["pageInfo"]["hasNextPage"]:
                return rows
            after = page["pageInfo"]["endCursor"]

    async def follow(self) -> list[Mapping[str, Any]]:
        """Drain the feed; the changes."""
        await others_have_ended(self.asking.database)
        news: list[Mapping[str, Any]] = []
        while True:
            variables = {"after": self.cursor, "first": self.first}
            page = (await self.asking.ask(self.principal, FEED % self.fields, variables)).data["changes"]
            for edge in page["edges"]:
                self.apply(edge["node"])
                news.append(edge["node"])
            self.cursor = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                self.seen += news
                return news

    def apply(self, change: Mapping[str, Any]) -> None:
        """The rule for every kind: keep what it brings in place of what there was, or delete."""
        if change["member"] is None:
            self.rows.pop(change["id"], None)
        else:
            self.rows[change["id"]] = change["member"]


def told(changes: Sequence[Mapping[str, Any]]) -> list[tuple[str, UUID]]:
    return [(change["kind"], UUID(change["id"])) for change in changes]
