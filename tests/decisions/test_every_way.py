"""R1 (e): one fact, asked for in every way. No two ways may disagree, and all follow the decision tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import pytest

from gateway.app import Product
from gateway.contracts import Contracts
from gateway.database import Database
from gateway.keys import Keyring
from gateway.policy_in_force import PolicyInForce
from gateway.policy_source import load_shipped_directory
from gateway.refusals import DocumentRefused
from gateway.settings import Settings
from policies.agreement import scope_mask
from policies.choices import Choice
from policies.decision import Allow, Reason
from policies.decision_tables import Verdict
from policies.explain import explain
from policies.matrix import Matrix, compile_matrix
from policies.principal import MemberPrincipal, PartnerPrincipal
from policies.sharing import EVERYTHING, MemberFacts
from resolvers.connection import Link
from resolvers.means import Means
from resolvers.partners_view import view_partners
from resolvers.queries import full_schema
from resolvers.shares import refresh_shares
from schema.categories import Basis, DataCategory, Purpose
from schema.ids import new_id
from schema.proof import prove
from schema.vocabulary import ChoiceSource, Direction
from tests.asking import Asking
from tests.decisions.cases import NOW, OTHER_PARTNER, THIS_PARTNER, DecisionCase, load_cases

CASES = load_cases()
MEMBER = new_id()

FIELDS: Mapping[DataCategory, str] = {
    DataCategory.PSEUDONYM: "id",
    DataCategory.NAME: "name",
    DataCategory.FIRST_NAME: "givenName",
    DataCategory.LAST_NAME: "familyName",
    DataCategory.USERNAME: "username",
    DataCategory.EMAIL: "email",
    DataCategory.REGION: "region",
    DataCategory.AGE_RANGE: "ageBand",
    DataCategory.DATE_OF_BIRTH: "birthDate",
    DataCategory.PROFILE: "interests",
    DataCategory.PURCHASE_HISTORY: "purchaseCategories",
    DataCategory.UNIQUE_ID: "memberNumber",
    DataCategory.ACCOUNT: "joinedAt",
    DataCategory.ADDRESS: "address { line1 }",
    DataCategory.CITY: "address { city }",
    DataCategory.POSTAL_CODE: "address { postalCode }",
}
"""How a partner would ask for each category. Of the others no partner has a field."""

FILTERS: Mapping[DataCategory, str] = {
    DataCategory.REGION: 'region: ["US-CA"]',
    DataCategory.AGE_RANGE: "ageBand: [AGE_45_54]",
    DataCategory.PROFILE: 'interests: ["chess"]',
}

EXTRA = [
    (basis, purpose, category, choices)
    for basis, purpose in (("STRATEGIC", "PARTNER_OFFERS"), ("MARKETING", "PARTNER_EMAIL"))
    for category in FILTERS
    for choices in ("", "OUT", "OUT of it", "OUT, then IN")
]
"""The tables name few categories that have a filter: these rows are made here."""


class Within(Asking):
    """Reads inside the transaction in which the test writes."""

    connection: Link

    async def _fetch(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any]:
        self.statements.append((sql, tuple(parameters)))
        return await self.connection.fetch(sql, *parameters)


@cache
def product_under(added_rules: str) -> Product:
    shipped = load_shipped_directory()
    source = replace(shipped.source, rules=shipped.source.rules + added_rules)
    matrix = compile_matrix(source)
    schema = full_schema()
    catalogue = prove(schema)
    return Product(
        replace(shipped, source=source),
        matrix,
        catalogue,
        Contracts(schema, catalogue, PolicyInForce(matrix)),
    )


Enter = Callable[[Product], Within]


@pytest.fixture
async def enter(
    read_only_world: Database, keys: Keyring, settings: Settings, means: Means
) -> AsyncIterator[Enter]:
    """An engine under some policy, in a transaction that is undone."""
    async with read_only_world.app.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()

        def entered(product: Product) -> Within:
            within = Within(product, read_only_world, keys, settings, means, NOW)
            within.connection = connection
            return within

        yield entered
        await transaction.rollback()


async def lay_down(connection: Link, case: DecisionCase) -> None:
    """The partner, the agreement, the member and the ledger of a row."""
    for partner, name in ((THIS_PARTNER, "this-one"), (OTHER_PARTNER, "other-one")):
        await connection.execute("INSERT INTO partner VALUES ($1, $2, $2, $3)", partner, name, NOW)
    terms = case.terms
    await connection.execute(
        "INSERT INTO agreement VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        terms.id, terms.partner_id, terms.basis.value, terms.purpose.value, sorted(terms.categories),
        terms.valid_from, terms.valid_until, terms.status.value, terms.version,
    )  # fmt: skip
    facts = case.facts
    await connection.execute(
        "INSERT INTO member (id, number, status, username, given_name, family_name, email, birth_date,"
        " region, interests, purchase_categories, joined_at, updated_at, version) VALUES ($1, 'M-999', $2,"
        " 'zed', 'Zed', 'Case', 'zed@example.org', $3, $4, '{chess}', '{books}', $5, $5, 1)",
        MEMBER, "ACTIVE" if facts.active else "CLOSED", facts.birth_date, facts.region, NOW,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO postal_address (id, member_id, kind, is_primary, line1, city, postal_code, country,"
        " created_at) VALUES ($1, $2, 'HOME', true, 'Street 1', 'Town', '12345', 'US', $3)",
        new_id(), MEMBER, NOW,
    )  # fmt: skip
    if facts.named_by:
        await name_in_a_case(connection, terms.id)
    for choice in (*case.choices, *case.newsletter):
        purpose = None if choice.purpose is None else choice.purpose.value
        categories = None if choice.categories is None else sorted(choice.categories)
        basis = None if choice.basis is None else choice.basis.value
        notice = new_id() if choice in case.answers else None
        if notice is not None:
            await connection.execute(
                "INSERT INTO notice VALUES ($1, 'New', 'New', $2, $3, $4, $5, $5)",
                notice, basis, purpose, categories, NOW,
            )  # fmt: skip
        await connection.execute(
            "INSERT INTO choice (id, member_id, requested_at, received_at, direction, source, partner_id,"
            " purpose, categories, basis, notice_id, topic, ends_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            new_id(), MEMBER, choice.requested_at, NOW, choice.direction.value, choice.source.value,
            choice.partner_id, purpose, categories, basis, notice,
            "NEWSLETTER" if choice in case.newsletter else "SHARING", choice.ends_at,
        )  # fmt: skip


async def name_in_a_case(connection: Link, agreement: UUID) -> None:
    """A case under this agreement that two officers opened, and that names the member."""
    case_id = new_id()
    await connection.execute(
        "INSERT INTO legal_case (id, agreement_id, reference, ground, opened_by, opened_at, approved_by,"
        " approved_at, expires_at) VALUES ($1, $2, 'R', 'G', 'olga', $3, 'otto', $3, $4)",
        case_id, agreement, NOW, NOW + timedelta(days=9),
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO legal_case_member (case_id, member_id) VALUES ($1, $2)", case_id, MEMBER
    )


def principal_of(case: DecisionCase, scopes: Sequence[str]) -> PartnerPrincipal:
    terms = case.terms
    return PartnerPrincipal(
        terms.partner_id,
        terms.id,
        1,
        "client",
        "token",
        terms.basis,
        terms.purpose,
        scope_mask(terms, scopes),
    )


def is_shown(value: Any) -> bool:
    """Whether a value of the category came back, in an object if need be."""
    if isinstance(value, dict):
        return bool(value) and all(map(is_shown, value.values()))
    return value is not None


async def ask_or_none(asking: Within, principal: Any, document: str, **variables: Any) -> Any:
    """The data; None when the contract does not know what is asked for."""
    try:
        reply = await asking.both(principal, document, variables)
    except DocumentRefused:
        return None
    assert reply.codes == []
    return reply.data


async def ways_of_partner(
    asking: Within, principal: PartnerPrincipal, category: DataCategory
) -> dict[str, bool]:
    """Whether a partner gets at the fact, by each way there is."""
    field = FIELDS.get(category)
    if field is None:
        return {}
    ways: dict[str, bool] = {}
    page = await ask_or_none(asking, principal, f"{{ members {{ edges {{ node {{ {field} }} }} }} }}")
    nodes = [edge["node"] for edge in page["members"]["edges"]] if page else []
    assert len(nodes) <= 1
    ways["page"] = any(map(is_shown, nodes))
    subject = await asking.connection.fetchval(
        "SELECT subject FROM pairwise_subject WHERE partner_id = $1 AND member_id = $2",
        principal.partner_id,
        MEMBER,
    )
    found = await ask_or_none(
        asking, principal, f"query($id: ID!) {{ member(id: $id) {{ {field} }} }}", id=str(subject)
    )
    ways["lookup"] = bool(found) and is_shown(found["member"])
    narrowed = FILTERS.get(category)
    if narrowed is not None:
        listed = await ask_or_none(
            asking, principal, f"{{ members(where: {{ {narrowed} }}) {{ edges {{ node {{ id }} }} }} }}"
        )
        ways["filter"] = bool(listed) and bool(listed["members"]["edges"])
        counted = await ask_or_none(
            asking, principal, f"{{ members(where: {{ {narrowed} }}) {{ totalCount }} }}"
        )
        ways["count"] = bool(counted) and counted["members"]["totalCount"] == 1
    return ways


async def ways_of_member(asking: Within, case: DecisionCase) -> dict[str, bool]:
    """Whether the member is told that the agreement gives the fact away. Tokens' scopes count for nothing."""
    principal = MemberPrincipal(MEMBER, "web", "token")
    ways: dict[str, bool] = {}
    field = FIELDS.get(case.category)
    if field is not None:
        data = await ask_or_none(
            asking,
            principal,
            f"query($a: ID!) {{ previewAsPartner(agreement: $a) {{ {field} }} }}",
            a=str(case.terms.id),
        )
        ways["preview"] = is_shown(data["previewAsPartner"])
    data = await ask_or_none(
        asking, principal, "{ me { shares { edges { node { categories agreement { id validFrom } } } } } }"
    )
    given = [
        edge["node"]["categories"]
        for edge in data["me"]["shares"]["edges"]
        if edge["node"]["agreement"]["id"] == str(case.terms.id)
        and edge["node"]["agreement"]["validFrom"] <= NOW.isoformat()
    ]
    if case.category is DataCategory.PSEUDONYM:
        ways["me.shares"] = bool(given)
    else:
        ways["me.shares"] = any(case.category.value in keys for keys in given)
    ways["partners"] = any(
        case.category is DataCategory.PSEUDONYM or outcome.category is case.category
        for partner in await view_partners(asking.connection, asking.product.matrix, MEMBER, NOW)
        for applied in partner.agreements
        if applied.terms.id == case.terms.id and applied.in_force
        for outcome in applied.leaves
    )
    return ways


def explained(matrix: Matrix, case: DecisionCase, mask: int) -> bool:
    verdict = explain(
        matrix, case.terms, mask, case.facts, case.choices, category=case.category, now=NOW
    ).verdict
    return isinstance(verdict, Allow)


async def check(asking: Within, case: DecisionCase) -> None:
    matrix = asking.product.matrix
    await lay_down(asking.connection, case)
    await refresh_shares(asking.connection, matrix, now=NOW, members=[MEMBER])
    principal = principal_of(case, case.scopes)
    expected = case.expect == "allow"
    ways = await ways_of_partner(asking, principal, case.category)
    ways["explain"] = explained(matrix, case, principal.mask)
    assert ways == dict.fromkeys(ways, expected)

    whole = await ways_of_partner(asking, principal_of(case, sorted(case.terms.categories)), case.category)
    whole |= await ways_of_member(asking, case)
    whole["explain"] = explained(matrix, case, EVERYTHING)
    assert whole == dict.fromkeys(whole, expected or case.reason is Reason.SCOPE)


@pytest.mark.clause("C3")
@pytest.mark.clause("C8")
@pytest.mark.clause("C11")
@pytest.mark.clause("C17")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_every_way_to_a_fact_agrees_with_the_table(enter: Enter, case: DecisionCase) -> None:
    await check(enter(product_under(case.added_rules)), case)


@pytest.mark.clause("C11")
@pytest.mark.parametrize(("basis", "purpose", "category", "chosen"), EXTRA)
async def test_every_way_to_what_can_be_filtered_agrees(
    enter: Enter, basis: str, purpose: str, category: DataCategory, chosen: str
) -> None:
    refused = chosen in {"OUT", "OUT of it"}
    case = replace(
        CASES[0],
        terms=replace(
            CASES[0].terms,
            basis=Basis(basis),
            purpose=Purpose[purpose],
            categories=frozenset({DataCategory.NAME, category}),
        ),
        scopes=(DataCategory.NAME.value, category.value),
        facts=MemberFacts(date(1980, 5, 1), "US-CA", active=True),
        choices=tuple(
            Choice(
                NOW - timedelta(days=9 - position),
                Direction(word.split()[0]),
                None,
                None,
                frozenset({category}) if "of it" in word else None,
                ChoiceSource.MAIL,
            )
            for position, word in enumerate(chosen.split(", then "))
            if word
        ),
        category=category,
        expect=Verdict.WITHHOLD if refused else Verdict.ALLOW,
        reason=Reason.REFUSED if refused else Reason.PRESUMED,
    )
    await check(enter(product_under("")), case)


def test_every_field_that_partners_have_is_asked_for() -> None:
    catalogue = product_under("").catalogue
    shared = {
        catalogue.category(owner, field) for owner, field in catalogue.fields if owner == "SharedMember"
    }
    assert shared <= FIELDS.keys()
    filtered = {name for owner, name in catalogue.filters if owner == "MemberFilter"}
    assert filtered == {*(text.split(":")[0] for text in FILTERS.values()), "changedSince"}
