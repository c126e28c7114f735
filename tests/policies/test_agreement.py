from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policies.agreement import AgreementTerms, parse_categories, scope_mask
from schema.categories import SEALED, Basis, DataCategory, Purpose, categories_of
from schema.errors import InputError
from schema.vocabulary import AgreementStatus
from tests.decisions.cases import AGREEMENT, NOW, THIS_PARTNER

pytestmark = pytest.mark.clause("C8")

TERMS = AgreementTerms(
    id=AGREEMENT,
    partner_id=THIS_PARTNER,
    basis=Basis.STRATEGIC,
    purpose=Purpose.PARTNER_OFFERS,
    categories=frozenset({DataCategory.NAME, DataCategory.EMAIL}),
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_until=datetime(2027, 1, 1, tzinfo=UTC),
    status=AgreementStatus.ACTIVE,
    version=1,
)


def test_an_agreement_is_in_force_from_its_first_instant_until_before_its_last() -> None:
    assert TERMS.in_force(TERMS.valid_from)
    assert not TERMS.in_force(TERMS.valid_from - timedelta(microseconds=1))
    assert TERMS.valid_until is not None
    assert TERMS.in_force(TERMS.valid_until - timedelta(microseconds=1))
    assert not TERMS.in_force(TERMS.valid_until)
    assert replace(TERMS, valid_until=None).in_force(NOW + timedelta(days=36_500))


@pytest.mark.parametrize("status", sorted(set(AgreementStatus) - {AgreementStatus.ACTIVE}))
def test_only_an_active_agreement_is_in_force(status: AgreementStatus) -> None:
    assert not replace(TERMS, status=status).in_force(NOW)


def test_the_mask_holds_the_keys_and_all_below_them() -> None:
    assert categories_of(TERMS.mask) == {
        DataCategory.NAME,
        DataCategory.FIRST_NAME,
        DataCategory.LAST_NAME,
        DataCategory.EMAIL,
    }


@pytest.mark.parametrize("key", sorted(SEALED))
@pytest.mark.clause("C10", "C14")
def test_a_sealed_key_is_refused_by_name(key: str) -> None:
    with pytest.raises(InputError, match=f"never shared: `{key}`"):
        parse_categories(["user.name", key])


def test_unknown_keys_are_all_named() -> None:
    with pytest.raises(InputError, match=r"no data category: `user.nam`, `user.contact.emial`;"):
        parse_categories(["user.nam", "user.name", "user.contact.emial"])


def test_what_is_not_shaped_like_a_key_is_not_repeated() -> None:
    with pytest.raises(InputError) as refused:
        parse_categories(["user.name", "+44 20 7946 0958"])
    assert "7946" not in str(refused.value)
    assert "key 2" in str(refused.value)


def test_a_key_above_a_sealed_one_does_not_include_it() -> None:
    contact = replace(TERMS, categories=parse_categories(["user.contact"]))
    assert DataCategory.EMAIL in categories_of(contact.mask)
    assert not SEALED & categories_of(contact.mask)


def test_scopes_narrow_the_terms_and_never_widen_them() -> None:
    assert scope_mask(TERMS, ["user.name"]) == replace(TERMS, categories=parse_categories(["user.name"])).mask
    assert scope_mask(TERMS, ["user.contact", "user.device"]) == scope_mask(TERMS, ["user.contact.email"])


def test_a_scope_for_a_part_drops_the_whole() -> None:
    assert categories_of(scope_mask(TERMS, ["user.name.last"])) == {DataCategory.LAST_NAME}


@pytest.mark.parametrize("scope", ["", "openid", "user", *sorted(SEALED)])
def test_a_scope_that_is_no_category_grants_nothing(scope: str) -> None:
    assert scope_mask(TERMS, [scope]) == 0
