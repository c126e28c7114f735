from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from policies.aggregate_agreement import PURPOSES, AggregateTerms, dimension_mask, parse_dimensions
from policies.agreement import refused_scopes
from policies.privacy_budget import Thousandths
from schema.categories import DataCategory, Purpose, mask_of
from schema.errors import InputError
from schema.vocabulary import AgreementStatus
from schema.vocabulary import AudienceDimension as By

TERMS = AggregateTerms(
    UUID(int=1),
    UUID(int=2),
    Purpose.REPORTING,
    frozenset({By.AGE_BAND, By.REGION}),
    Thousandths(1_000),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
    AgreementStatus.ACTIVE,
    1,
)


def test_it_counts_within_its_dates_until_it_is_ended() -> None:
    inside, outside = datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert TERMS.in_force(inside)
    assert not TERMS.in_force(outside)
    assert not TERMS.in_force(datetime(2025, 12, 31, tzinfo=UTC))
    assert not replace(TERMS, status=AgreementStatus.ENDED).in_force(inside)


@pytest.mark.clause("C5")
def test_scopes_open_dimensions_of_the_agreement_and_nothing_else() -> None:
    age, region = mask_of({DataCategory.AGE_RANGE}), mask_of({DataCategory.REGION})
    assert dimension_mask(TERMS, ["user.demographic.age_range", "user.location.imprecise"]) == age | region
    assert dimension_mask(TERMS, ["user.demographic.age_range", "user.account"]) == age
    assert dimension_mask(TERMS, ["user.name", "user.contact.phone_number", "nonsense", ""]) == 0
    assert refused_scopes(TERMS, ["user.location.imprecise"]) == []
    assert (
        len(refused_scopes(TERMS, ["user.name", "user.demographic.profile", "user.contact.phone_number"]))
        == 3
    )


def test_dimensions_are_read_as_officers_write_them() -> None:
    assert parse_dimensions(["age-band", " region "]) == {By.AGE_BAND, By.REGION}
    for wrong in ([], ["phone"], ["REGION", "email"]):
        with pytest.raises(InputError, match="`--dimension`"):
            parse_dimensions(wrong)


@pytest.mark.clause("C7")
def test_aggregates_are_given_for_reporting_and_offers_only() -> None:
    assert {one.name for one in PURPOSES} == {"REPORTING", "PARTNER_OFFERS", "OWN_OFFERS"}
