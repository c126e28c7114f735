from __future__ import annotations

from fideslang.default_taxonomy import DEFAULT_TAXONOMY
from hypothesis import given
from hypothesis import strategies as st

from schema.categories import (
    CATEGORY_LABELS,
    SEALED,
    SHARE_BITS,
    SHAREABLE,
    DataCategory,
    Purpose,
    categories_of,
    closed,
    expand,
    mask_of,
)

categories = st.frozensets(st.sampled_from(sorted(DataCategory)))
masks = st.frozensets(st.sampled_from(sorted(SHAREABLE))).map(mask_of)

STORED_BITS = {
    "user.name": 0,
    "user.name.first": 1,
    "user.name.last": 2,
    "user.contact.email": 3,
    "user.contact.address": 4,
    "user.contact.address.street": 5,
    "user.contact.address.city": 6,
    "user.contact.address.state": 7,
    "user.contact.address.postal_code": 8,
    "user.contact.address.country": 9,
    "user.location.imprecise": 10,
    "user.demographic.age_range": 11,
    "user.demographic.profile": 12,
    "user.behavior.purchase_history": 13,
    "user.account": 14,
    "user.account.username": 15,
    "user.behavior": 16,
    "user.behavior.browsing_history": 17,
    "user.contact": 18,
    "user.content.private": 19,
    "user.demographic.date_of_birth": 20,
    "user.device": 21,
    "user.device.ip_address": 22,
    "user.financial.credit_card": 23,
    "user.payment": 24,
    "user.privacy_preferences": 25,
    "user.unique_id": 26,
}
"""As they stand in databases: a line is added at the end, never changed and never removed."""


def test_every_category_is_a_key_of_the_published_taxonomy() -> None:
    published = {category.fides_key for category in DEFAULT_TAXONOMY.data_category}
    assert {category.value for category in DataCategory} <= published


def test_every_purpose_is_a_use_of_the_published_taxonomy() -> None:
    published = {use.fides_key for use in DEFAULT_TAXONOMY.data_use}
    assert {purpose.value for purpose in Purpose} <= published


def test_the_bits_are_those_that_databases_hold() -> None:
    assert {category.value: bit for category, bit in SHARE_BITS.items()} == STORED_BITS
    assert len(set(SHARE_BITS.values())) == len(SHARE_BITS)
    assert max(SHARE_BITS.values()) < 63, "the column is a signed 64-bit number"


def test_a_sealed_category_has_no_bit_and_no_other_has_none_but_the_row() -> None:
    """INVARIANT (sealed-unnameable)."""
    assert not SHARE_BITS.keys() & SEALED
    without = {DataCategory.OPERATIONS, DataCategory.PSEUDONYM}
    assert SHARE_BITS.keys() | SEALED | without == set(DataCategory)
    assert {DataCategory.PHONE_NUMBER, DataCategory.PASSWORD, DataCategory.CREDENTIALS} == SEALED


def test_every_category_has_words() -> None:
    assert CATEGORY_LABELS.keys() == set(DataCategory)
    assert len(set(CATEGORY_LABELS.values())) == len(CATEGORY_LABELS)


@given(keys=categories)
def test_masks_and_categories_are_each_others_inverse(keys: frozenset[DataCategory]) -> None:
    assert categories_of(mask_of(keys)) == keys & SHAREABLE


@given(mask=st.integers(min_value=0, max_value=2**63 - 1))
def test_unknown_bits_grant_nothing(mask: int) -> None:
    assert categories_of(mask) <= SHAREABLE
    assert mask_of(categories_of(mask)) == mask & mask_of(SHAREABLE)


@given(mask=masks)
def test_closing_takes_wholes_that_lack_a_part_and_nothing_else(mask: int) -> None:
    after = closed(mask)
    assert after & ~mask == 0
    assert closed(after) == after
    held = categories_of(after)
    for category in held:
        assert {below for below in SHAREABLE if category.covers(below)} <= held
    for dropped in categories_of(mask) - held:
        assert {below for below in SHAREABLE if dropped.covers(below)} - categories_of(mask)


@given(one=masks, other=masks)
def test_closing_is_monotonous_and_survives_intersection(one: int, other: int) -> None:
    assert closed(one & other) & ~closed(one) == 0
    both = closed(one) & closed(other)
    assert closed(both) == both


@given(keys=categories)
def test_expansion_covers_what_is_below_and_never_what_is_sealed(keys: frozenset[DataCategory]) -> None:
    granted = expand(keys)
    assert not granted & SEALED
    assert keys - SEALED <= granted
    assert expand(granted) == granted
    for category in granted:
        assert any(key.covers(category) for key in keys)


@given(keys=categories)
def test_what_is_expanded_is_closed(keys: frozenset[DataCategory]) -> None:
    mask = mask_of(expand(keys))
    assert closed(mask) == mask


def test_a_key_covers_itself_and_below_by_whole_words() -> None:
    assert DataCategory.CONTACT.covers(DataCategory.EMAIL)
    assert not DataCategory.EMAIL.covers(DataCategory.CONTACT)
    assert DataCategory.EMAIL.covers(DataCategory.EMAIL)
    assert not DataCategory.ACCOUNT.covers(DataCategory.PASSWORD)
