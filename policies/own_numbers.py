"""Telephone numbers in place of a name: as a member number, a user name or an e-mail address (R1).

Others may read these, and they are not free text: a member number or an address may well be figures only. So
they are compared with the telephone numbers of the same member, which are known at that moment, however both
are spelt; and an address of a mail-to-text gateway (`4155552671@...`) is known by its form.

In: the text, and the numbers of the member as `own_number` gives them. Out: a yes or a no, never the number.
What it cannot find: the number of somebody else as a member number.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import phonenumbers

from policies.free_text import FEWEST_DIGITS, find_phone_number, fold

SHORTEST_PART: Final = 7
"""Digits of a number from which on it is looked for inside a text, and its end alone counts as it.

A local number has seven. Shorter ones stand in longer texts of figures by chance."""

FEWEST_DIGITS_OF_ADDRESS: Final = 10
"""From so many digits on, an address of figures may be anybody's number: the North American plan has ten, and
others have as many with their country code. Mail services that number their users have shorter addresses."""

_NOT_DIGIT: Final = re.compile(r"[^0-9]+")
_LETTER: Final = re.compile(r"[^\W\d_]")


def own_number(written: str, e164: str | None) -> str:
    """The digits by which a member's number is known: of a number that was read, without its country code.

    `e164` is None where no numbering plan has `written`: a number it may still be, so its digits count.
    """
    if e164 is None:
        return _digits(written)
    return phonenumbers.national_significant_number(phonenumbers.parse(e164)).lstrip("0")


def holds_own_number(text: str, own: Collection[str]) -> bool:
    """Whether one of the numbers `own` stands in `text`, with or without country code and leading zeros."""
    digits = _digits(text)
    return len(digits) >= FEWEST_DIGITS and any(_same(digits, number) for number in own)


def email_holds_number(address: str, own: Collection[str], *, region: str | None) -> bool:
    """Whether an e-mail address has a number of the member in it, or is anybody's number at some domain.

    CLAUSE (R1, C10): an e-mail address that is a telephone number is refused, since addresses are shared.

    Digits among letters (`john1984`) and short numbers (`12345`) are no telephone number. `region` is the
    member's country, as for `find_phone_number`.
    """
    local, _, domain = address.rpartition("@")
    if holds_own_number(local, own) or holds_own_number(domain, own):
        return True
    return any(_is_number(part, region) for part in fold(local).split("+"))


def _is_number(part: str, region: str | None) -> bool:
    """Whether `part`, which is figures and marks alone, is valid in one country, or with its country code."""
    digits = _NOT_DIGIT.sub("", part)
    if len(digits) < FEWEST_DIGITS_OF_ADDRESS or _LETTER.search(part):
        return False
    return find_phone_number(digits, region=region) or find_phone_number(f"+{digits}", region=region)


def _digits(text: str) -> str:
    return _NOT_DIGIT.sub("", fold(text)).lstrip("0")


def _same(digits: str, number: str) -> bool:
    if digits == number:
        return len(number) >= FEWEST_DIGITS
    return (len(number) >= SHORTEST_PART and number in digits) or (
        len(digits) >= SHORTEST_PART and number.endswith(digits)
    )
