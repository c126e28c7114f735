"""Whole card numbers, which nothing here stores: the payment processor keeps them (C1, C13).

In: a text on its way in, from a member or from a file. Out: whether a card number can be read from it.
The caller folds what may hold digits of other scripts (`policies.free_text.fold`).
The text itself is never put into an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_CARD: Final = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){13,18}(?![0-9])")
SHORTEST_CARD: Final = 14
"""Digits of the shortest numbers that are still issued (Diners Club)."""

_CARD_ISSUER: Final = re.compile(
    r"4[0-9]{15}(?:[0-9]{3})?|5[1-5][0-9]{14}|2(?:2[2-9]|[3-6][0-9]|7[01])[0-9]{13}|2720[0-9]{12}"
    r"|3[47][0-9]{13}|3(?:0[0-5]|[689][0-9])[0-9]{11}|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12}"
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}|62[0-9]{14,17}|(?:50|5[6-9]|6[0-9])[0-9]{14}"
)


def has_card_number(text: str) -> bool:
    """Whether a whole card number stands in `text`: issuer's prefix, length, Luhn check (ISO/IEC 7812)."""
    if len(text) < SHORTEST_CARD:
        return False
    return any(_CARD_ISSUER.fullmatch(digits) and _luhn(digits) for digits in _card_candidates(text))


def _card_candidates(text: str) -> Iterator[str]:
    for match in _CARD.finditer(text):
        yield match.group().replace(" ", "").replace("-", "")


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the sum of two digits
    return total % 10 == 0
