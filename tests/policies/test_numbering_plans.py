from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.numbering_plans import _may_be_valid, is_valid

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
CODES = [str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]
FIGURES = st.text("0123456789", max_size=15)


def _library(digits: str, region: str | None) -> bool:
    """The model: the library alone."""
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed)


def _examples() -> dict[str, list[str]]:
    """National numbers of every kind that the library knows an example of, by country."""
    found: dict[str, list[str]] = {}
    for region in REGIONS:
        for kind in phonenumbers.PhoneNumberType.values():
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None:
                found.setdefault(region, []).append(phonenumbers.national_significant_number(example))
    return found


EXAMPLES = _examples()


def _ways_to_dial(region: str, number: str) -> list[tuple[str, str | None]]:
    """A national number as it may stand in a text."""
    code = str(phonenumbers.country_code_for_region(region))
    prefix = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) or "0"
    behind = [number, prefix + number, code + number, code + prefix + number, prefix + code + number]
    return [
        *((written, region) for written in behind),
        *((abroad + written, region) for abroad in ("00", "011", "000") for written in behind[2:]),
        *((f"+{written}", None) for written in behind[2:]),
    ]


@pytest.mark.parametrize("region", ["US", "GB", "DE", "FR", "CA", "BR", "AR", "MX", "IT", "AU", "JP", "AG"])
def test_says_what_the_library_says_of_every_kind_of_number_of_a_country(region: str) -> None:
    for number in EXAMPLES[region]:
        for near in (number, number[:-1], number + "0", "0" + number, number[::-1]):
            for digits, asked in _ways_to_dial(region, near):
                assert is_valid(digits, asked) is _library(digits, asked)


@pytest.mark.parametrize(("digits", "region"), [("+0015176803006", "IE"), ("+0080023971373", "SD")])
def test_a_plus_before_what_is_dialled_abroad_is_read_as_the_library_reads_it(
    digits: str, region: str
) -> None:
    assert _library(digits, region)
    assert is_valid(digits, region)
    assert not is_valid(digits, None)


def test_an_example_of_each_country_is_valid_in_the_way_in_which_it_is_dialled() -> None:
    for region, (number, *_) in EXAMPLES.items():
        code = phonenumbers.country_code_for_region(region)
        assert is_valid(f"+{code}{number}", None)
        assert is_valid(number, region) is _library(number, region)


@given(
    st.sampled_from(["", "0", "00", "011", "+", "+0", "+00", "000", "1", "8", "810"]),
    st.sampled_from(["", *CODES]),
    FIGURES,
    st.sampled_from([None, *REGIONS]),
)
def test_says_what_the_library_says_of_any_digits(
    before: str, code: str, rest: str, region: str | None
) -> None:
    digits = before + code + rest
    if digits.strip("+"):
        assert is_valid(digits, region) is _library(digits, region)


@given(st.sampled_from(REGIONS), st.data())
@settings(max_examples=300)
def test_a_valid_number_with_another_digit_is_judged_as_the_library_does(
    region: str, data: st.DataObject
) -> None:
    digits, asked = data.draw(
        st.sampled_from(EXAMPLES[region]).flatmap(lambda it: st.sampled_from(_ways_to_dial(region, it)))
    )
    place = data.draw(st.integers(1, len(digits) - 1))
    changed = digits[:place] + data.draw(st.sampled_from("0123456789")) + digits[place + 1 :]
    for written in (digits, changed):
        assert is_valid(written, asked) is _library(written, asked)


def test_the_library_is_not_asked_about_a_number_in_a_series() -> None:
    assert not any(_may_be_valid("000000004711", region) for region in ("US", "GB", "DE", "FR"))
    assert not _may_be_valid("+000000004711", None)


@pytest.mark.slow
def test_says_what_the_library_says_of_every_kind_of_number_of_every_country() -> None:
    for region in REGIONS:
        for number in EXAMPLES[region]:
            for near in (number, number[:-1], number + "0", "0" + number):
                for digits, asked in _ways_to_dial(region, near):
                    assert is_valid(digits, asked) is _library(digits, asked)
