from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import parse, validate

from gateway.app import Product
from policies.principal import RecipientPrincipal
from schema.categories import mask_of
from schema.vocabulary import DIMENSION_CATEGORIES
from schema.vocabulary import AudienceDimension as By
from tests import world

NOBODY = world.partner_id("acme")
ALL = RecipientPrincipal(NOBODY, NOBODY, 1, "counts", "t", mask_of(DIMENSION_CATEGORIES.values()))


def refused(product: Product, who: RecipientPrincipal, document: str) -> bool:
    return bool(validate(product.contracts.of(who).schema, parse(document)))


@pytest.mark.clause("C5")
def test_a_recipient_s_contract_has_counts_and_no_trace_of_a_member(product: Product) -> None:
    schema = product.contracts.of(ALL).schema
    assert schema.query_type is not None
    assert set(schema.query_type.fields) == {
        "policy", "viewer", "notices", "audience", "audienceDimensions", "aggregateAgreement",
    }  # fmt: skip
    assert schema.mutation_type is schema.subscription_type is None
    assert not any("Member" in name for name in schema.type_map)
    assert refused(product, ALL, "{ members { totalCount } }")


@pytest.mark.clause("C5")
def test_a_dimension_that_is_not_granted_does_not_exist(product: Product) -> None:
    narrow = replace(ALL, mask=mask_of({DIMENSION_CATEGORIES[By.AGE_BAND]}))
    assert not refused(product, narrow, "{ audience(groupBy: [AGE_BAND]) { groups { ageBand count } } }")
    for document in (
        "{ audience(groupBy: [REGION]) { total } }",
        '{ audience(groupBy: [], where: {region: ["DE"]}) { total } }',
        "{ audience(groupBy: []) { groups { region } } }",
    ):
        assert not refused(product, ALL, document)
        assert refused(product, narrow, document)
    assert "REGION" not in product.contracts.of(narrow).sdl


@pytest.mark.clause("C5")
def test_without_a_dimension_nothing_is_counted(product: Product) -> None:
    nothing = replace(ALL, mask=0)
    for document in ("{ audience(groupBy: []) { total } }", "{ audienceDimensions { values } }"):
        assert refused(product, nothing, document)
        assert not refused(product, ALL, document)


def test_partners_and_members_have_no_counts(product: Product) -> None:
    for name in ("acme", "ada", "visitor"):
        schema = product.contracts.of(world.CALLERS[name].principal).schema
        assert schema.query_type is not None
        assert "audience" not in schema.query_type.fields
