"""Statements of commands find their rows by an index, however many members, requests and mails there are."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from gateway.app import Product
from gateway.database import Database
from policies.principal import MemberPrincipal, Visitor
from resolvers.commands.confirmation import Claim, follow
from resolvers.commands.erasure import close_account, due_erasures, erase_member
from resolvers.commands.letters import make_link
from resolvers.commands.registration import remove_expired_registrations
from resolvers.commands.requests import contact
from resolvers.commands.upkeep import open_to_adults, remove_old, tell_birthdays
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from resolvers.tokens import TokenUse
from schema.ids import new_id
from schema.tables.account import LinkKind
from tests import world

ADA: Final = world.person("ada")
LONG: Final = (
    "member",
    "member_request",
    "outgoing_mail",
    "one_time_link",
    "session",
    "attempt",
    "done_command",
)
"""Tables that grow with the members or with what visitors do."""

MANY: Final = 20_000


class Recorder:
    """A connection that notes which statements read one of these tables as a whole, by their plans."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.read_whole: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> Any:
        if name not in {"execute", "fetch", "fetchrow", "fetchval"}:
            return getattr(self._connection, name)

        async def run(sql: str, *values: Any) -> Any:
            if sql.split(maxsplit=1)[0] in {"SELECT", "UPDATE", "DELETE", "INSERT", "WITH"}:
                self.read_whole += [(table, sql) for table in await self._read_whole(sql, values)]
            return await getattr(self._connection, name)(sql, *values)

        return run

    async def _read_whole(self, sql: str, values: tuple[Any, ...]) -> list[str]:
        plan = json.loads(await self._connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values))
        return [node["Relation Name"] for node in _nodes(plan[0]["Plan"]) if _reads_whole(node)]


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _reads_whole(node: Mapping[str, Any]) -> bool:
    return node["Node Type"] == "Seq Scan" and node["Relation Name"] in LONG


class Many:
    """A database with many rows in every table."""

    def __init__(self, database: Database, product: Product, means: Means) -> None:
        self.database = database
        self.product = product
        self.means = means

    def work(self, connection: Any, member: UUID | None = None) -> Work:
        principal = Visitor() if member is None else MemberPrincipal(member, "web", "t")
        return Work(connection, self.product.matrix, principal, world.NOW, self.means, Exchange())

    async def read_whole(self, command: Callable[[Any], Awaitable[Any]]) -> list[tuple[str, str]]:
        async with self.database.transaction() as connection:
            recorder = Recorder(connection)
            await command(recorder)
        return recorder.read_whole


@pytest.fixture
async def many(own_world: Database, product: Product, means: Means) -> Many:
    owner = await asyncpg.connect(own_world.url)
    await owner.execute(
        f"""INSERT INTO member (id, number, status, given_name, family_name, email, interests,
        purchase_categories, joined_at, updated_at, version) SELECT gen_random_uuid(), 'X-' || n,
        CASE WHEN n % 100 = 0 THEN 'PENDING' ELSE 'ACTIVE' END, 'A', 'B', n || '@example.com', '{{}}', '{{}}',
        now(), now(), 1 FROM generate_series(1, {MANY}) n;
        INSERT INTO one_time_link (id, member_id, kind, created_at, expires_at, used_at) SELECT
        gen_random_uuid(), id, 'RESET_PASSWORD', now(), now(), now() FROM member;
        INSERT INTO session (id, member_id, created_at, last_used_at, expires_at, generation, rotated_at)
        SELECT gen_random_uuid(), id, now(), now(), now() + interval '1 year', 1, now() FROM member;
        INSERT INTO member_request (id, kind, status, subject, body, reply_to, opened_at, due_at) SELECT
        gen_random_uuid(), 'CONTACT', 'OPEN', '', '', email, now(), now() FROM member;
        INSERT INTO outgoing_mail (id, member_id, recipient, kind, created_at, due_at, attempts) SELECT
        gen_random_uuid(), id, email, 'WELCOME', now(), now(), 0 FROM member;
        INSERT INTO attempt SELECT sha256(id::text::bytea), now() + interval '1 year' FROM member;
        INSERT INTO done_command (caller, key, path, fingerprint, done_at)
        SELECT id::text, '', '', '', now() + interval '1 year' FROM member"""
    )
    await owner.execute("ANALYZE")
    await owner.close()
    return Many(own_world, product, means)


async def test_whoever_erases_reads_no_table_as_a_whole(many: Many) -> None:
    async with many.database.transaction() as connection:
        due_at = await close_account(many.work(connection, ADA.id), None)
    assert await many.read_whole(lambda connection: due_erasures(connection, due_at)) == []
    assert await many.read_whole(lambda connection: erase_member(connection, ADA.id, due_at)) == []
    assert not await many.database.app.fetchval("SELECT count(*) FROM member WHERE id = $1", ADA.id)


async def test_whoever_confirms_reads_no_table_as_a_whole(many: Many) -> None:
    async with many.database.transaction() as connection:
        claimers = [new_id(), new_id()]
        await connection.execute(
            "INSERT INTO member (id, number, status, given_name, family_name, email, birth_date, interests,"
            " purchase_categories, joined_at, updated_at, version) SELECT id, id::text, 'PENDING', 'A', 'B',"
            " 'zoe@example.org', '1990-01-01', '{}', '{}', now(), now(), 1 FROM unnest($1::uuid[]) id",
            claimers,
        )
        link = await make_link(many.work(connection), LinkKind.CONFIRM_REGISTRATION, claimers[0])
    token = many.means.tokens.seal(TokenUse.LINK, link.bytes)
    vouched = Claim(claimers[0], None)
    assert await many.read_whole(lambda c: follow(many.work(c), {"token": token}, vouched)) == []
    assert await many.database.app.fetchval("SELECT count(*) FROM member WHERE id = ANY($1)", claimers) == 1


async def test_whoever_takes_a_message_in_reads_no_table_as_a_whole(many: Many) -> None:
    given = {"subject": "Hello", "text": "Hi", "email": "v@example.org"}
    assert await many.read_whole(lambda connection: contact(many.work(connection), given)) == []


async def test_upkeep_reads_no_table_as_a_whole(many: Many) -> None:
    later = world.NOW + timedelta(days=1)
    assert await many.read_whole(lambda connection: remove_old(connection, later)) == []
    assert await many.read_whole(lambda c: remove_expired_registrations(c, later)) == []


async def test_birthdays_are_found_without_reading_a_table_as_a_whole(
    many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.resolvers.commands.test_plans.LONG", ("member", "share", "share_change"))
    owner = await asyncpg.connect(many.database.url)
    await owner.execute(
        """UPDATE member SET birth_date = date '1940-01-01' + (substr(number, 3)::int * 7919 % 25000)
        WHERE number LIKE 'X-%';
        INSERT INTO share (agreement_id, subject, member_id, mask) SELECT agreement.id, gen_random_uuid(),
        member.id, 4095 FROM agreement, member WHERE number LIKE 'X-%5' AND agreement.status = 'ACTIVE';
        INSERT INTO share_change (agreement_id, subject, mask, before, after, changed_at)
        SELECT agreement_id, subject, 1 + 2048 * (n % 2), mask, mask, now() - n * interval '100 days'
        FROM share, generate_series(0, 1) n"""
    )
    await owner.execute("ANALYZE")
    await owner.close()
    later = world.NOW + timedelta(days=1)
    matrix = many.product.matrix
    assert await many.read_whole(lambda c: open_to_adults(c, matrix, later)) == []
    async with many.database.transaction() as connection:
        recorder = Recorder(connection)
        monkeypatch.setattr("resolvers.commands.upkeep.MOST_BIRTHDAYS", 20)
        assert await tell_birthdays(recorder, matrix, later) == 20  # type: ignore[arg-type]
    assert recorder.read_whole == []
