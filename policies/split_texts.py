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

from policies.free_text import find_phone_number, fold, without_look_alikes

FEWEST_DIGITS_ACROSS: Final = 10
"""North American numbers have ten digits, most European ones with their leading zero ten or eleven."""

_TAIL: Final = re.compile(r"\+?[0-9](?:[^\w]|_|[0-9])*$")
_HEAD: Final = re.compile(r"(?:[^\w]|_)*[0-9](?:[^\w]|_|[0-9])*")
_DIGIT: Final = re.compile(r"[0-9]")
_NOT_DIGIT: Final = re.compile(r"[^0-9]+")


def find_split_number(texts: Sequence[str | None], *, region: str | None) -> bool:
    """Whether a telephone number stands across the seam of texts that follow each other.

    Texts that are nothing but digits and marks are read through: three of them may hold one number.
    """
    if sum(_may_hold_digits(text) for text in texts if text) < 2:  # noqa: PLR2004 - a seam has two sides
        return False
    joined = ""
    for first, second in pairwise([_read(text) for text in texts if text]):
        before = _TAIL.search(f"{joined} {first}" if joined else first)
        after = _HEAD.match(second)
        joined = ""
        if before is None or after is None:
            continue
        across = f"{before.group()} {after.group()}"
        if len(_NOT_DIGIT.sub("", across)) >= FEWEST_DIGITS_ACROSS and find_phone_number(
            across, region=region
        ):
            return True
        if _HEAD.fullmatch(second):
            joined = before.group()
    return False


def _may_hold_digits(text: str) -> bool:
    """Quickly: most texts that follow each other, such as names, have none."""
    return not text.isascii() or _DIGIT.search(text) is not None


def _read(text: str) -> str:
    return without_look_alikes(fold(text)).strip()
