"""Whom another policy would touch: the plain count of what each member's shares would be."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.app import Product
from gateway.database import Database
from gateway.policy_replay import replay_documents, replay_releases
from gateway.policy_source import load_shipped_directory
from policies.compare import compare
from policies.matrix import Matrix, compile_matrix
from resolvers.persisted_documents import save_document
from resolvers.policy_effects import Released, client_documents, touched_members
from resolvers.queries import full_schema
from resolvers.shares import decide_again
from schema.categories import Basis, DataCategory, Purpose, categories_of
from schema.ids import new_id
from tests import world

USERNAMES = """
    @id("usernames") @clause("C8") @text("x")
    permit (principal == Basis::"STRATEGIC", action in [Action::"share", Action::"presume"], resource)
    when {
      context.purpose == Purpose::"PARTNER_OFFERS" && !context.protected &&
      resource in DataCategory::"user.account.username"
    };
"""
NO_EMAIL = """
    @id("no-email") @clause("C8") @text("x")
    forbid (principal == Basis::"MARKETING", action, resource in DataCategory::"user.contact.email");
"""


def under(*rules: str) -> Matrix:
    source = load_shipped_directory().source
    return compile_matrix(replace(source, rules="\n".join([source.rules, *rules]), translations=()))


async def test_members_and_partners_of_each_cell_are_those_whose_shares_would_change(
    own_world: Database, product: Product
) -> None:
    after = under(USERNAMES, NO_EMAIL)
    async with own_world.transaction() as connection:
        await connection.execute(
            "UPDATE agreement SET categories = categories || '{user.account.username}' WHERE id = $1",
            world.AGREEMENTS["acme"].id,
        )
        effects = await touched_members(connection, compare(product.matrix, after), world.NOW)
        # The plain way: write the shares under one policy, then under the other, and compare the rows.
        query = "SELECT agreement_id, member_id, mask FROM share"
        await decide_again(connection, product.matrix, now=world.NOW)
        old = {(row[0], row[1]): row[2] for row in await connection.fetch(query)}
        await decide_again(connection, after, now=world.NOW)
        new = {(row[0], row[1]): row[2] for row in await connection.fetch(query)}
    terms = {agreement.id: agreement for agreement in world.AGREEMENTS.values()}
    counted: Counter[tuple[Basis, Purpose, DataCategory, bool]] = Counter()
    for pair in old.keys() | new.keys():
        agreement = terms[pair[0]]
        if agreement.in_force(world.NOW):
            cell = (agreement.basis, agreement.purpose)
            counted.update((*cell, c, True) for c in categories_of(new.get(pair, 0) & ~old.get(pair, 0)))
            counted.update((*cell, c, False) for c in categories_of(old.get(pair, 0) & ~new.get(pair, 0)))
    assert counted
    assert {cell: touched.members for cell, touched in effects.items()} == dict(counted)
    username = (Basis.STRATEGIC, Purpose.PARTNER_OFFERS, DataCategory.USERNAME, True)
    email = (Basis.MARKETING, Purpose.PARTNER_EMAIL, DataCategory.EMAIL, False)
    assert (effects[username].partners, effects[email].partners) == ({"acme"}, {"bolt"})


@pytest.mark.parametrize("in_the_log", [False, True])
async def test_a_registered_document_gains_and_loses_fields(
    own_world: Database, product: Product, in_the_log: bool
) -> None:
    body = "query Q { members(first: 5) { edges { node { id email username name given: givenName } } } }"
    async with own_world.transaction() as connection:
        await save_document(
            connection, client_id="bolt", document_id="q", sha256="cafe", body=body, now=world.NOW
        )
        documents = await client_documents(connection, world.NOW)
    entry = Released(
        "bolt", "bolt", "Q", "cafe" if in_the_log else "beef", Basis.MARKETING, Purpose.PARTNER_EMAIL,
        frozenset({DataCategory.EMAIL, DataCategory.NAME}), 7,
    )  # fmt: skip
    after = under(NO_EMAIL)
    (found,) = replay_documents(full_schema(), product.catalogue, product.matrix, after, documents, [entry])
    assert (found.partner, found.document_id) == ("bolt", "q")
    assert (found.gained, found.lost) == ((), ("SharedMember.email",))
    assert found.responses == (7 if in_the_log else 0)
    releases = list(replay_releases(product.matrix, after, [entry], documents))
    assert [(each.operation, each.lost) for each in releases] == (
        [] if in_the_log else [("Q", (DataCategory.EMAIL,))]
    )
    (back,) = replay_documents(full_schema(), product.catalogue, after, product.matrix, documents, [])
    assert (back.gained, back.lost) == (("SharedMember.email",), ())
    assert list(replay_releases(after, after, [entry], documents)) == [], "neither shares it any more"


async def test_a_document_that_filters_by_what_is_lost_loses_the_filter(
    own_world: Database, product: Product
) -> None:
    no_bands = """
        @id("no-bands") @clause("C8") @text("x")
        forbid (principal == Basis::"MARKETING", action, resource in DataCategory::"user.demographic");
    """
    body = "{ members(first: 5, where: {ageBand: [AGE_18_24]}) { totalCount edges { node { email } } } }"
    async with own_world.transaction() as connection:
        await save_document(
            connection, client_id="bolt", document_id="q", sha256="cafe", body=body, now=world.NOW
        )
        documents = await client_documents(connection, world.NOW)
    after = under(no_bands)
    (found,) = replay_documents(full_schema(), product.catalogue, product.matrix, after, documents, [])
    assert (found.gained, found.lost) == ((), ("MemberFilter.ageBand",))


@pytest.mark.parametrize(
    "stopped",
    [
        "UPDATE partner_client SET status = 'REVOKED' WHERE client_id = 'bolt'",
        f"UPDATE agreement SET status = 'SUSPENDED' WHERE id = '{world.AGREEMENTS['bolt'].id}'",
        f"UPDATE agreement SET valid_until = '2026-11-01' WHERE id = '{world.AGREEMENTS['bolt'].id}'",
    ],
)
async def test_documents_that_nobody_may_ask_any_more_are_not_replayed(
    own_world: Database, stopped: str
) -> None:
    async with own_world.transaction() as connection:
        await save_document(
            connection, client_id="bolt", document_id="q", sha256="cafe", body="{ me }", now=world.NOW
        )
        assert len(await client_documents(connection, world.NOW)) == 1
        await connection.execute(stopped)
        assert await client_documents(connection, world.NOW) == []


async def test_members_whom_a_case_names_are_counted(own_world: Database, product: Product) -> None:
    no_names = """
        @id("no-names") @clause("C8") @text("x")
        forbid (principal == Basis::"LEGAL", action, resource in DataCategory::"user.name");
    """
    named = [world.person(name).id for name in ("ada", "ben")]
    async with own_world.transaction() as connection:
        agreement, case = new_id(), new_id()
        await connection.execute(
            "INSERT INTO agreement (id, partner_id, basis, purpose, categories, valid_from, status, version)"
            " VALUES ($1, $2, 'LEGAL', $3, '{user.name}', $4, 'ACTIVE', 1)",
            agreement,
            world.AGREEMENTS["acme"].partner_id,
            Purpose.LEGAL_OBLIGATION.value,
            world.JUNE,
        )
        await connection.execute(
            "INSERT INTO legal_case (id, agreement_id, reference, ground, opened_by, opened_at, approved_by,"
            " approved_at, expires_at) VALUES ($1, $2, 'R', 'G', 'olga', $3, 'otto', $3, $4)",
            case,
            agreement,
            world.NOW,
            world.NOW + timedelta(days=9),
        )
        await connection.execute(
            "INSERT INTO legal_case_member (case_id, member_id) SELECT $1, unnest($2::uuid[])", case, named
        )
        effects = await touched_members(connection, compare(product.matrix, under(no_names)), world.NOW)
    name = effects[Basis.LEGAL, Purpose.LEGAL_OBLIGATION, DataCategory.NAME, False]
    assert (name.members, name.partners) == (2, {"acme"})
