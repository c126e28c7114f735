"""Telephone numbers that begin in one text and go on in the next (R1).

A first name and a last name, two lines of an address, the entries of a list: others read them together,
so they are judged together.

In: texts in the order in which they are shown, each already judged by itself. What it costs: a number of
fewer than `FEWEST_DIGITS_ACROSS` digits is not found across a seam, because a house number and the postal
code of the next line are as long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from policies.free_text import MOST_DIGITS, find_phone_number, fold, without_look_alikes

FEWEST_DIGITS_ACROSS: Final = 10
"""North American numbers have ten digits, most European ones with their leading zero ten or eleven."""

_DIGIT: Final = re.compile(r"[0-9]")
_NOT_DIGIT: Final = re.compile(r"[^0-9]+")


def find_split_number(texts: Sequence[str | None], *, region: str | None) -> bool:
    """Whether a telephone number stands across the seam of texts that follow each other.

    Texts that are nothing but digits and marks are read through: three of them may hold one number. Of each
    side as many digits are read as a number can have, so that long texts stay cheap.
    """
    if sum(_may_hold_digits(text) for text in texts if text) < 2:  # noqa: PLR2004 - a seam has two sides
        return False
    joined = ""
    tried: set[tuple[str, bool]] = set()
    seams: set[str] = set()
    for first, second in pairwise([_read(text) for text in texts if text]):
        before, after = _tail(f"{joined} {first}" if joined else first), _head(second)
        joined = ""
        if not before or not after:
            continue
        across = f"{before} {after}"
        if across not in seams and len(_NOT_DIGIT.sub("", across)) >= FEWEST_DIGITS_ACROSS:
            if find_phone_number(across, region=region, tried=tried):
                return True
            seams.add(across)
        if not any(map(_is_letter, second)):
            joined = before
    return False


def _tail(text: str) -> str:
    """The digits at the end of a text with the marks among them; empty if a letter stands there."""
    start, digits = len(text), 0
    for place in range(len(text) - 1, -1, -1):
        if _is_letter(text[place]) or digits == MOST_DIGITS:
            break
        if text[place].isdigit():
            start, digits = place, digits + 1
    return text[start - 1 :] if text[start - 1 : start] == "+" else text[start:]


def _head(text: str) -> str:
    """The digits at the beginning of a text with the marks among them; empty if a letter stands there."""
    end = digits = 0
    for place, character in enumerate(text, start=1):
        if _is_letter(character) or digits == MOST_DIGITS:
            break
        if character.isdigit():
            end, digits = place, digits + 1
    return text[:end]


def _is_letter(character: str) -> bool:
    return character.isalnum() and not character.isdigit()


def _may_hold_digits(text: str) -> bool:
    """Quickly: most texts that follow each other, such as names, have none."""
    return not text.isascii() or _DIGIT.search(text) is not None


def _read(text: str) -> str:
    return without_look_alikes(fold(text)).strip()
