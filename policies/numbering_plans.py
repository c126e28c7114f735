"""Whether a country's numbering plan has a string of digits, asked at a fraction of the library's price.

In: ASCII digits, with a `+` before them or with the country in which they are dialled. Out: whether they
are a valid number. `phonenumbers` decides. What it asks for at the least is asked first, of its own metadata
and with patterns that are compiled once: that what is left, when prefixes are taken off in any way in which
the library takes them off, has the length and the general form of a number of that country.

INVARIANT (plans-only-narrow): what is turned down before the library is asked is no valid number for the
library either. Where taking off a prefix rewrites the number, the library is always asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber

_NO_REGION: Final = "001"
"""How the library calls codes that belong to no country, such as that of satellite telephones."""

_LONGEST_CODE: Final = 3
"""Digits of a country's calling code (ITU-T E.164)."""

_MOST: Final = 17
"""Digits that the library takes for a number: longer ones it refuses itself."""

_PREFIXES_IN_A_ROW: Final = 2
"""The library takes off a national prefix behind a country code, and once more from what is left."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the library asks of a number with one calling code, as dialled in one of its countries."""

    code: str
    abroad: re.Pattern[str] | None
    """What is dialled before a country code."""
    prefixes: tuple[tuple[re.Pattern[str], bool], ...]
    """National prefixes, and whether what follows is rewritten."""
    forms: Mapping[int, re.Pattern[str]]
    """By its length, the general form of a number in any country with this code."""


def is_valid(digits: str, region: str | None) -> bool:
    """Whether `digits` are a valid number: after a `+` of any country, else as dialled in `region`.

    The caller must make sure that they are nothing but ASCII digits, at most one `+` before them, and that
    the library knows `region`.
    """
    if not _may_be_valid(digits, region):
        return False
    try:
        parsed: PhoneNumber = phonenumbers.parse(digits, region)
    except NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed)


def _may_be_valid(digits: str, region: str | None) -> bool:
    if digits.startswith("+"):
        if _may_be_international(digits[1:]):
            return True
        digits = digits[1:]  # without a country code behind it the library reads on as if there were none
    if region is None:
        return False
    plan = _plan(region)
    if plan.abroad is not None and (dialled := plan.abroad.match(digits)):
        return _may_be_international(digits[dialled.end() :]) or _may_be_national(digits, plan)
    return _may_be_national(digits, plan)


def _may_be_international(digits: str) -> bool:
    """Digits that begin with a country code: the shortest that there is, as the library reads them."""
    if digits.startswith("0"):
        return False
    for length in range(1, _LONGEST_CODE + 1):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length] or 0))
        if regions:
            return _has_form(digits[length:], _plan(regions[0], digits[:length]), _PREFIXES_IN_A_ROW)
    return False


def _may_be_national(digits: str, plan: _Plan) -> bool:
    if _has_form(digits, plan, _PREFIXES_IN_A_ROW):
        return True
    behind = digits.removeprefix(plan.code)
    return behind != digits and _has_form(behind, plan, _PREFIXES_IN_A_ROW)


def _has_form(number: str, plan: _Plan, prefixes: int) -> bool:
    """Whether a number of this plan is left when up to so many national prefixes are taken off, or none."""
    form = plan.forms.get(len(number))
    if form is not None and form.fullmatch(number):
        return True
    if not prefixes:
        return False
    for pattern, rewrites in plan.prefixes:
        taken = pattern.match(number)
        if taken and (rewrites or _has_form(number[taken.end() :], plan, prefixes - 1)):
            return True
    return False


@cache
def _plan(region: str, code: str = "") -> _Plan:
    """The plan of a country, or of what goes by a code without one."""
    own = _metadata(region, code)
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[own.country_code]
    every = [_metadata(other, str(own.country_code)) for other in regions]
    # Behind a country code the library reads by the rules of the first country that has it.
    ruling = [own, *([] if own is every[0] else every[:1])]
    return _Plan(
        code=str(own.country_code),
        abroad=re.compile(own.international_prefix) if own.international_prefix else None,
        prefixes=tuple(
            (re.compile(metadata.national_prefix_for_parsing), bool(metadata.national_prefix_transform_rule))
            for metadata in ruling
            if metadata.national_prefix_for_parsing
        ),
        forms=_forms(every),
    )


def _forms(every: list[Any]) -> dict[int, re.Pattern[str]]:
    patterns: dict[int, dict[str, None]] = {}
    for metadata in every:
        general = metadata.general_desc
        for length in general.possible_length or range(1, _MOST + 1):
            patterns.setdefault(length, {})[f"(?:{general.national_number_pattern})"] = None
    return {length: re.compile("|".join(found)) for length, found in patterns.items()}


def _metadata(region: str, code: str) -> Any:
    if region == _NO_REGION:
        return PhoneMetadata.metadata_for_nongeo_region(int(code), None)
    return PhoneMetadata.metadata_for_region(region, None)
