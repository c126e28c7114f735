"""A line that an officer writes: a reason, a reference, the name of a partner.

Others read it, on pages, in mails and in a terminal. In comes what was typed, out comes one line that may
be kept and shown. Nothing of it is put into an error.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from policies.card_numbers import has_card_number
from policies.free_text import fold, refuse_phone_numbers
from schema.errors import InputError

_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def has_control(text: str) -> bool:
    """Whether it holds what a terminal obeys, what turns the direction of writing, or what ends a line."""
    return not text.isprintable() and any(unicodedata.category(character) in _CONTROL for character in text)


def read_line(name: str, value: str, *, longest: int, fewest: int = 1) -> str:
    """The line as it may be kept and shown.

    1. whitespace, also the ends of lines, becomes single spaces;
    2. it has `fewest` to `longest` characters;
    3. it has no control character: it could forge a line, or hide one;
    4. no telephone number and no card number can be read from it (R1).

    Raises:
        InputError: it is empty or too long, or holds a control character or a card number.
        FreeTextPhoneError: it holds a telephone number.
    """
    text = " ".join(value.split())  # 1
    if not fewest <= len(text) <= longest:  # 2
        raise InputError(f"`{name}`: {fewest or 'up'} to {longest} characters")
    if has_control(text):  # 3
        raise InputError(f"`{name}` has a control character: remove it")
    refuse_phone_numbers({name: text}, None)  # 4
    if has_card_number(fold(text)):
        raise InputError(f"`{name}` holds a card number: leave it out")
    return text
