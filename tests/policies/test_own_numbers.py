from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.own_numbers import email_holds_number, holds_own_number, own_number
from policies.phone_numbers import read_phone_number

SPELLINGS = [
    ("+1 415 555 2671", None, "4155552671"),
    ("(415) 555-2671", "US", "+14155552671"),
    ("(415) 555-2671", "US", "M-1-415-555-2671"),
    ("+1 415 555 2671", None, "5552671"),
    ("+1 415 555 2671", None, "４１５５５５２６７１"),
    ("+49 30 231250000", None, "030231250000"),
    ("030 231250000", "DE", "4930231250000"),
    ("030 231250000", "DE", "0049.30.231250000"),
    ("+39 06 698 12345", None, "0669812345"),
    ("+376 712 345", None, "712345"),
    ("415 555 2671", None, "14155552671"),
    ("1 415 555 2671", None, "4155552671"),
]
OWN = {own_number("+1 415 555 2671", "+14155552671")}


@pytest.mark.clause("R1")
@pytest.mark.parametrize(("written", "country", "text"), SPELLINGS)
def test_a_members_own_number_is_known_however_it_is_spelt(
    written: str, country: str | None, text: str
) -> None:
    own = {own_number(written, read_phone_number(written, country))}

    assert holds_own_number(text, own)
    assert email_holds_number(f"{text}@example.com", own, region=country)


@pytest.mark.parametrize("text", ["", "M-1", "2671", "552671", "4155552672", "john1984", "7890123456001"])
def test_other_figures_are_not_the_members_number(text: str) -> None:
    assert not holds_own_number(text, OWN)
    assert not holds_own_number(text, set())


def test_a_telephone_cell_without_digits_is_nobodys_number() -> None:
    assert not holds_own_number("M-1", {own_number("none", None)})
    assert not holds_own_number("0000000", {own_number("000", None)})


@pytest.mark.clause("R1")
@pytest.mark.parametrize(
    "address",
    [
        "4155550132@vtext.example.com",
        "14155550132@vtext.example.com",
        "+14155550132@vtext.example.com",
        "415-555-0132@vtext.example.com",
        "ada+4155550132@example.com",
        "4930901820@example.com",
        "john4155552671@example.com",
        "john@4155552671.example.com",
    ],
)
def test_an_address_that_is_a_telephone_number_is_found(address: str) -> None:
    assert email_holds_number(address, OWN, region=None)


@pytest.mark.parametrize(
    "address", ["john1984@example.com", "12345@example.com", "123456789@qq.com", "ada@163.com", "1.2.3@a.com"]
)
def test_an_address_with_some_digits_is_no_telephone_number(address: str) -> None:
    assert not email_holds_number(address, OWN, region="US")


@given(st.text(), st.text())
def test_no_text_makes_it_fail(text: str, written: str) -> None:
    own = {own_number(written, read_phone_number(written, "US"))}
    holds_own_number(text, own)
    email_holds_number(text, own, region="US")
