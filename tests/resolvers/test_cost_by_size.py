"""What a hot read costs depends neither on how many members there are nor on how many partners.

Counted in pages of 8 kB that PostgreSQL looks at, which do not depend on the machine: at one size, with ten
times as many members, lines of feeds and records of the log, and then with fifty times as many partners.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import asyncpg
import pytest

from gateway.bulk_document import bulk_document
from gateway.database import Database
from policies.principal import MemberPrincipal, PartnerPrincipal, Principal
from resolvers.disclosure_parts import make_part
from tests import world
from tests.asking import Asking
from tests.feeds import choose, others_have_ended
from tests.resolvers.commands import test_plans
from tests.resolvers.commands.test_plans import Recorder

MEMBERS: Final = 1_500
PARTNERS: Final = 6
MORE_MEMBERS: Final = 10
MORE_PARTNERS: Final = 50

FILL: Final = """
SET session_replication_role = replica;
CREATE TEMPORARY TABLE met AS SELECT md5('m' || n)::uuid AS member_id, n
  FROM generate_series({members.start}, {members.stop} - 1) n;
INSERT INTO member (id, number, status, given_name, family_name, email, birth_date, region, interests,
  purchase_categories, joined_at, updated_at, version)
  SELECT member_id, 'X-' || n, 'ACTIVE', 'Given', 'Family', n || '@example.org',
    date '1950-01-01' + n * 7 % 18000, CASE WHEN n % 2 = 0 THEN 'US-CA' ELSE 'DE' END,
    CASE WHEN n % 2 = 0 THEN '{{go}}' ELSE '{{}}' END::text[], '{{}}', now(), now(), 1
  FROM met ON CONFLICT DO NOTHING;
INSERT INTO postal_address (id, member_id, kind, is_primary, line1, city, country, created_at)
  SELECT gen_random_uuid(), member_id, 'HOME', true, 'Street 1', 'City', 'US', now()
  FROM met ON CONFLICT DO NOTHING;
INSERT INTO partner (id, name, display_name, created_at) SELECT md5('p' || n)::uuid, 'p-' || n, 'P', now()
  FROM generate_series({partners.start}, {partners.stop} - 1) n;
INSERT INTO agreement (id, partner_id, basis, purpose, categories, valid_from, status, version)
  SELECT md5('a' || n)::uuid, md5('p' || n)::uuid, basis, purpose, categories, valid_from, status, version
  FROM agreement, generate_series({partners.start}, {partners.stop} - 1) n WHERE id = '{acme}';
CREATE TEMPORARY TABLE pair AS
  SELECT agreement.id AS agreement_id, partner_id, member_id, gen_random_uuid() AS subject, n
  FROM met, agreement WHERE agreement.id = '{acme}' OR agreement.id IN (SELECT md5('a' || p)::uuid
    FROM generate_series({sharing.start}, {sharing.stop} - 1) p);
INSERT INTO pairwise_subject SELECT partner_id, member_id, subject FROM pair ON CONFLICT DO NOTHING;
INSERT INTO share (agreement_id, subject, member_id, mask)
  SELECT agreement_id, subject, member_id, {mask} FROM pair ORDER BY n ON CONFLICT DO NOTHING;
INSERT INTO share_change (agreement_id, subject, mask, before, after, changed_at)
  SELECT agreement_id, subject, {mask}, 0, {mask}, '{now}'::timestamptz - n % 1000 * interval '1 hour'
  FROM pair ORDER BY n;
INSERT INTO disclosure (id, recorded_at, partner_id, agreement_id, client_id, token_id, operation_hash, basis,
  purpose, categories, members, writer, position, digest)
  SELECT gen_random_uuid(), now(), gen_random_uuid(), gen_random_uuid(), 'c', 't', '', 'MARKETING',
    'PARTNER_EMAIL', '{{user.name}}', ARRAY[md5('l' || n)::uuid, md5('l' || n / 7)::uuid],
    gen_random_uuid(), 1, '' FROM met;
DROP TABLE met, pair;
RESET session_replication_role
"""
"""Without triggers and checks. Rows stand as they come to stand: a member's of all agreements together."""

ACME: Final = world.CALLERS["acme"].principal
ADA: Final = MemberPrincipal(world.person("ada").id, "web", "t")
PAGE: Final = (
    "query($first: Int!, $after: String, $where: MemberFilter) {"
    " members(first: $first, after: $after, where: $where) {"
    " edges { node { id name email region ageBand interests address { city country } } }"
    " pageInfo { hasNextPage endCursor } } }"
)
FEED: Final = (
    "query($after: String) { changes(first: 50, after: $after) { edges { node {"
    " kind id changedAt categories member { id name email region } } } pageInfo { hasNextPage endCursor } } }"
)
PROFILE: Final = (
    "{ me { number givenName familyName email birthDate region interests"
    " addresses { edges { node { line1 city country } } } } }"
)
DISCLOSURES: Final = (
    "{ me { disclosures(first: 20) { totalCount edges { node { recordedAt categories } } } } }"
)
TOTAL: Final = "{ members(first: 0) { totalCount } }"

Asked: TypeAlias = tuple[Principal, str, Mapping[str, Any]]


async def workloads(asking: Asking) -> Mapping[str, Asked]:
    """What is asked at each size. Positions are the middle of what there is."""

    def page(first: int = 50, **variables: Any) -> Asked:
        return ACME, PAGE, {"first": first, **variables}

    middle = (await asking.ask(*page(500))).data["members"]
    followed = (await asking.ask(ACME, FEED)).data["changes"]["pageInfo"]["endCursor"]
    bulk = bulk_document(asking.contract(ACME).schema)
    since = "2026-11-10T00:00:00Z"
    return {
        "profile": (ADA, PROFILE, {}),
        "disclosures": (ADA, DISCLOSURES, {}),
        "page": page(),
        "deep page": page(after=middle["pageInfo"]["endCursor"]),
        "page of 500": page(500),
        "by region": page(where={"region": ["US-CA"]}),
        "by age band": page(where={"ageBand": ["AGE_35_44", "AGE_45_54"]}),
        "by interests": page(where={"interests": ["go"]}),
        "by change": page(where={"changedSince": since}),
        "lookup": (
            ACME,
            "query($id: ID!) { member(id: $id) { id name email address { city } } }",
            {"id": middle["edges"][7]["node"]["id"]},
        ),
        "feed": (ACME, FEED, {}),
        "feed, followed": (ACME, FEED, {"after": followed}),
        "bulk": (ACME, bulk, {"first": 500, "after": middle["pageInfo"]["endCursor"]}),
        "total": (ACME, TOTAL, {}),
    }


@dataclass(frozen=True)
class Cost:
    pages: int
    nodes: tuple[Mapping[str, Any], ...]
    rows: int


def literal(value: Any) -> str:
    shown = "{" + ",".join(value) + "}" if isinstance(value, list) else str(value)
    return f"'{shown}'"


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def cost_of(database: Database, sql: str, parameters: tuple[Any, ...]) -> Cost:
    """Of the plan that serves every value, on pages that are in memory: the one that requests get."""
    values = f"({', '.join(map(literal, parameters))})" if parameters else ""
    async with database.reader.acquire() as connection:
        await connection.execute(f"PREPARE asked AS {sql}")
        await connection.execute(f"EXECUTE asked{values}")
        found = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked{values}")
        await connection.execute("DEALLOCATE asked")
    plan = json.loads(found)[0]["Plan"]
    return Cost(
        plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], tuple(nodes(plan)), plan["Actual Rows"]
    )


async def grow(database: Database, **ranges: range) -> None:
    assert isinstance(ACME, PartnerPrincipal)
    owner = await asyncpg.connect(database.url)
    try:
        await owner.execute(FILL.format(acme=ACME.agreement_id, mask=ACME.mask, now=world.NOW, **ranges))
        await owner.execute("VACUUM ANALYZE")
    finally:
        await owner.close()
    more = True
    while more:
        async with database.transaction() as connection:
            more = await make_part(connection)


async def measure(asking: Asking) -> Mapping[str, Cost]:
    await others_have_ended(asking.database)
    found = {}
    for name, (principal, document, variables) in (await workloads(asking)).items():
        await asking.ask(principal, document, variables)
        (statement,) = asking.statements
        found[name] = await cost_of(asking.database, *statement)
    return found


SIZES: Final[Mapping[str, Mapping[str, range]]] = {
    "few": {"members": range(1, MEMBERS), "partners": range(1, PARTNERS), "sharing": range(1, PARTNERS)},
    "members": {
        "members": range(MEMBERS, MEMBERS * MORE_MEMBERS),
        "partners": range(0),
        "sharing": range(1, PARTNERS),
    },
    "partners": {
        "members": range(1, 80),
        "partners": range(PARTNERS, PARTNERS * MORE_PARTNERS),
        "sharing": range(PARTNERS, PARTNERS * MORE_PARTNERS),
    },
}

DEEPER: Final = 8
"""Pages that indexes of more levels cost a read that walks one of them."""

BY_ROW: Final = ("by region", "by age band", "by interests", "by change", "feed", "feed, followed")
"""Reads that look into deeper indexes for each row, and pass over rows as chance has ordered them."""

GROWING: Final = ("member", "share", "share_change", "pairwise_subject")

FEW: Final = 600
"""Pages for a member's own disclosures: some for each record of the newest stretch, some for each part."""


@pytest.mark.slow
async def test_what_a_read_costs_does_not_grow_with_members_or_partners(
    asking_alone: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {}
    for size, ranges in SIZES.items():
        await grow(asking_alone.database, **ranges)
        costs[size] = await measure(asking_alone)
    few = costs["few"]
    for size in ("members", "partners"):
        for name, cost in costs[size].items():
            whole = {node["Relation Name"] for node in cost.nodes if node["Node Type"] == "Seq Scan"}
            assert whole <= {"agreement"}, (size, name)
            sorted_rows = [node["Actual Rows"] for node in cost.nodes if node["Node Type"] == "Sort"]
            assert max(sorted_rows, default=0) <= cost.rows + 50, (size, name)
            if name == "total":
                continue
            bound = FEW if name == "disclosures" else few[name].pages + DEEPER + cost.rows // 20
            assert cost.pages <= (2 * few[name].pages if name in BY_ROW else bound), (size, name)
    # A total counts the rows of one agreement, one by one: other partners' do not come into it.
    assert costs["partners"]["total"].pages <= costs["members"]["total"].pages + DEEPER
    monkeypatch.setattr(test_plans, "LONG", GROWING)
    await refreshing_reads_nothing_whole(asking_alone)


async def refreshing_reads_nothing_whole(asking: Asking) -> None:
    """A choice of one member is decided by that member's rows."""
    async with asking.database.transaction() as connection:
        recorder: Any = Recorder(connection)
        await choose(recorder, asking.product.matrix, "ada")
    assert recorder.read_whole == []
