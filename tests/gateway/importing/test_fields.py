from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.importing import fields
from resolvers.commands.member_records import AddressRecord


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("US", "US"),
        ("de", "DE"),
        ("Germany", "DE"),
        ("Österreich", "AT"),
        ("united kingdom", "GB"),
        ("XX", None),
    ],
)
def test_countries_by_code_or_name(name: str, code: str | None) -> None:
    assert fields.country(name) == code


@pytest.mark.parametrize("expiry", ["12/29", "12/2029", "2029-12", " 12 / 29 "])
def test_ways_to_write_an_expiry(expiry: str) -> None:
    method = fields.billing("Visa", "**** **** **** 4242", expiry, None)

    assert method is not None
    assert (method.last_four, method.expiry_month, method.expiry_year) == ("4242", 12, 2029)


@pytest.mark.parametrize("expiry", ["13/29", "1229", "12/9", ""])
def test_an_expiry_that_is_none(expiry: str) -> None:
    assert fields.billing("Visa", "4242", expiry, None) is None


def test_the_packed_address_of_mailchimp() -> None:
    assert fields.unpack_address("8 Langley Blvd  Hampton  VA  23666  US") == AddressRecord(
        "8 Langley Blvd", None, "Hampton", "VA", "23666", "US"
    )
    assert fields.unpack_address("8 Langley Blvd  Unit 2  Hampton  VA  23666  US") == AddressRecord(
        "8 Langley Blvd", "Unit 2", "Hampton", "VA", "23666", "US"
    )
    assert fields.unpack_address("8 Langley Blvd, Hampton") is None


@pytest.mark.parametrize(
    ("given_address", "normal"),
    [
        ("Ada@EXAMPLE.com", "Ada@example.com"),
        ("ada@münchen.example", "ada@münchen.example"),
        ("ada", None),
        ("ada@", None),
        ("@example.com", None),
        ("ada@localhost", None),
        ("a" * 65 + "@example.com", None),
        ("ada@" + "a" * 251 + ".com", None),
    ],
)
def test_email_addresses(given_address: str, normal: str | None) -> None:
    assert fields.email(given_address) == normal


@given(st.text())
def test_no_text_makes_a_field_fail(text: str) -> None:
    fields.email(text)
    fields.country(text)
    fields.instant(text)
    fields.labels(text)
    fields.billing(text, text, text, text)
    fields.unpack_address(text)
    fields.has_control(text)
