"""A field outside the contract does not exist: not in the SDL, not in introspection, not in an error."""

from __future__ import annotations

import re
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_client_schema,
    get_introspection_query,
    get_named_type,
    graphql_sync,
    parse,
    print_schema,
    validate_schema,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.app import Product
from gateway.contracts import CACHED_CONTRACTS, Contract
from gateway.validation import validation_refusals
from policies.principal import PartnerPrincipal, Visitor
from policies.sharing import EVERYTHING
from schema.catalogue import Root, RootKind, category_of
from schema.categories import (
    SHARE_BITS,
    SHAREABLE,
    Audience,
    Basis,
    DataCategory,
    Purpose,
    categories_of,
    closed,
    mask_of,
)
from tests import world

SHARED = ("SharedMember", "SharedAddress", "MemberFilter")
NONSENSE = "zzyzx"
_INTROSPECTION = get_introspection_query(
    schema_description=True, specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True
)

masks = st.frozensets(st.sampled_from(sorted(SHAREABLE))).map(mask_of)
bases = st.sampled_from(
    [
        (Basis.STRATEGIC, Purpose.PARTNER_OFFERS),
        (Basis.MARKETING, Purpose.PARTNER_EMAIL),
        (Basis.LEGAL, Purpose.LEGAL_OBLIGATION),
        (Basis.INSOLVENCY, Purpose.BUSINESS_TRANSFER),
        (Basis.MEMBER_REQUEST, Purpose.MEMBER_ASKED),
    ]
)


def partner(
    mask: int, basis: Basis = Basis.LEGAL, purpose: Purpose = Purpose.LEGAL_OBLIGATION
) -> PartnerPrincipal:
    terms = world.AGREEMENTS["acme"]
    return PartnerPrincipal(terms.partner_id, terms.id, 1, "client", "token", basis, purpose, mask)


class Contracts:
    """The product's contracts, with a short name for Hypothesis to print."""

    def __init__(self, product: Product) -> None:
        self.product = product

    def of(
        self, mask: int, basis: Basis = Basis.LEGAL, purpose: Purpose = Purpose.LEGAL_OBLIGATION
    ) -> Contract:
        return self.product.contracts.of(partner(mask, basis, purpose))


@pytest.fixture(scope="session")
def contracts(product: Product) -> Contracts:
    return Contracts(product)


def introspected(contract: Contract) -> Any:
    result = graphql_sync(contract.schema, _INTROSPECTION)
    assert result.errors is None
    return result.data


def withheld_fields(product: Product, mask: int) -> set[tuple[str, str]]:
    """Fields of the shared types, and filters, whose category the mask does not hold."""
    open_ = categories_of(mask) | {DataCategory.PSEUDONYM, DataCategory.OPERATIONS}
    sources: dict[tuple[str, str], Any] = {**product.catalogue.fields, **product.catalogue.filters}
    return {
        (owner, field)
        for (owner, field), source in sources.items()
        if owner in SHARED and category_of(source) not in open_
    }


@pytest.mark.clause("C8")
@settings(deadline=None, max_examples=30)
@given(mask=masks, basis=bases)
def test_nothing_outside_the_mask_is_in_sdl_or_introspection(
    contracts: Contracts, mask: int, basis: tuple[Basis, Purpose]
) -> None:
    product = contracts.product
    contract = contracts.of(mask, *basis)
    left = closed(mask & product.matrix.share_mask(*basis, protected=False))
    assert contract.key.mask == left
    assert validate_schema(contract.schema) == []

    data = introspected(contract)
    shown = {
        (type_["name"], field["name"])
        for type_ in data["__schema"]["types"]
        for field in [*(type_["fields"] or ()), *(type_["inputFields"] or ())]
    }
    withheld = withheld_fields(product, left)
    assert not shown & withheld
    sdl = contract.sdl
    for category in SHAREABLE - categories_of(left):
        assert f"`{category}`" not in sdl
        assert f"`{category}`" not in str(data)
    if not left:
        assert not [type_ for type_ in SHARED if re.search(rf"\b{type_}\b", sdl)]
        assert "members" not in contract.schema.query_type.fields  # type: ignore[union-attr]


@settings(deadline=None, max_examples=10)
@given(mask=masks)
def test_the_printed_sdl_is_the_one_that_introspection_gives(contracts: Contracts, mask: int) -> None:
    contract = contracts.of(mask)
    rebuilt = print_schema(build_client_schema(introspected(contract)))
    assert rebuilt == contract.sdl


def error_of(contract: Contract, document: str) -> list[str]:
    return [refusal.message for refusal in validation_refusals(contract.schema, parse(document))]


def _in_place(owner: str, field: str) -> str:
    match owner:
        case "SharedMember":
            return f"{{ members {{ edges {{ node {{ {field} }} }} }} }}"
        case "SharedAddress":
            return f"{{ members {{ edges {{ node {{ address {{ {field} }} }} }} }} }}"
        case "MemberFilter":
            return f"{{ members(where: {{ {field}: null }}) {{ totalCount }} }}"
        case _:
            return f"{{ {field} }}"


@settings(deadline=None, max_examples=20)
@given(mask=masks)
def test_a_withheld_name_gives_the_error_of_a_name_that_means_nothing(
    contracts: Contracts, mask: int
) -> None:
    contract = contracts.of(mask)
    for owner, field in withheld_fields(contracts.product, contract.key.mask):
        asked = error_of(contract, _in_place(owner, field))
        nonsense = error_of(contract, _in_place(owner, NONSENSE))
        assert asked
        assert [m.replace(field, NONSENSE) for m in asked] == nonsense
        assert "mean" not in " ".join(asked)


@pytest.mark.parametrize("name", ["visitor", "ada", "acme", "acme-nothing"])
def test_a_root_of_another_audience_gives_the_error_of_a_name_that_means_nothing(
    product: Product, name: str
) -> None:
    contract = product.contracts.of(world.CALLERS[name].principal)
    query = contract.schema.query_type
    assert query is not None
    for owner, field in product.catalogue.fields:
        if owner == "Query" and field not in query.fields:
            asked = error_of(contract, f"{{ {field} }}")
            assert [m.replace(f"`{field}`", f"`{NONSENSE}`") for m in asked] == error_of(
                contract, f"{{ {NONSENSE} }}"
            )


@pytest.mark.parametrize(
    "near", ["emial", "givenname", "memberz", "Email", "phones", "phoneNumber", "password"]
)
def test_no_error_suggests_a_name(product: Product, near: str) -> None:
    for caller in world.CALLERS.values():
        contract = product.contracts.of(caller.principal)
        for document in (
            _in_place("SharedMember", near),
            _in_place("Query", near),
            _in_place("MemberFilter", near),
        ):
            for message in error_of(contract, document):
                assert "mean" not in message


@pytest.mark.parametrize(
    ("name", "roots"),
    [
        ("visitor", {"policy", "notices", "viewer"}),
        ("ada", {"policy", "notices", "viewer", "me", "previewAsPartner", "partners", "receipt"}),
        (
            "acme",
            {
                "policy",
                "notices",
                "viewer",
                "members",
                "member",
                "changes",
                "agreement",
                "deletions",
                "suppressions",
            },
        ),
        ("acme-nothing", {"policy", "notices", "viewer", "agreement", "deletions"}),
    ],
)
def test_each_audience_has_its_roots(product: Product, name: str, roots: set[str]) -> None:
    query = product.contracts.of(world.CALLERS[name].principal).schema.query_type
    assert query is not None
    assert set(query.fields) == roots


def test_visitors_and_partners_have_no_type_of_the_members_own(product: Product) -> None:
    for caller in world.CALLERS.values():
        if caller.principal.audience is Audience.MEMBER:
            continue
        types = product.contracts.of(caller.principal).schema.type_map
        assert not types.keys() & {"Member", "Order", "Cart", "Visit", "Choice", "DisclosureRecord", "Phone"}


SESSION_TOKENS = {("SessionPayload", "accessToken"), ("SessionPayload", "refreshToken")}
"""What a member who signs in is given, once."""


@pytest.mark.clause("C10")
@pytest.mark.clause("C14")
def test_no_contract_has_a_field_for_a_number_or_a_password(product: Product) -> None:
    """R1: what could hold one is only ever a label or a date."""
    principals = [caller.principal for caller in world.CALLERS.values()] + [partner(EVERYTHING)]
    for principal in principals:
        schema = product.contracts.of(principal).schema
        for name, type_ in schema.type_map.items():
            if name.startswith("__") or not isinstance(type_, GraphQLObjectType | GraphQLInputObjectType):
                continue
            if name == "Mutation" or isinstance(type_, GraphQLInputObjectType):
                continue
            for field in type_.fields:
                if (name, field) in SESSION_TOKENS:
                    continue
                assert not re.search(r"password|secret|hash|cipher|token", field, re.IGNORECASE)
        phone = schema.type_map.get("Phone")
        if isinstance(phone, GraphQLObjectType):
            assert set(phone.fields) == {"id", "label", "addedAt"}


@pytest.mark.clause("C2", "C3")
def test_no_partner_whatever_its_rights_has_a_field_for_visits(product: Product) -> None:
    schema = product.contracts.of(partner(EVERYTHING)).schema
    reached = {
        get_named_type(f.type).name
        for t in schema.type_map.values()
        if isinstance(t, GraphQLObjectType)
        for f in t.fields.values()
    }
    assert not reached & {"Visit", "PageView", "Interaction", "Communication", "Order", "Cart"}


@pytest.mark.clause("C5")
def test_no_contract_computes_over_members_beyond_counting_those_it_shows(product: Product) -> None:
    """Aggregates are given by a contract of their own, with cohort and budget; no list goes around it."""
    for caller in world.CALLERS.values():
        for name, type_ in product.contracts.of(caller.principal).schema.type_map.items():
            if name.endswith("Connection") and isinstance(type_, GraphQLObjectType):
                counted = set() if name == "ChangeConnection" else {"totalCount"}
                assert set(type_.fields) == {"edges", "pageInfo"} | counted


def test_partners_with_the_same_rights_share_a_contract(product: Product) -> None:
    acme, bolt = partner(1 << SHARE_BITS[DataCategory.EMAIL]), partner(1 << SHARE_BITS[DataCategory.EMAIL])
    assert product.contracts.of(acme) is product.contracts.of(bolt)
    assert product.contracts.of(Visitor()) is product.contracts.of(Visitor())
    assert product.contracts.of(acme).key != product.contracts.of(partner(EVERYTHING)).key


def test_a_contract_that_was_forgotten_is_made_again_alike(product: Product) -> None:
    before = product.contracts.of(partner(EVERYTHING))
    for number in range(CACHED_CONTRACTS + 1):
        product.contracts._kept.put(type(before.key)(Audience.OFFICER, number), before)
    after = product.contracts.of(partner(EVERYTHING))
    assert after is not before
    assert after.sdl == before.sdl


def test_every_shared_root_is_one_that_partners_lose_without_rights(product: Product) -> None:
    roots = {
        f
        for (_, f), s in product.catalogue.fields.items()
        if isinstance(s, Root)
        and s.kind in {RootKind.SHARED_ONE, RootKind.SHARED_PAGE, RootKind.SHARED_CHANGES}
    }
    assert roots == {"member", "members", "changes"}
