"""Telephone numbers that somebody typed into a text which others may read (R1).

In: a text and the country of the member. Out: whether a telephone number can be read from it. Names,
address lines, user names, interests and the contents of interactions pass here on their way in,
whichever way that is. The text itself is never put into an error.

A text is read in these steps:
1. Fast path: a text that cannot hold `FEWEST_DIGITS` digits, as figures or as English words, has no number.
2. Fold: compatibility forms, invisible characters, digits of every script, look-alikes between digits.
3. Words: seven digit words in a row are a number, whatever it is.
4. Runs: groups of digits with at most `WIDEST_GAP` other characters between them, no letter among these.
5. Candidates: each sequence of groups of a run with a telephone number's count of digits.
6. Verdict: a candidate is a number if the numbering plan of one of the regions has it.

What it costs: a string of digits that happens to be a valid number (an order number of ten digits) is
taken for one. What it cannot find: numbers in words of languages that `policies.digit_words` has not.
Numbers that begin in one text and go on in the next are `policies.split_texts`'.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

import phonenumbers

from policies.digit_words import ENGLISH, OTHERS
from policies.numbering_plans import is_valid
from schema.errors import FreeTextPhoneError

FEWEST_DIGITS: Final = 6
"""The shortest subscriber numbers in use (Andorra, Greenland, New Caledonia) have six digits."""

MOST_DIGITS: Final = 17
"""ITU-T E.164: fifteen digits, and two more for the prefix `00`."""

WIDEST_GAP: Final = 3
"""So many characters may stand between two groups of digits that are still read as one number."""

FEWEST_DIGIT_WORDS: Final = 7
"""A local number in words; house numbers and company names in words are shorter."""

MOST_CANDIDATES: Final = 300
"""Different candidates of one text that are judged, a quarter of a millisecond each. A text with more of
them, a page of figures, counts as one that holds a number: whoever sends it may not keep others waiting."""

FALLBACK_REGIONS: Final = ("US", "GB", "DE", "FR")
"""Tried after the member's own. Their plans want ten digits or a leading zero: postal codes are safe."""

_WORD: Final = re.compile(rf"(?<![a-z])(?:{'|'.join(ENGLISH)})(?![a-z])", re.IGNORECASE)
_REPEATED: Final = re.compile(r"\b(double|triple)[\W_]{0,3}([0-9])", re.IGNORECASE)
_ANY_WORDS: Final = "|".join(sorted({*ENGLISH, *OTHERS}, key=len, reverse=True))
_ANY_WORD: Final = re.compile(rf"(?<![^\W\d_])(?:{_ANY_WORDS})(?![^\W\d_])", re.IGNORECASE)
_WORD_RUN: Final = re.compile(
    rf"(?<![^\W\d_])(?:(?:{_ANY_WORDS})(?![^\W\d_])(?:[\W_]|and){{0,4}}){{{FEWEST_DIGIT_WORDS},}}",
    re.IGNORECASE,
)
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_REPEATED_MARK: Final = re.compile(r"([^\w]|_)(?:\s|\1)+")
_SPOKEN_MARK: Final = re.compile(
    r"(?<=[0-9])[\W_]{0,3}(?:dash|hyphen|minus|dot|point|period|slash|space|stroke|bindestrich|strich|punkt|tiret"
    r"|guion|punto|x)[\W_]{0,3}(?=[0-9])",
    re.IGNORECASE,
)
_ENOUGH_DIGITS: Final = re.compile(rf"(?:[^0-9]*+[0-9]){{{FEWEST_DIGITS}}}")
_NOT_DIGIT: Final = re.compile(r"[^0-9]+")
_LOOK_ALIKE: Final = str.maketrans("OoОоΟοQDlI|іІıSsВBZz", "00000000111111558822")
_ALIKE: Final = re.compile("[OoОоΟοQDlI|іІıSsВBZz]")
_LOOKS_LIKE_DIGITS: Final = re.compile(
    r"(?<![^\W_])(?=[^\W_]*[0-9])[0-9OoОоΟοQDlI|іІıSsВBZz]+(?![^\W_])|(?<=[0-9])[OoОоΟοlI|іІı]+(?=[0-9])"
)
_LONE_LOOK_ALIKE: Final = re.compile(r"(?<=[0-9])([\W_]{1,3})([OoОоΟοlI|іІı]+)(?=[\W_]{1,3}[0-9])")
_RUN: Final = re.compile(rf"\+?[0-9](?:(?:[^\w]|_){{0,{WIDEST_GAP}}}[0-9])*")
_NANP_LOCAL: Final = re.compile(r"(?<![0-9])[2-9][0-9]{2}[-.][0-9]{4}(?![0-9]|[-.][0-9])")
_GROUP: Final = re.compile(r"[0-9]+")
_DATE: Final = re.compile(
    r"(?<![0-9])(?:19|20)[0-9]{2}([-./])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])(?![0-9])"
)
_ZIP_PLUS_FOUR: Final = re.compile(r"(?<![0-9])[0-9]{5}-[0-9]{4}(?![0-9])")


def find_phone_number(text: str, *, region: str | None, tried: set[tuple[str, bool]] | None = None) -> bool:
    """Whether a telephone number can be read from `text`.

    `tried` are candidates that were judged in texts read together with this one, and is added to.

    `region` is the ISO 3166-1 alpha-2 country of the member, whose national way of writing numbers is
    tried first; None or an unknown country leaves the international way and `FALLBACK_REGIONS`.
    """
    # 1. Fast path
    if text.isascii() and _cannot_hold_number(text):
        return False
    # 2. Fold
    folded = fold(text)
    if _cannot_hold_number(folded):
        return False
    # 3. Words
    if _WORD_RUN.search(folded):
        return True
    plain = _plain_marks(_words_as_digits(folded))
    alike = without_look_alikes(plain)
    tried = set() if tried is None else tried
    return _holds_number(plain, region, tried) or (alike != plain and _holds_number(alike, region, tried))


def _holds_number(text: str, region: str | None, tried: set[tuple[str, bool]]) -> bool:
    regions = _regions(region)
    if regions[0] == "US":
        if region is not None and _NANP_LOCAL.search(text):
            return True
        text = _ZIP_PLUS_FOUR.sub("x", text)
    # 4. Runs, 5. candidates, 6. verdict
    for run in _RUN.finditer(_DATE.sub("x", text)):
        for candidate in _candidates(run.group()):
            if candidate in tried:
                continue
            if len(tried) == MOST_CANDIDATES or _is_number(*candidate, regions):
                return True
            tried.add(candidate)
    return False


def refuse_phone_numbers(fields: Mapping[str, str | None], region: str | None) -> None:
    """Refuse texts with a telephone number in them.

    CLAUSE (R1, C10): a text that others may read is refused when a telephone number can be read from it.

    Raises:
        FreeTextPhoneError: names every such field of `fields`, never its text (R1).

    """
    found = [name for name, text in fields.items() if text and find_phone_number(text, region=region)]
    if found:
        listed = ", ".join(f"`{name}`" for name in found)
        raise FreeTextPhoneError(
            f"a telephone number stands in {listed}: remove it, numbers have a field of their own"
        )


def fold(text: str) -> str:
    """`text` with one way of writing each digit and nothing invisible, for reading numbers only."""
    if not text.isascii():
        kept = []
        for character in unicodedata.normalize("NFKC", text):
            value = unicodedata.digit(character, None)
            if value is not None:
                kept.append(str(value))
            elif unicodedata.category(character) not in _INVISIBLE:
                kept.append(character)
        text = "".join(kept)
    return text


def without_look_alikes(text: str) -> str:
    """`text` with letters that pass for digits as digits, where they stand among digits."""
    text = _LOOKS_LIKE_DIGITS.sub(lambda match: match.group().translate(_LOOK_ALIKE), text)
    return _LONE_LOOK_ALIKE.sub(lambda match: match.group(1) + match.group(2).translate(_LOOK_ALIKE), text)


_INVISIBLE: Final = frozenset({"Cf", "Mn", "Me"})
"""Zero-width characters, soft hyphens, variation selectors, keycap marks: they part no digits."""


def _cannot_hold_number(text: str) -> bool:
    """Whether `text` has too few digits, in figures, look-alikes and words together."""
    if _ENOUGH_DIGITS.match(text):
        return False
    digits = len(_NOT_DIGIT.sub("", text))
    if digits == 0:
        return (
            len(text) < _SHORTEST_IN_WORDS
            or len(_LETTERS.sub("", text)) < FEWEST_DIGITS - 1  # what parts so many words
            or len(_ANY_WORD.findall(text)) < FEWEST_DIGITS
        )
    return digits + len(_ALIKE.findall(text)) + len(_WORD.findall(text)) < FEWEST_DIGITS


_SHORTEST_IN_WORDS: Final = FEWEST_DIGIT_WORDS * len("oh")


def _words_as_digits(text: str) -> str:
    """`text` with English digit words as figures, where other digits give them company."""
    text = _WORD.sub(lambda match: ENGLISH[match.group().lower()], text)
    return _REPEATED.sub(
        lambda match: match.group(2) * (2 if match.group(1).lower() == "double" else 3),
        text,
    )


def _plain_marks(text: str) -> str:
    """`text` with each mark between digits once, as a figure: `415 --- 555 dash 0132` is `415 - 555-0132`."""
    return _SPOKEN_MARK.sub("-", _REPEATED_MARK.sub(r"\1", text))


def _regions(region: str | None) -> tuple[str, ...]:
    known = region.upper() if region else None
    if known not in phonenumbers.SUPPORTED_REGIONS:
        return FALLBACK_REGIONS
    return (known, *(other for other in FALLBACK_REGIONS if other != known))


def _candidates(run: str) -> Iterator[tuple[str, bool]]:
    """Each sequence of whole groups of `run` with a number's count of digits, and whether a `+` leads it."""
    groups = _GROUP.findall(run)
    for first in range(len(groups)):
        digits = ""
        for group in groups[first : first + MOST_DIGITS]:
            digits += group
            if len(digits) > MOST_DIGITS:
                break
            if len(digits) >= FEWEST_DIGITS:
                yield digits, first == 0 and run.startswith("+")


def _is_number(digits: str, international: bool, regions: tuple[str, ...]) -> bool:
    """Whether one numbering plan has `digits`, in the way in which its country writes numbers."""
    if (international or len(digits) >= _LIKELY_WITH_COUNTRY_CODE) and is_valid("+" + digits, None):
        return True
    if digits.startswith("00") and is_valid("+" + digits[2:], None):
        return True
    own, *others = regions
    if is_valid(digits, own):
        return True
    return any(
        is_valid(digits, other)
        for other in others
        if digits.startswith("0") or (other == "US" and len(digits) > 9)  # noqa: PLR2004 - NANP
    )


_LIKELY_WITH_COUNTRY_CODE: Final = 11
"""From so many digits on, a number is tried with its country code even where the `+` is missing."""
